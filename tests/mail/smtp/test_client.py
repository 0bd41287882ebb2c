"""SMTP: for each point at which a server may refuse, hang up or fall silent, what is known of the message."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from campaign.mail.message import Message
from campaign.mail.smtp.client import SmtpTransport
from campaign.mail.smtp.pool import Limits
from campaign.mail.smtp.transport import Answer, Outcome
from tests.scenes.mails import deliver_one
from tests.servers.scripted_smtp import BODY, DOT, FALL_SILENT, GREETING, HANG_UP, ScriptedServer
from tests.servers.smtp import Mailbox

RECIPIENT = "aigul.secret@example.org"
ACCEPTED, DEFERRED, REJECTED, NOT_TRIED, REFUSED_US, BROKEN_OFF, IN_DOUBT = Outcome


def letter(body: bytes = b"Subject: x\r\n\r\nHello\r\n") -> Message:
    return Message(sender="petition@example.org", recipient=RECIPIENT, content=body)


@contextmanager
def transport_to(url: str, timeout: float = 10) -> Iterator[SmtpTransport]:
    transport = SmtpTransport(url, Limits(silence=timeout))
    try:
        yield transport
    finally:
        transport.close()


def send_to(server: ScriptedServer, message: Message | None = None, timeout: float = 10) -> Answer:
    with transport_to(server.url, timeout) as transport:
        return deliver_one(transport, message or letter())


@pytest.mark.parametrize(
    ("point", "says", "outcome", "reason"),
    [
        (DOT, "250 2.0.0 Queued", ACCEPTED, "message: 250 2.0.0"),
        (DOT, "250 Queued", ACCEPTED, "message: 250"),
        ("RCPT", "251 User not local; will forward", ACCEPTED, "message: 250 2.0.0"),
        ("MAIL", "451 4.3.0 Later", REFUSED_US, "sender: 451 4.3.0"),
        ("MAIL", "550 5.7.1 Go away", REFUSED_US, "sender: 550 5.7.1"),
        ("MAIL", "552 5.3.4 Too big", DEFERRED, "sender: 552 5.3.4"),
        ("RCPT", "450 4.2.1 Later", DEFERRED, "recipient: 450 4.2.1"),
        ("RCPT", "550 5.1.1 Nobody", REJECTED, "recipient: 550 5.1.1"),
        ("RCPT", "553 No", DEFERRED, "recipient: 553"),
        ("RCPT", "550 Mailbox unavailable", REJECTED, "recipient: 550"),
        ("RCPT", "554 5.7.1 Relay access denied", REFUSED_US, "recipient: 554 5.7.1"),
        ("RCPT", "451 4.1.8 Domain of sender address does not resolve", REFUSED_US, "recipient: 451 4.1.8"),
        ("DATA", "451 4.3.0 Later", DEFERRED, "DATA: 451 4.3.0"),
        ("DATA", "554 5.5.1 No", REFUSED_US, "DATA: 554 5.5.1"),
        (DOT, "452 4.3.1 Full", DEFERRED, "message: 452 4.3.1"),
        (DOT, "554 5.7.1 Spam", DEFERRED, "message: 554 5.7.1"),
        (DOT, "550-5.4.5 Daily sending\r\n550 5.4.5 limit exceeded", REFUSED_US, "message: 550 5.4.5"),
        ("MAIL", "421 4.3.2 Closing", NOT_TRIED, "sender: 421 4.3.2"),
        ("RCPT", "421 4.3.2 Closing", BROKEN_OFF, "recipient: 421 4.3.2"),
        ("DATA", "421 4.3.2 Closing", BROKEN_OFF, "DATA: 421 4.3.2"),
        (DOT, "421 4.3.2 Closing", BROKEN_OFF, "message: 421 4.3.2"),
    ],
)
def test_an_answer_ends_the_attempt_as_rfc_5321_means_it(point: str, says: str, outcome: Outcome, reason: str) -> None:
    with ScriptedServer({point: says}) as server:
        answer = send_to(server)
    assert (answer.outcome, answer.reason) == (outcome, reason)
    assert (answer.refusal is not None) is (outcome is REFUSED_US)


@pytest.mark.parametrize("says", [HANG_UP, "421 4.3.2 Not now", "554 5.3.2 Never", "hello"])
@pytest.mark.parametrize("point", [GREETING, "EHLO"])
def test_a_server_that_does_not_begin_has_not_been_tried(point: str, says: str) -> None:
    with ScriptedServer({point: says, "HELO": says}) as server:
        assert send_to(server).outcome is NOT_TRIED
        assert server.messages == []


def test_a_server_that_is_not_there_has_not_been_tried() -> None:
    with ScriptedServer() as server:
        pass
    answer = send_to(server)
    assert answer == Answer(NOT_TRIED, "the mail server cannot be used (ConnectionRefusedError)")


@pytest.mark.parametrize(("point", "outcome"), [("MAIL", NOT_TRIED), ("RCPT", BROKEN_OFF), ("DATA", BROKEN_OFF)])
def test_a_connection_lost_before_the_message_is_nothing_of_the_recipients(point: str, outcome: Outcome) -> None:
    with ScriptedServer({point: HANG_UP}) as server:
        assert send_to(server).outcome is outcome
        assert server.messages == []


def test_a_connection_lost_within_the_message_is_broken_off() -> None:
    # More than the buffers between the two hold, so that the sender notices.
    large = letter(b"Subject: x\r\n\r\n" + b"Hello, this is a line\r\n" * 1_500_000)
    with ScriptedServer({BODY: HANG_UP}) as server:
        assert send_to(server, large).outcome is BROKEN_OFF
        assert server.messages == []


@pytest.mark.parametrize(("point", "outcome"), [("MAIL", NOT_TRIED), ("RCPT", BROKEN_OFF), (DOT, IN_DOUBT)])
def test_silence_is_a_lost_connection(point: str, outcome: Outcome) -> None:
    with ScriptedServer({point: FALL_SILENT}) as server:
        assert send_to(server, timeout=0.3).outcome is outcome


def test_a_connection_lost_after_the_final_dot_leaves_the_message_in_doubt() -> None:
    with ScriptedServer({DOT: HANG_UP}) as server:
        answer = send_to(server)
        assert answer.outcome is IN_DOUBT
        assert len(server.messages) == 1


@pytest.mark.parametrize("point", ["MAIL", "RCPT", "DATA", DOT])
@pytest.mark.parametrize(
    "says", [f"550 5.1.1 <{RECIPIENT}> unknown", f"550 {RECIPIENT} unknown", f"450 <{RECIPIENT}>", f"421 {RECIPIENT}"]
)
def test_a_reason_never_quotes_the_address(point: str, says: str) -> None:
    with ScriptedServer({point: says}) as server:
        reason = send_to(server).reason
    assert reason
    assert "aigul" not in reason
    assert "example.org" not in reason


@pytest.mark.parametrize(
    ("point", "says"),
    [
        ("RCPT", "550 5.1.1 Nobody"),
        ("RCPT", "450 4.2.1 Later"),
        (DOT, "554 5.7.1 No"),
        (DOT, "250 OK"),
    ],
)
def test_the_connection_is_kept_for_the_next_message(point: str, says: str) -> None:
    with ScriptedServer({point: says}) as server, transport_to(server.url) as transport:
        deliver_one(transport, letter())
        server.answers.clear()
        assert deliver_one(transport, letter()).outcome is ACCEPTED
        assert server.connections == 1


@pytest.mark.parametrize(
    ("point", "says"),
    [
        ("RCPT", "421 4.3.2 Closing"),
        ("MAIL", "451 4.3.0 Later"),
        ("MAIL", HANG_UP),
        (DOT, HANG_UP),
        (GREETING, HANG_UP),
    ],
)
def test_after_a_lost_connection_the_next_message_opens_another(point: str, says: str) -> None:
    with ScriptedServer({point: says}) as server, transport_to(server.url) as transport:
        deliver_one(transport, letter())
        server.answers.clear()
        assert deliver_one(transport, letter()).outcome is ACCEPTED
        assert server.connections == 2


@pytest.mark.parametrize(
    "body",
    [
        b"one\r\n.\r\ntwo\r\n",
        b".\r\n",
        b"..two dots\r\n...three\r\n",
        b".hidden file\r\n a line. with. dots.\r\n",
        "Қазақстан жұмысшылары\r\n.Сәлем\r\n".encode(),
        bytes(byte for byte in range(1, 256) if byte not in b"\r\n") + b"\r\n",
    ],
)
def test_a_message_arrives_as_it_was_dots_and_eight_bits_too(body: bytes) -> None:
    message = letter(b"Subject: x\r\n\r\n" + body)
    with Mailbox() as mailbox, transport_to(mailbox.url) as transport:
        assert deliver_one(transport, message).outcome is ACCEPTED
        assert deliver_one(transport, letter()).outcome is ACCEPTED
        first, second = mailbox.wait_for(2)
    assert (first.sender, first.recipients, first.content) == (message.sender, (RECIPIENT,), message.content)
    assert second.content == letter().content


def test_a_connection_that_was_closed_while_idle_is_replaced_at_once() -> None:
    with Mailbox() as mailbox, transport_to(mailbox.url) as transport:
        assert deliver_one(transport, letter()).outcome is ACCEPTED
        (connection,) = transport._kept
        connection.sock.shutdown(socket.SHUT_RDWR)
        assert deliver_one(transport, letter()).outcome is ACCEPTED
        assert len(mailbox.messages) == 2


@pytest.mark.parametrize("name", ["petition.example.org", "[192.0.2.1]", "[IPv6:2001:db8::7]"])
def test_the_client_introduces_itself_by_the_name_that_it_is_given(name: str) -> None:
    with ScriptedServer() as server:
        transport = SmtpTransport(server.url, Limits(silence=10), ehlo_name=name)
        assert deliver_one(transport, letter()).outcome is ACCEPTED
        transport.close()
        assert server.commands[0] == f"ehlo {name}"
