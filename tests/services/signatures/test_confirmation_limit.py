"""The mail bomber's limit: how often an address is asked to confirm. It delays what people need, and drops nothing."""

from datetime import timedelta

import pytest

from campaign.installation.wiring import Installation
from campaign.mail.smtp.transport import Answer, Outcome
from campaign.models import DeliveryState, SignatureState
from campaign.periods import CONFIRM_WITHIN, UNSENT_KEPT, WRONG_CODES
from campaign.run.supervisor import BUILT_IN
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.delivery.journal import Journal
from campaign.services.delivery.ledger import claim_all, settle_claims
from campaign.services.petitions.file_reader import read_petition_file
from campaign.services.petitions.lifecycle import open_petition
from campaign.services.petitions.store import get_petition, load_petition
from campaign.services.signatures.erase import expire_pending
from campaign.services.signatures.mail_turns import forget_old_allowances
from campaign.services.signatures.sign import send_again
from campaign.text.email_address import parse_email_address
from campaign.worker import CONFIRMATIONS
from tests.conftest import SLUG, START, Clock, MakeInstallation
from tests.scenes.people import (
    confirm,
    find_petition,
    get_signature,
    list_deliveries,
    send,
    sign,
    sign_within,
)
from tests.servers.scripted_smtp import ScriptedServer

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def load_another_petition(installation: Installation, slug: str = "another") -> str:
    with installation.database.sessions.begin() as session:
        file = read_petition_file(BUILT_IN).model_copy(update={"slug": slug})
        open_petition(
            session, load_petition(session, file, actor=COMMAND_LINE, now=START), actor=COMMAND_LINE, now=START
        )
    return slug


def send_due(installation: Installation, clock: Clock, *, until: timedelta) -> list[timedelta]:
    """Send what is due every ten minutes, as the worker does; when mails were accepted, counted from the start."""
    sent = []
    while clock() <= START + until:
        tally = send(installation, CONFIRMATIONS)
        sent += [clock() - START] * tally[DeliveryState.ACCEPTED]
        clock.turn(10 * MINUTE)
    return sent


def test_hundreds_of_posts_of_one_address_are_one_mail(sqlite_installation: Installation, clock: Clock) -> None:
    """A burst is one wish, also in the days after it, whether its mail was sent in between or not."""
    with sqlite_installation.database.sessions.begin() as session:
        for number in range(300):
            sign_within(session, sqlite_installation, "victim@example.org", comment=str(number))
    assert send(sqlite_installation, CONFIRMATIONS) == {DeliveryState.ACCEPTED: 1}
    clock.turn(9 * MINUTE)
    for _ in range(10):
        sign(sqlite_installation, "victim@example.org")
    assert send_due(sqlite_installation, clock, until=3 * DAY) == []


def test_posts_at_any_time_are_three_mails_in_a_month(sqlite_installation: Installation, clock: Clock) -> None:
    """After ten minutes the second, after a day the third; then none for thirty days."""
    sent = []
    for _ in range(2 * 31 * 24):
        sign(sqlite_installation, "victim@example.org")
        with sqlite_installation.database.sessions.begin() as session:
            expire_pending(session, now=clock())
            forget_old_allowances(session, now=clock())
        sent += [clock() - START] * send(sqlite_installation, CONFIRMATIONS)[DeliveryState.ACCEPTED]
        clock.turn(30 * MINUTE)
    assert sent == [timedelta(), 30 * MINUTE, DAY + 30 * MINUTE, 31 * DAY + 30 * MINUTE][: len(sent)]
    assert len(sent) >= 3


def test_the_limit_holds_over_all_petitions_together(installation: Installation, clock: Clock) -> None:
    slugs = [SLUG, *(load_another_petition(installation, name) for name in ("b", "c", "d"))]
    for slug in slugs:
        for _ in range(3):
            sign(installation, "victim@example.org", slug)
    assert send_due(installation, clock, until=3 * DAY) == [timedelta(), 10 * MINUTE, DAY + 10 * MINUTE]
    # What waits longer is still kept, and is mailed when its turn comes.
    clock.moment = START + 31 * DAY + 10 * MINUTE
    with installation.database.sessions.begin() as session:
        expire_pending(session, now=clock())
    assert send(installation, CONFIRMATIONS) == {DeliveryState.ACCEPTED: 1}
    signature = get_signature(installation, "victim@example.org", "d")
    assert (signature.state, signature.expires_at) == (SignatureState.PENDING, clock() + CONFIRM_WITHIN)


def test_a_second_petition_on_the_same_day_is_mailed(installation: Installation, clock: Clock) -> None:
    """At once after the first is confirmed, else ten minutes after the first mail."""
    another = load_another_petition(installation)
    for address in ("confirms@example.org", "waits@example.org"):
        sign(installation, address)
        sign(installation, address, another)
    assert send(installation, CONFIRMATIONS) == {DeliveryState.ACCEPTED: 2}
    clock.turn(MINUTE)
    confirm(installation, "confirms@example.org")
    assert send(installation, CONFIRMATIONS) == {DeliveryState.ACCEPTED: 1}
    confirm(installation, "confirms@example.org", another)
    clock.turn(9 * MINUTE)
    assert send(installation, CONFIRMATIONS) == {DeliveryState.ACCEPTED: 1}
    confirm(installation, "waits@example.org", another)


