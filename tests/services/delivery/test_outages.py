"""What a review found in mailing: no mail holds up another, our own outages end none, a dead worker's are settled."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from campaign.installation.wiring import Installation
from campaign.mail.smtp.transport import Answer, Later, Mails, Outcome
from campaign.models import Delivery, DeliveryKind, DeliveryState, Subscription
from campaign.periods import FIRST_RETRY
from campaign.services.delivery.claims import Batch
from campaign.services.delivery.ledger import settle_old_claims
from campaign.services.signatures.mail_turns import forget_old_allowances
from tests.conftest import START, Clock, MakeInstallation
from tests.scenes.people import (
    add_readers,
    get_signature,
    get_subscription,
    list_deliveries,
    make_digest,
    send,
    sign,
)
from tests.servers.scripted_smtp import DOT, GREETING, ScriptedServer
from tests.servers.smtp import Mailbox

CONFIRMATIONS, DIGESTS = Batch(DeliveryKind.CONFIRMATION), Batch(DeliveryKind.DIGEST)
Q, SENDING, ACCEPTED, DEFERRED, REJECTED, _, IN_DOUBT = DeliveryState
HOUR = timedelta(hours=1)


class BreakingOff:
    """A server that goes away whenever it is given a mail for one recipient."""

    def __init__(self, recipient: str) -> None:
        self.broken_off_for = recipient
        self.tried: list[str] = []

    def deliver(self, mails: Mails) -> None:
        while (given := mails.next()) is not None:
            assert not isinstance(given, Later)
            number, message = given
            self.tried.append(message.recipient)
            mails.start([number])
            broken = message.recipient == self.broken_off_for
            mails.end(number, Answer(Outcome.BROKEN_OFF, "it went away") if broken else Answer(Outcome.ACCEPTED))
            if broken:
                return

    def close(self) -> None:
        """There is nothing to close."""


def get_delivery(installation: Installation, delivery_id: int) -> Delivery:
    return next(item for item in list_deliveries(installation) if item.id == delivery_id)


def get_digest(installation: Installation, email: str) -> Delivery:
    """The only digest to the reader."""
    reader = get_subscription(installation, email).id
    (found,) = (item for item in list_deliveries(installation) if item.subscription_id == reader)
    return found


def get_confirmation(installation: Installation, email: str) -> Delivery:
    signature = get_signature(installation, email).id
    (found,) = (item for item in list_deliveries(installation) if item.signature_id == signature)
    return found


def test_a_mail_at_which_the_server_goes_away_lets_the_others_go_first(
    make_installation: MakeInstallation, clock: Clock
) -> None:
    server = BreakingOff("first@example.org")
    installation = make_installation(open_transport=lambda: server)
    for email in ("first@example.org", "second@example.org", "third@example.org"):
        sign(installation, email)
    assert send(installation, CONFIRMATIONS) == {Q: 1}
    assert send(installation, CONFIRMATIONS) == {ACCEPTED: 2}
    assert send(installation, CONFIRMATIONS) == {}
    assert server.tried == ["first@example.org", "second@example.org", "third@example.org"]
    left = get_confirmation(installation, "first@example.org")
    assert (left.state, left.attempts, left.due_at) == (Q, 0, START + FIRST_RETRY)
    assert (left.first_deferred_at, left.claimed_by, left.claimed_at) == (None, None, None)
    clock.turn(FIRST_RETRY)
    server.broken_off_for = ""
    assert send(installation, CONFIRMATIONS) == {ACCEPTED: 1}


def test_a_mail_that_cannot_be_written_holds_up_no_other_and_is_never_rejected(
    make_installation: MakeInstallation, clock: Clock
) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        add_readers(installation, "a@example.org", "b@example.org", "c@example.org")
        make_digest(installation)
        first = next(item for item in list_deliveries(installation) if item.kind is DeliveryKind.DIGEST)
        with installation.database.sessions.begin() as session:
            broken = session.get_one(Subscription, first.subscription_id)
            assert broken.sealed_address is not None
            whole, broken.sealed_address = broken.sealed_address, broken.sealed_address[:-1]
        assert send(installation, DIGESTS) == {DEFERRED: 1, ACCEPTED: 2}
        assert len(mailbox.messages) == 2
        for hours in (80, 80):
            clock.turn(hours * HOUR)
            assert send(installation, DIGESTS) == {DEFERRED: 1}
        kept = get_delivery(installation, first.id)
        assert (kept.state, kept.first_deferred_at) == (DEFERRED, None)
        assert kept.due_at > clock()
        # Once what was ours is put right, the mail goes out.
        with installation.database.sessions.begin() as session:
            session.get_one(Subscription, first.subscription_id).sealed_address = whole
        clock.moment = kept.due_at
        assert send(installation, DIGESTS) == {ACCEPTED: 1}


def test_our_own_outage_ends_no_mail(make_installation: MakeInstallation, clock: Clock) -> None:
    """The 72 hours begin when the recipient's server first said “later”."""
    with ScriptedServer({GREETING: "554 5.3.2 Not now"}) as server:
        installation = make_installation(smtp_url=server.url)
        add_readers(installation, "a@example.org")
        make_digest(installation)
        assert send(installation, DIGESTS) == {Q: 1}
        clock.turn(73 * HOUR)
        server.answers = {"RCPT": "450 4.2.1 Later"}
        first_later = clock()
        for hours, state in ((0, DEFERRED), (71, DEFERRED), (72, REJECTED)):
            clock.moment = first_later + hours * HOUR
            assert send(installation, DIGESTS) == {state: 1}
            assert get_digest(installation, "a@example.org").first_deferred_at == first_later
    given_up = get_digest(installation, "a@example.org")
    assert (given_up.attempts, given_up.reason) == (3, "given up after 72 hours; recipient: 450 4.2.1")


