"""Several connections to one real server: all are used, each for its share, a broken one is replaced; TLS too."""

from asyncio import Event, WriteTransport
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from campaign.mail.message import Message
from campaign.mail.smtp.client import SmtpTransport
from campaign.mail.smtp.pool import Limits
from campaign.mail.smtp.transport import Outcome
from tests.scenes.letters import Letters, letter_to
from tests.servers.secure_smtp import Certificate
from tests.servers.smtp import Mailbox, port_of

ACCEPTED, IN_DOUBT = Outcome.ACCEPTED, Outcome.IN_DOUBT
SILENCE = 10


def letter(number: int, body: bytes = b"Hello\r\n") -> Message:
    return letter_to(f"reader{number}@example.org", body)


class Gate(Mailbox):
    """Answers to a message only when messages have come over ``width`` connections, ``opened_at`` the first time."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self._width = width
        self._open = Event()
        self.ports: set[int] = set()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.ports.add(port_of(session))
        if len(self.ports) == self._width:
            self._open.set()
        await self._open.wait()
        return await super().handle_DATA(server, session, envelope)


class Breaking(Mailbox):
    """Resets a connection at the final dot of its message ``at``, ``times`` times in all, once others have worked.

    A connection that brings its second message has read the answer to its first: before that, the sender cannot know
    that the server works.
    """

    def __init__(self, times: int, at: int = 3) -> None:
        super().__init__()
        self._times = times
        self._at = at
        self.seen: Counter[int] = Counter()
        self.swallowed: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        port = port_of(session)
        self.seen[port] += 1
        if self.seen[port] == self._at and self._times and max(self.seen.values()) > 1:
            self._times -= 1
            self.swallowed += envelope.rcpt_tos
            assert isinstance(server.transport, WriteTransport)
            server.transport.abort()
            return "451 4.3.0 Nobody hears this"
        return await super().handle_DATA(server, session, envelope)


@contextmanager
def transport_to(url: str, limits: Limits, certificate: Certificate | None = None) -> Iterator[SmtpTransport]:
    transport = SmtpTransport(url, limits, context=certificate.for_client if certificate else None)
    try:
        yield transport
    finally:
        transport.close()


def deliver(url: str, letters: Letters, certificate: Certificate | None = None, **limits: int) -> None:
    with transport_to(url, Limits(silence=SILENCE, **limits), certificate) as transport:
        transport.deliver(letters)


def recipients(mailbox: Mailbox) -> list[str]:
    return sorted(message.recipients[0] for message in mailbox.messages)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_as_many_messages_are_under_way_as_there_may_be_connections(width: int) -> None:
    letters = Letters(*(letter(number) for number in range(20)))
    with Gate(width) as gate:
        deliver(gate.url, letters, connections=width)
    assert letters.outcomes == {ACCEPTED: 20}
    assert len(gate.ports) == width
    assert recipients(gate) == sorted(letter(number).recipient for number in range(20))


def test_no_more_connections_are_opened_than_there_are_messages() -> None:
    letters = Letters(letter(0), letter(1))
    with Gate(2) as gate:
        deliver(gate.url, letters, connections=8)
    assert letters.outcomes == {ACCEPTED: 2}
    assert len(gate.ports) == 2


@pytest.mark.parametrize("pipelining", [True, False])
def test_a_connection_is_replaced_after_its_share_of_messages(pipelining: bool) -> None:
    letters = Letters(*(letter(number) for number in range(40)))
    with Mailbox(pipelining=pipelining) as mailbox:
        deliver(mailbox.url, letters, connections=3, messages_per_connection=4)
    assert letters.outcomes == {ACCEPTED: 40}
    by_connection = Counter(message.port for message in mailbox.messages)
    assert max(by_connection.values()) == 4
    assert len(by_connection) >= 10
    assert recipients(mailbox) == sorted(letter(number).recipient for number in range(40))


def test_the_share_counts_over_deliveries_too() -> None:
    with Mailbox() as mailbox, transport_to(mailbox.url, Limits(SILENCE, messages_per_connection=4)) as transport:
        for number in range(10):
            transport.deliver(Letters(letter(number)))
    assert sorted(Counter(message.port for message in mailbox.messages).values()) == [2, 4, 4]


@pytest.mark.parametrize("times", [1, 2])
def test_a_connection_that_breaks_costs_its_own_message_only_and_is_replaced(times: int) -> None:
    letters = Letters(*(letter(number) for number in range(60)))
    with Breaking(times) as server:
        deliver(server.url, letters, connections=2)
    assert letters.outcomes == {ACCEPTED: 60 - times, IN_DOUBT: times}
    doubtful = [letter(number).recipient for number, answer in letters.answers.items() if answer.outcome is IN_DOUBT]
    assert sorted(doubtful) == sorted(server.swallowed)
    assert sorted([*recipients(server), *doubtful]) == sorted(letter(number).recipient for number in range(60))
    assert len(server.seen) == 2 + times


def test_a_connection_that_breaks_at_its_first_message_holds_up_nothing_where_others_worked() -> None:
    letters = Letters(*(letter(number) for number in range(60)))
    with Breaking(1, at=1) as server:
        deliver(server.url, letters, connections=2, messages_per_connection=5)
    assert len(server.swallowed) == 1
    assert letters.outcomes == {ACCEPTED: 59, IN_DOUBT: 1}


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return Certificate(tmp_path)


def secure(certificate: Certificate, scheme: str) -> Mailbox:
    tls = certificate.for_server
    return Mailbox(ssl_context=tls) if scheme == "smtps" else Mailbox(tls_context=tls, require_starttls=True)


# More than the buffers of both sides hold, so that a part of it has to wait until there is room.
LARGE = (b"." * 70 + b" the line of a large message " + b"x" * 800 + b"\r\n") * 20_000


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
def test_messages_go_out_whole_over_several_secure_connections(certificate: Certificate, scheme: str) -> None:
    letters = Letters(*(letter(number, LARGE if number % 16 == 3 else b"Hello\r\n") for number in range(32)))
    with secure(certificate, scheme) as mailbox:
        deliver(f"{scheme}://localhost:{mailbox.port}", letters, certificate, connections=3, messages_per_connection=6)
        received = {message.recipients[0]: message for message in mailbox.messages}
    assert letters.outcomes == {ACCEPTED: 32}
    assert len(mailbox.messages) == len(received) == 32
    for number in range(32):
        body = LARGE if number % 16 == 3 else b"Hello\r\n"
        assert received[letter(number).recipient].content == b"Subject: x\r\n\r\n" + body
    assert max(Counter(message.port for message in received.values()).values()) <= 6


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
def test_a_certificate_that_is_not_trusted_is_given_nothing(certificate: Certificate, scheme: str) -> None:
    letters = Letters(letter(0), letter(1))
    with secure(certificate, scheme) as mailbox:
        deliver(f"{scheme}://localhost:{mailbox.port}", letters, connections=2)
    assert letters.outcomes == {Outcome.NOT_TRIED: len(letters.answers)}
    assert letters.answers
    assert (mailbox.messages, letters.begun) == ([], [])