def test_each_answer_releases_the_next_mail(installation: Installation) -> None:
    """One mail for each answer: whoever confirms one is not flooded with what a stranger may have posted."""
    slugs = [SLUG, *(load_another_petition(installation, name) for name in ("b", "c", "d", "e"))]
    for slug in slugs:
        sign(installation, "aigerim@example.org", slug)
    for slug in slugs:
        assert send(installation, CONFIRMATIONS) == {DeliveryState.ACCEPTED: 1}
        confirm(installation, "aigerim@example.org", slug)
    assert send(installation, CONFIRMATIONS) == {}


def test_whoever_confirms_may_sign_the_next_petition_at_once(installation: Installation) -> None:
    another = load_another_petition(installation)
    sign(installation, "aigerim@example.org")
    confirm(installation, "aigerim@example.org")
    sign(installation, "aigerim@example.org", another)
    assert [delivery.petition_id for delivery in list_deliveries(installation) if delivery.due_at <= START] == [
        find_petition(installation).id,
        find_petition(installation, another).id,
    ]


def test_the_link_works_for_72_hours_from_when_its_mail_was_accepted(installation: Installation, clock: Clock) -> None:
    """Not from when it was queued: an outage of ours takes nothing from the signer's time."""
    sign(installation, "aigerim@example.org")
    clock.turn(71 * HOUR)
    with installation.database.sessions.begin() as session:
        assert expire_pending(session, now=clock()) == 0
    assert send(installation, CONFIRMATIONS) == {DeliveryState.ACCEPTED: 1}
    assert get_signature(installation, "aigerim@example.org").expires_at == clock() + 72 * HOUR
    clock.turn(72 * HOUR - MINUTE)
    confirm(installation, "aigerim@example.org")


def test_a_mail_that_waits_keeps_the_link_of_an_earlier_one(installation: Installation, clock: Clock) -> None:
    sign(installation, "aigerim@example.org")
    send(installation, CONFIRMATIONS)
    clock.turn(70 * HOUR)
    sign(installation, "aigerim@example.org")
    clock.turn(10 * HOUR)  # nobody sends
    with installation.database.sessions.begin() as session:
        assert expire_pending(session, now=clock()) == 0
    confirm(installation, "aigerim@example.org")


@pytest.mark.parametrize(("answer", "tally"), [("550 5.1.1 No such user", "rejected"), ("450 4.2.1 Later", "deferred")])
def test_a_mail_that_is_refused_starts_the_time_too_and_one_that_waits_does_not(
    make_installation: MakeInstallation, clock: Clock, answer: str, tally: str
) -> None:
    """Else what somebody typed would be kept for a month for an address that does not exist."""
    with ScriptedServer({"RCPT": answer}) as server:
        installation = make_installation(smtp_url=server.url)
        sign(installation, "aigerim@example.org")
        clock.turn(HOUR)
        assert send(installation, CONFIRMATIONS) == {DeliveryState(tally): 1}
    ends = get_signature(installation, "aigerim@example.org").expires_at
    assert ends == (clock() + CONFIRM_WITHIN if tally == "rejected" else START + UNSENT_KEPT)


def test_a_mail_whose_answer_is_found_in_the_journal_starts_the_time(installation: Installation, clock: Clock) -> None:
    sign(installation, "aigerim@example.org")
    (delivery,) = list_deliveries(installation)
    clock.turn(HOUR)
    with installation.database.sessions.begin() as session:
        claim_all(session, [delivery.id], "worker-1/mails", now=clock())
        journal = Journal(installation.settings.journals, "worker-1/mails")
        journal.begin()
        journal.start([(delivery.id,)])
        journal.end((delivery.id,), Answer(Outcome.ACCEPTED))
        journal.flush()
    with installation.database.sessions.begin() as session:
        settle_claims(session, "worker-1", installation.settings.journals, now=clock())
    journal.close()
    assert get_signature(installation, "aigerim@example.org").expires_at == clock() + CONFIRM_WITHIN


def test_asking_again_sends_the_same_mail_again(installation: Installation, clock: Clock) -> None:
    sign(installation, "aigerim@example.org")
    assert send_due(installation, clock, until=10 * MINUTE) == [timedelta()]
    for _ in range(3):
        ask_again(installation, "aigerim@example.org")
    assert send_due(installation, clock, until=HOUR) == [20 * MINUTE]
    ask_again(installation, "aigerim@example.org")
    assert send_due(installation, clock, until=3 * DAY) == [DAY + 20 * MINUTE]


def test_asking_again_mails_nothing_to_whom_has_signed_and_to_strangers(
    installation: Installation, clock: Clock
) -> None:
    sign(installation, "aigerim@example.org")
    confirm(installation, "aigerim@example.org")
    clock.turn(DAY)
    before = len(list_deliveries(installation))
    for address in ("aigerim@example.org", "stranger@example.org"):
        ask_again(installation, address)
    assert len(list_deliveries(installation)) == before


def test_a_mail_sent_again_makes_its_code_good_again(installation: Installation, clock: Clock) -> None:
    sign(installation, "aigerim@example.org")
    send(installation, CONFIRMATIONS)
    with installation.database.sessions.begin() as session:
        session.merge(get_signature(installation, "aigerim@example.org")).wrong_codes = WRONG_CODES
    clock.turn(HOUR)
    ask_again(installation, "aigerim@example.org")
    assert get_signature(installation, "aigerim@example.org").wrong_codes == 0


def ask_again(installation: Installation, email: str) -> None:
    """Press “send it again” behind the form."""
    with installation.database.sessions.begin() as session:
        fingerprint = installation.vault.fingerprint(parse_email_address(email))
        send_again(session, get_petition(session, SLUG).id, fingerprint, now=installation.now())