def test_a_worker_s_name_is_held_by_one_connection_of_the_database_server(installation: Installation) -> None:
    """A SQLite file is on one machine, where a lock beside it does the same."""
    hold = installation.database.hold_name
    shared = installation.database.engine.dialect.name == "sqlite"
    with hold("worker one") as first:
        assert first
        for _ in range(2):
            with hold("worker one") as second:
                assert second is shared
        with hold("worker two") as other:
            assert other
    with hold("worker one") as after:
        assert after


def claim_as(installation: Installation, delivery: Delivery, claimed_at: datetime) -> None:
    """What a worker on a machine that is gone has left."""
    with installation.database.sessions.begin() as session:
        claimed = {"state": SENDING, "claimed_by": "gone/mails", "claimed_at": claimed_at}
        session.execute(update(Delivery).where(Delivery.id == delivery.id).values(claimed))


def test_what_another_worker_claimed_more_than_an_hour_ago_is_settled(installation: Installation, clock: Clock) -> None:
    add_readers(installation, "old@example.org", "young@example.org")
    make_digest(installation)
    sign(installation, "older@example.org")
    sign(installation, "younger@example.org")
    old = [get_digest(installation, "old@example.org"), get_confirmation(installation, "older@example.org")]
    young = [get_digest(installation, "young@example.org"), get_confirmation(installation, "younger@example.org")]
    for claims, minutes in ((old, 61), (young, 59)):
        for item in claims:
            claim_as(installation, item, clock() - timedelta(minutes=minutes))
    with installation.database.sessions.begin() as session:
        assert settle_old_claims(session, now=clock()) == {IN_DOUBT: 1, Q: 1}
    settled = [get_delivery(installation, item.id) for item in old]
    assert [(item.state, item.claimed_by, item.claimed_at) for item in settled] == [
        (IN_DOUBT, None, None),
        (Q, None, None),
    ]
    left = [get_delivery(installation, item.id) for item in young]
    assert {(item.state, item.claimed_by) for item in left} == {(SENDING, "gone/mails")}


def test_after_thirty_days_an_address_that_never_answered_gets_a_mail_again(
    installation: Installation, clock: Clock
) -> None:
    found = []
    for hours in (0, 24, 48, 48 + 30 * 24 - 1, 48 + 30 * 24):
        clock.moment = START + hours * HOUR
        with installation.database.sessions.begin() as session:
            forget_old_allowances(session, now=clock())
        sign(installation, "victim@example.org")
        send(installation, CONFIRMATIONS)
        found.append(sum(item.state is ACCEPTED for item in list_deliveries(installation)))
    assert found == [1, 2, 3, 3, 4]


REFUSALS_OF_US = {
    "RCPT": [
        "504 5.5.2 <node1>: Helo command rejected: need fully-qualified hostname",
        "553 5.7.1 Sender address rejected: not owned by user",
        "554 5.7.1 Relay access denied",
        "451 4.1.8 Domain of sender address does not resolve",
    ],
    DOT: ["550 5.4.5 Daily user sending limit exceeded"],
}


@pytest.mark.parametrize(("point", "says"), [(point, says) for point, all_ in REFUSALS_OF_US.items() for says in all_])
def test_a_refusal_that_is_about_us_costs_no_reader_and_no_signer_anything(
    point: str, says: str, make_installation: MakeInstallation, clock: Clock
) -> None:
    with ScriptedServer({point: says}) as server:
        installation = make_installation(smtp_url=server.url)
        add_readers(installation, *(f"reader{number}@example.org" for number in range(8)))
        make_digest(installation)
        sign(installation, "signer@example.org")
        for _ in range(5):
            assert set(send(installation, DIGESTS)) == {Q}
            assert send(installation, CONFIRMATIONS)[Q] == 1
            clock.turn(HOUR)
        waiting = list_deliveries(installation)[-9:]
        assert {(item.state, item.attempts, item.first_deferred_at) for item in waiting} == {(Q, 0, None)}
        assert any(item.reason and says[:3] in item.reason for item in waiting)
        server.answers.clear()
        assert send(installation, DIGESTS) == {ACCEPTED: 8}
        assert send(installation, CONFIRMATIONS) == {ACCEPTED: 1}


def test_a_mail_that_the_server_alone_refuses_for_our_sake_holds_up_no_other(
    make_installation: MakeInstallation, clock: Clock
) -> None:
    """A signer can choose the server of their address, and with it the words that a relay passes on."""
    with Mailbox(answer_to_rcpt={"trap@example.org": "553 5.7.1 Sender address rejected"}.get) as mailbox:
        installation = make_installation(smtp_url=mailbox.url, smtp_connections=1)
        for email in ("trap@example.org", "second@example.org", "third@example.org"):
            sign(installation, email)
        assert send(installation, CONFIRMATIONS) == {DEFERRED: 1, ACCEPTED: 2}
        clock.turn(FIRST_RETRY)
        sign(installation, "fourth@example.org")
        # The trap is the last of this run, so nothing shows whether the server still takes others.
        assert send(installation, CONFIRMATIONS) == {Q: 1, ACCEPTED: 1}
        sign(installation, "fifth@example.org")
        assert send(installation, CONFIRMATIONS)[ACCEPTED] == 1
