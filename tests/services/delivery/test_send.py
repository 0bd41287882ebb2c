"""Deliveries: each moves only along its table, waits longer after each refusal, and is one sender's at a time."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest

from campaign.installation.wiring import Installation
from campaign.models import Delivery, DeliveryKind, DeliveryState, Edition, EditionState
from campaign.models.delivery import TRANSITIONS
from campaign.periods import FIRST_RETRY, GIVE_UP_AFTER, LONGEST_RETRY, UNSENT_KEPT
from campaign.services.delivery.claims import Batch
from campaign.services.delivery.ledger import move, settle_claims
from campaign.services.digests.enqueue import list_chunks
from campaign.services.digests.transitions import finish_editions
from tests.conftest import START, Clock, MakeInstallation
from tests.scenes.deliveries import claim, digests
from tests.scenes.people import add_readers, list_deliveries, make_digest, send, sign
from tests.servers.smtp import Mailbox

DIGESTS = Batch(DeliveryKind.DIGEST)
CONFIRMATIONS = Batch(DeliveryKind.CONFIRMATION)
Q, SENDING, ACCEPTED, DEFERRED, REJECTED, SUPPRESSED, IN_DOUBT = DeliveryState
ANSWERS = {"deferred@example.org": "450 4.2.1 Later", "rejected@example.org": "550 5.1.1 Nobody"}


@pytest.mark.parametrize(("before", "after"), list(product(DeliveryState, DeliveryState)))
def test_a_delivery_moves_only_along_the_table(before: DeliveryState, after: DeliveryState) -> None:
    delivery = Delivery(state=before, claimed_by="worker", reason="old")
    if after in TRANSITIONS[before]:
        move(delivery, after, "new")
        assert (delivery.state, delivery.reason, delivery.claimed_by) == (after, "new", None)
    else:
        with pytest.raises(ValueError, match="does not go"):
            move(delivery, after, "new")
        assert (delivery.state, delivery.reason, delivery.claimed_by) == (before, "old", "worker")


def test_what_has_an_end_stays_at_it() -> None:
    assert [state for state in DeliveryState if not TRANSITIONS[state]] == [ACCEPTED, REJECTED, SUPPRESSED, IN_DOUBT]
    assert not any(DeliveryState.QUEUED in TRANSITIONS[state] for state in DeliveryState if state is not SENDING)


def test_a_deferred_mail_waits_longer_each_time_and_is_given_up_after_72_hours(
    make_sqlite_installation: MakeInstallation, clock: Clock
) -> None:
    with Mailbox(answer_to_rcpt=lambda _: "450 4.2.1 Later") as mailbox:
        installation = make_sqlite_installation(smtp_url=mailbox.url)
        add_readers(installation, "a@example.org")
        make_digest(installation)
        waits = []
        while True:
            send(installation, DIGESTS)
            (delivery,) = digests(installation)
            if delivery.state is not DEFERRED:
                break
            assert send(installation, DIGESTS) == {}
            waits.append(delivery.due_at - clock())
            clock.moment = delivery.due_at
    assert waits[:4] == [FIRST_RETRY, 2 * FIRST_RETRY, 4 * FIRST_RETRY, 8 * FIRST_RETRY]
    assert waits[-1] == LONGEST_RETRY == max(waits)
    assert GIVE_UP_AFTER <= clock() - START < GIVE_UP_AFTER + LONGEST_RETRY
    assert (delivery.state, delivery.attempts) == (REJECTED, len(waits) + 1)
    assert delivery.reason == "given up after 72 hours; recipient: 450 4.2.1"


def test_a_confirmation_is_not_sent_after_what_its_signer_typed_was_erased(
    make_sqlite_installation: MakeInstallation, clock: Clock
) -> None:
    with Mailbox() as mailbox:
        installation = make_sqlite_installation(smtp_url=mailbox.url)
        sign(installation, "a@example.org")
        clock.turn(UNSENT_KEPT)
        send(installation, CONFIRMATIONS)
    assert [(item.state, item.reason) for item in list_deliveries(installation)] == [
        (SUPPRESSED, "the signature has expired")
    ]
    assert mailbox.messages == []


def test_claims_are_settled_by_kind_and_only_of_the_dead_worker(installation: Installation) -> None:
    add_readers(installation, "a@example.org", "b@example.org", "c@example.org")
    make_digest(installation)
    sign(installation, "d@example.org")
    for claimant in ("worker-1", "worker-1/edition-1-1", "worker-10/mails"):
        claim(installation, claimant, lambda item: item.kind is DeliveryKind.DIGEST)
    claim(installation, "worker-1/mails", lambda item: item.kind is DeliveryKind.CONFIRMATION)
    with installation.database.sessions.begin() as session:
        assert settle_claims(session, "worker-1", installation.settings.journals, now=installation.now()) == {
            IN_DOUBT: 2,
            Q: 1,
        }
        assert settle_claims(session, "worker-1", installation.settings.journals, now=installation.now()) == {}
    left = [item.claimed_by for item in list_deliveries(installation) if item.state is SENDING]
    assert left == ["worker-10/mails"]


def test_senders_at_the_same_time_send_each_mail_once(make_installation: MakeInstallation) -> None:
    emails = [f"reader{number}@example.org" for number in range(40)]
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        add_readers(installation, *emails)
        make_digest(installation)

        with ThreadPoolExecutor(4) as threads:
            tallies = list(threads.map(lambda part: send(installation, DIGESTS, part=f"part-{part}"), range(4)))
    assert sum(tally[ACCEPTED] for tally in tallies) == 40
    assert sorted(message.recipients[0] for message in mailbox.messages) == sorted(emails)
    assert {item.attempts for item in digests(installation)} == {1}


def test_stopping_ends_after_the_mails_in_hand(make_sqlite_installation: MakeInstallation) -> None:
    """Of each connection the mail that is being given, and the one whose envelope went out with it."""
    with Mailbox() as mailbox:
        installation = make_sqlite_installation(smtp_url=mailbox.url, smtp_connections=1)
        add_readers(installation, *(f"reader{number}@example.org" for number in range(12)))
        make_digest(installation)
        tally = send(installation, DIGESTS, stopping=lambda: len(mailbox.messages) > 0)
        assert tally[ACCEPTED] == len(mailbox.messages)
        assert 1 <= tally[ACCEPTED] <= 3
    states = Counter(item.state for item in digests(installation))
    assert states == {ACCEPTED: tally[ACCEPTED], Q: 12 - tally[ACCEPTED]}


def test_chunks_hold_each_delivery_of_the_edition_once(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaign.services.digests.enqueue.CHUNK", 3)
    add_readers(installation, *(f"reader{number}@example.org" for number in range(8)))
    edition = make_digest(installation)
    with installation.database.snapshots() as session:
        chunks = list_chunks(session, edition)
    held = [id_ for first, last in chunks for id_ in range(first, last + 1)]
    assert held == [item.id for item in digests(installation)]
    assert [last - first + 1 for first, last in chunks] == [3, 3, 2]


def test_an_edition_is_sent_when_no_mail_of_it_waits(installation: Installation) -> None:
    add_readers(installation, "a@example.org", "b@example.org")
    edition = make_digest(installation)
    claim(installation, "dead/x", lambda item: item.kind is DeliveryKind.DIGEST)
    found = []
    for act in (lambda: None, lambda: send(installation, DIGESTS), lambda: settle(installation)):
        act()
        with installation.database.sessions.begin() as session:
            finish_editions(session, installation.dispatch.guard)
        with installation.database.snapshots() as session:
            found.append(session.get_one(Edition, edition.id).state)
    assert found == [EditionState.SENDING, EditionState.SENDING, EditionState.SENT]


def settle(installation: Installation) -> None:
    with installation.database.sessions.begin() as session:
        settle_claims(session, "dead", installation.settings.journals, now=installation.now())
