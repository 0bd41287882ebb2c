"""A refusal that may be about us costs nobody a mail: it is held until the server's next answers show whom it means."""

from collections import Counter
from collections.abc import Callable
from itertools import count

import pytest

from campaign.mail.smtp.client import SmtpTransport
from campaign.mail.smtp.pool import Limits
from campaign.mail.smtp.refusals import Refusal
from campaign.mail.smtp.transport import Outcome
from tests.scenes.letters import Letters, letter_to
from tests.servers.scripted_smtp import DOT, ScriptedServer

ACCEPTED, DEFERRED, REJECTED, NOT_TRIED, REFUSED_US, _, _ = Outcome
YES = "250 2.0.0 OK"
OVER_DOMAINS = [f"reader@example{number}.org" for number in range(40)]
ONE_DOMAIN = [f"reader{number}@example.org" for number in range(40)]


def numbered(says: Callable[[int], str]) -> Callable[[], str]:
    """Answers by number, from 0."""
    numbers = count()
    return lambda: says(next(numbers))


def send(server: ScriptedServer, recipients: list[str], connections: int = 1) -> Letters:
    letters = Letters(*map(letter_to, recipients))
    transport = SmtpTransport(server.url, Limits(silence=10, connections=connections))
    try:
        transport.deliver(letters)
    finally:
        transport.close()
    return letters


PIPELINING = pytest.mark.parametrize("pipelining", [False, True], ids=["in lock-step", "pipelined"])


@PIPELINING
@pytest.mark.parametrize("connections", [1, 4])
@pytest.mark.parametrize("point", ["RCPT", "DATA", DOT])
@pytest.mark.parametrize(
    ("says", "refusal"),
    [
        ("504 5.5.2 <node1>: Helo command rejected: need fully-qualified hostname", Refusal.HELO),
        ("554 <node1>: Helo command rejected: Access denied", Refusal.HELO),
        ("550 5.4.5 Daily user sending limit exceeded", Refusal.QUOTA),
        ("553 5.7.1 <petition@example.org>: Sender address rejected: not owned by user", Refusal.SENDER),
        ("554 5.7.1 <reader@example.net>: Relay access denied", Refusal.RELAY),
        ("451 4.1.8 Domain of sender address petition@example.org does not resolve", Refusal.SENDER),
    ],
)
def test_a_refusal_about_us_ends_the_run_and_costs_nobody_an_attempt(
    says: str, refusal: Refusal, point: str, connections: int, pipelining: bool
) -> None:
    with ScriptedServer({point: says}, pipelining=pipelining) as server:
        letters = send(server, OVER_DOMAINS, connections)
    assert set(letters.outcomes) <= {REFUSED_US, NOT_TRIED}
    assert {answer.refusal for answer in letters.answers.values()} <= {refusal, None}
    # At the dot, the next mail on each connection has begun already.
    assert 2 <= letters.outcomes[REFUSED_US] <= 1 + 2 * connections
    assert letters.asked <= 3 * connections


@pytest.mark.parametrize("connections", [1, 4])
def test_for_one_domain_alone_it_takes_five_refusals_about_us(connections: int) -> None:
    with ScriptedServer({"RCPT": "554 5.7.1 Relay access denied"}, pipelining=True) as server:
        letters = send(server, ONE_DOMAIN, connections)
    assert set(letters.outcomes) <= {REFUSED_US, NOT_TRIED}
    assert 5 <= letters.outcomes[REFUSED_US] <= 5 + connections
    assert letters.asked <= 5 + 2 * connections


def test_the_same_mail_refused_again_and_again_is_not_about_us() -> None:
    with ScriptedServer({"RCPT": "553 5.7.1 Sender address rejected"}, pipelining=True) as server:
        transport = SmtpTransport(server.url, Limits(silence=10, connections=4))
        for _ in range(10):
            transport.deliver(trap := Letters(letter_to("trap@example.org")))
            assert trap.outcomes == {REFUSED_US: 1}
        script = {"RCPT": numbered(lambda number: YES if number else "553 5.7.1 Sender address rejected")}
        server.answers = dict(script)
        transport.deliver(letters := Letters(*map(letter_to, ["trap@example.org", *ONE_DOMAIN])))
        transport.close()
    assert letters.outcomes[ACCEPTED] == 40


@PIPELINING
@pytest.mark.parametrize("point", ["RCPT", DOT])
@pytest.mark.parametrize("says", ["550 5.7.1 No", "550 No", "451 4.3.0 Later"])
def test_the_same_answer_for_the_first_over_several_domains_is_about_us(
    says: str, point: str, pipelining: bool
) -> None:
    with ScriptedServer({point: says}, pipelining=pipelining) as server:
        letters = send(server, OVER_DOMAINS)
    assert set(letters.outcomes) <= {REFUSED_US, NOT_TRIED}
    assert letters.outcomes[REFUSED_US] == 5 + (point == DOT)  # then the next mail has begun already
    assert {answer.refusal for answer in letters.answers.values()} <= {Refusal.EVERYBODY, None}


