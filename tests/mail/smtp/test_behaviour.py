"""What a server does is learned from its answers: no mail is lost, sent twice or in doubt, and nothing stalls."""

from collections import Counter

import pytest

from campaign.mail.smtp.behaviour import Behaviour
from campaign.mail.smtp.client import SmtpTransport
from campaign.mail.smtp.pool import Limits
from campaign.mail.smtp.protocol import read_limits
from campaign.mail.smtp.transport import Outcome
from tests.scenes.letters import Letters, letter_to
from tests.servers.mail_server_doubles import (
    COURIER,
    EXIM,
    HARAKA,
    MAILDEV,
    MSMTPD,
    OLD_EXIM,
    OPENSMTPD,
    POSTFIX,
    SENDMAIL,
    Double,
    Habits,
)

ACCEPTED, REJECTED = Outcome.ACCEPTED, Outcome.REJECTED
DOUBLES = {
    "Postfix": POSTFIX,
    "Exim": EXIM,
    "old Exim": OLD_EXIM,
    "sendmail": SENDMAIL,
    "OpenSMTPD": OPENSMTPD,
    "Haraka": HARAKA,
    "MailDev": MAILDEV,
    "msmtpd": MSMTPD,
}
SILENCE = 10


def send(server: Double, letters: Letters, behaviour: Behaviour, connections: int = 4) -> None:
    limits = Limits(silence=SILENCE, connections=connections, messages_per_connection=2000)
    transport = SmtpTransport(server.url, limits, behaviour=behaviour)
    try:
        transport.deliver(letters)
    finally:
        transport.close()


def numbered(many: int, first: int = 0) -> Letters:
    return Letters(
        *(letter_to(f"reader{n}@example.org", f"Number {n}.\r\n".encode()) for n in range(first, first + many))
    )


def assert_once_each(server: Double, many: int) -> None:
    assert Counter(server.messages) == Counter(
        f"\r\nSubject: x\r\n\r\nNumber {number}.".encode() for number in range(many)
    )


@pytest.mark.parametrize("habits", DOUBLES.values(), ids=DOUBLES)
@pytest.mark.parametrize("connections", [1, 4])
def test_every_mail_arrives_once(habits: Habits, connections: int) -> None:
    letters, behaviour = numbered(300), Behaviour()
    with Double(habits) as server:
        send(server, letters, behaviour, connections)
        assert letters.outcomes == {ACCEPTED: 300}
        assert_once_each(server, 300)


def test_a_server_that_drops_what_is_behind_a_dot_costs_one_silence() -> None:
    """Courier: the second run knows it, so no connection is replaced any more."""
    behaviour = Behaviour()
    with Double(COURIER) as server:
        send(server, numbered(50), behaviour, connections=2)
        assert behaviour.takes_envelope_with_dot is False
        assert server.connections == 4
        send(server, numbered(50, first=50), behaviour, connections=2)
        assert server.connections == 6
        assert_once_each(server, 100)


@pytest.mark.parametrize(("habits", "takes"), [(HARAKA, False), (POSTFIX, True), (OPENSMTPD, None)])
def test_whether_an_envelope_may_come_with_a_dot_is_learned_at_once(habits: Habits, takes: bool | None) -> None:
    behaviour = Behaviour()
    with Double(habits) as server:
        send(server, numbered(20), behaviour, connections=1)
        assert behaviour.takes_envelope_with_dot is takes
        assert server.connections == 1 + (takes is False)


def test_another_server_in_the_place_of_the_first_is_learned_anew() -> None:
    behaviour = Behaviour()
    with Double(POSTFIX) as server:
        send(server, numbered(20), behaviour)
    with Double(HARAKA) as server:
        send(server, numbered(40), behaviour)
        assert behaviour.takes_envelope_with_dot is False
        assert_once_each(server, 40)


def test_a_limit_of_mails_on_a_connection_is_learned_from_its_refusal() -> None:
    behaviour = Behaviour()
    with Double(OPENSMTPD) as server:
        send(server, numbered(250), behaviour, connections=1)
        assert behaviour.mails_per_connection == 100
        assert server.connections == 3
        assert_once_each(server, 250)


def test_a_limit_that_is_announced_is_kept() -> None:
    behaviour = Behaviour()
    with Double(Habits(("PIPELINING", "LIMITS RCPTMAX=100 MAILMAX=7"), most_mails=7, enough="554 Never")) as server:
        send(server, numbered(70), behaviour, connections=1)
        assert server.connections == 10
        assert_once_each(server, 70)


@pytest.mark.parametrize(
    ("parameters", "limit"),
    [
        ("MAILMAX=1000 RCPTMAX=50000", 1000),
        ("RCPTMAX=5 mailmax=7", 7),
        ("", None),
        ("MAILMAX=0", None),
        ("XMAILMAX=3", None),
    ],
)
def test_limits_are_read_as_rfc_9422_writes_them(parameters: str, limit: int | None) -> None:
    assert read_limits(parameters) == limit


@pytest.mark.parametrize("connections", [1, 4])
def test_many_dead_addresses_do_not_bring_the_server_to_hang_up(connections: int) -> None:
    addresses = [f"{'dead' if number % 3 else 'reader'}{number}@example.org" for number in range(150)]
    letters, behaviour = Letters(*map(letter_to, addresses)), Behaviour()
    with Double(POSTFIX) as server:
        send(server, letters, behaviour, connections)
        assert letters.outcomes == {ACCEPTED: 50, REJECTED: 100}
        assert len(server.messages) == 50


@pytest.mark.parametrize(
    ("refused", "taken", "often"), [(0, 0, False), (1, 0, False), (3, 0, True), (3, 20, False), (100, 20, True)]
)
def test_data_waits_for_the_recipient_only_while_many_are_refused(refused: int, taken: int, often: bool) -> None:
    behaviour = Behaviour()
    for number in range(refused + taken):
        behaviour.note_recipient(refused=number < refused)
    assert behaviour.refuses_often is often