@PIPELINING
@pytest.mark.parametrize("answers", [["550 5.7.1 No"], ["550 No", "550 5.7.1 No"]], ids=["one domain", "two answers"])
def test_other_unclear_refusals_are_tried_later_while_nothing_is_accepted(answers: list[str], pipelining: bool) -> None:
    script = {"RCPT": numbered(lambda number: answers[number % len(answers)])}
    recipients = ONE_DOMAIN if len(answers) == 1 else OVER_DOMAINS
    with ScriptedServer(script, pipelining=pipelining) as server:
        letters = send(server, recipients)
    assert letters.outcomes == {DEFERRED: 40}


@PIPELINING
@pytest.mark.parametrize(
    ("says", "outcome"),
    [
        ("550 5.7.1 No", REJECTED),
        ("550 No", REJECTED),
        ("451 4.3.0 Later", DEFERRED),
        # It says that it is about us, and it is not: others are accepted. It still costs nobody a mail.
        ("553 5.7.1 Sender address rejected", DEFERRED),
        ("550 5.1.1 Nobody", REJECTED),
    ],
)
@pytest.mark.parametrize("refused", [0, 20, 38])
def test_what_is_refused_while_others_are_accepted_is_the_recipient_s_own(
    says: str, outcome: Outcome, refused: int, pipelining: bool
) -> None:
    script = {"RCPT": numbered(lambda number: says if number == refused else YES)}
    with ScriptedServer(script, pipelining=pipelining) as server:
        letters = send(server, OVER_DOMAINS)
    assert letters.outcomes == {ACCEPTED: 39, outcome: 1}
    assert letters.answers[refused].outcome is outcome


def test_an_unclear_refusal_at_the_end_of_a_run_that_worked_counts_as_it_was_said() -> None:
    script = {"RCPT": numbered(lambda number: "550 No" if number == 39 else YES)}
    with ScriptedServer(script) as server:
        letters = send(server, OVER_DOMAINS)
    assert letters.outcomes == {ACCEPTED: 39, REJECTED: 1}


def test_dead_addresses_alone_are_no_refusal_of_us() -> None:
    with ScriptedServer({"RCPT": "550 5.1.1 Nobody"}) as server:
        letters = send(server, OVER_DOMAINS)
    assert letters.outcomes == {REJECTED: 40}


def test_a_quota_in_the_middle_keeps_all_that_it_refused() -> None:
    script = {DOT: numbered(lambda number: YES if number < 10 else "550 5.4.5 Daily user sending limit exceeded")}
    with ScriptedServer(script, pipelining=True) as server:
        letters = send(server, ONE_DOMAIN, connections=4)
    assert letters.outcomes[ACCEPTED] == 10
    assert set(letters.outcomes) <= {ACCEPTED, REFUSED_US, NOT_TRIED}


def test_a_server_that_refused_us_is_asked_with_one_mail_until_it_accepts_one() -> None:
    with ScriptedServer({"RCPT": "554 5.7.1 Relay access denied"}, pipelining=True) as server:
        transport = SmtpTransport(server.url, Limits(silence=10, connections=4))
        first, second, third = (Letters(*map(letter_to, OVER_DOMAINS)) for _ in range(3))
        transport.deliver(first)
        server.commands.clear()
        transport.deliver(second)
        assert sum(command.startswith("RCPT") for command in server.commands) == 1
        assert second.outcomes[REFUSED_US] == 1
        server.answers.clear()
        transport.deliver(third)
        transport.close()
    assert third.outcomes == {ACCEPTED: 40}


def test_unclear_refusals_are_counted_over_the_runs_of_a_server_with_few_mails() -> None:
    """Confirmations come one by one: a run of one mail cannot show that the server refuses everybody."""
    with ScriptedServer({"RCPT": "550 No"}) as server:
        transport = SmtpTransport(server.url, Limits(silence=10))
        outcomes: Counter[Outcome] = Counter()
        for recipient in OVER_DOMAINS[:10]:
            letters = Letters(letter_to(recipient))
            transport.deliver(letters)
            outcomes += letters.outcomes
        transport.close()
    assert outcomes == {DEFERRED: 4, REFUSED_US: 6}


def test_a_mail_that_is_too_big_holds_up_no_other() -> None:
    script = {"MAIL": numbered(lambda number: "552 5.3.4 Too big" if number == 0 else YES)}
    with ScriptedServer(script, pipelining=True) as server:
        letters = send(server, OVER_DOMAINS)
    assert letters.outcomes == {ACCEPTED: 39, REJECTED: 1}
