"""Retention: each kind of personal data goes on its day and not before, counts stay, and looking writes nothing."""

from collections.abc import Mapping
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from campaign.installation.wiring import Installation
from campaign.models import (
    AuditAction,
    AuditEntry,
    ConfirmationAllowance,
    Delivery,
    LinkRequest,
    Review,
    ReviewAction,
    Signature,
    SignatureState,
    Subscription,
    SubscriptionState,
    Suspicion,
    SuspicionKind,
)
from campaign.periods import CONFIRM_WITHIN, UNSENT_KEPT
from campaign.services.audit_log import COMMAND_LINE, record
from campaign.services.petitions.counts import count_confirmed
from campaign.services.petitions.lifecycle import close_petition, hand_over, open_petition
from campaign.services.petitions.store import get_petition
from campaign.services.privacy.retention import retain
from campaign.services.privacy.retention_rules import Rule, find_names_end, list_due, months_before
from campaign.services.signatures.link_requests import request_link
from campaign.text.email_address import parse_email_address
from campaign.worker import CONFIRMATIONS, work_once
from tests.conftest import SLUG, STAGE, Clock
from tests.scenes.people import (
    add_readers,
    confirm_all,
    find_petition,
    get_signature,
    get_signature_by_id,
    send,
    sign,
)
from tests.scenes.visiting import dump

READER = "reader@example.org"


def close(installation: Installation) -> None:
    with installation.database.sessions.begin() as session:
        close_petition(session, get_petition(session, SLUG), actor=STAGE, now=installation.now())


def hand(installation: Installation) -> None:
    with installation.database.sessions.begin() as session:
        hand_over(session, get_petition(session, SLUG), actor=STAGE, now=installation.now())


def due(installation: Installation) -> dict[Rule, tuple[int, date | None]]:
    """What each rule finds, where there is something."""
    with installation.database.snapshots() as session:
        return {item.rule: (item.count, item.next_on) for item in list_due(session, now=installation.now())}


def run(installation: Installation) -> None:
    retain(installation.database.sessions, now=installation.now())


def names(installation: Installation) -> int:
    with installation.database.snapshots() as session:
        return session.scalars(select(func.count()).where(Signature.sealed_person.is_not(None))).one()


def readers(installation: Installation) -> int:
    with installation.database.snapshots() as session:
        return session.scalars(select(func.count()).where(Subscription.state == SubscriptionState.ACTIVE)).one()


def entries(installation: Installation) -> list[tuple[str, Mapping[str, object]]]:
    with installation.database.snapshots() as session:
        found = select(AuditEntry).where(AuditEntry.actor != STAGE).order_by(AuditEntry.id)
        return [(item.action, item.details) for item in session.scalars(found)]


def test_readers_addresses_go_thirty_days_after_the_closing(installation: Installation, clock: Clock) -> None:
    add_readers(installation, READER)
    close(installation)
    closed = find_petition(installation).closed_on
    assert closed is not None
    assert due(installation)[Rule.UPDATES] == (0, closed + timedelta(days=30))
    clock.turn(timedelta(days=29))
    run(installation)
    assert readers(installation) == 1
    clock.turn(timedelta(days=1))
    assert due(installation)[Rule.UPDATES] == (1, None)
    run(installation)
    assert (readers(installation), names(installation)) == (0, 1)
    assert entries(installation) == [("updates ended by schedule", {"erased": 1})]
    run(installation)
    assert len(entries(installation)) == 1, "a second time there is nothing"


def test_a_petition_that_opens_again_keeps_its_readers(installation: Installation, clock: Clock) -> None:
    add_readers(installation, READER)
    close(installation)
    with installation.database.sessions.begin() as session:
        open_petition(session, get_petition(session, SLUG), actor=STAGE, now=installation.now())
    clock.turn(timedelta(days=31))
    run(installation)
    assert readers(installation) == 1


def test_names_go_thirty_days_after_the_hand_over_and_the_count_stays(installation: Installation, clock: Clock) -> None:
    add_readers(installation, READER, "second@example.org")
    row = get_signature(installation, READER).id
    hand(installation)
    clock.turn(timedelta(days=10))
    add_readers(installation, "later@example.org")
    close(installation)
    clock.turn(timedelta(days=19))
    run(installation)
    assert names(installation) == 3
    clock.turn(timedelta(days=1))
    assert due(installation)[Rule.NAMES][0] == 2
    run(installation)
    kept = get_signature_by_id(installation, row)
    assert (kept.sealed_person, kept.fingerprint, kept.country) == (None, None, None)
    assert (kept.state, kept.number) == (SignatureState.CONFIRMED, 1)
    assert names(installation) == 1, "who signed after the hand-over is in the next one"
    with installation.database.snapshots() as session:
        assert count_confirmed(session, kept.petition_id) == 3
    assert ("names erased by schedule", {"erased": 2}) in entries(installation)


def test_names_are_kept_for_eighteen_months_at_most(installation: Installation, clock: Clock) -> None:
    add_readers(installation, READER)
    signed = get_signature(installation, READER)
    assert signed.signed_on is not None
    last = months_before(signed.signed_on, -18)
    petition = find_petition(installation)
    with installation.database.snapshots() as session:
        assert find_names_end(session, petition, signed.signed_on) == last
    clock.turn(last - signed.signed_on - timedelta(days=1))
    run(installation)
    assert names(installation) == 1
    clock.turn(timedelta(days=1))
    run(installation)
    kept = get_signature_by_id(installation, signed.id)
    assert kept.sealed_person is None
    assert kept.fingerprint is not None, "while the petition is open, nobody is counted twice"
    sign(installation, READER)
    assert get_signature(installation, READER).state is SignatureState.CONFIRMED
    close(installation)
    run(installation)
    assert get_signature_by_id(installation, signed.id).fingerprint is None


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        (date(2026, 11, 25), 18, date(2025, 5, 25)),
        (date(2027, 8, 31), 18, date(2026, 2, 28)),
        (date(2026, 12, 31), -18, date(2028, 6, 30)),
        (date(2026, 1, 1), 12, date(2025, 1, 1)),
    ],
)
def test_months_are_counted_by_the_calendar(day: date, months: int, before: date) -> None:
    assert months_before(day, months) == before


def test_records_and_requests_go_by_their_age(installation: Installation, clock: Clock) -> None:
    add_readers(installation, READER)
    sign(installation, "pending@example.org")
    petition = find_petition(installation)
    with installation.database.sessions.begin() as session:
        record(session, COMMAND_LINE, AuditAction.EXPORTED, petition.id, now=installation.now())
        request_link(
            session, installation.vault, petition.id, parse_email_address(READER), "en", now=installation.now()
        )

    def left() -> list[int]:
        with installation.database.snapshots() as session:
            tables = (ConfirmationAllowance, LinkRequest, AuditEntry)
            return [session.scalars(select(func.count()).select_from(table)).one() for table in tables]

    assert left() == [1, 1, 1]
    assert due(installation)[Rule.PENDING] == (0, (installation.now() + UNSENT_KEPT).date())
    send(installation, CONFIRMATIONS)
    assert due(installation)[Rule.PENDING] == (0, (installation.now() + CONFIRM_WITHIN).date())
    clock.turn(timedelta(days=3))
    assert due(installation)[Rule.PENDING] == (1, None)
    clock.turn(timedelta(days=27))
    run(installation)
    assert left() == [0, 0, 1]
    clock.turn(timedelta(days=60))
    run(installation)
    assert left() == [0, 0, 0]


def test_reasons_go_a_month_after_the_review(installation: Installation, clock: Clock) -> None:
    add_readers(installation, READER, "second@example.org")
    petition = find_petition(installation)
    with installation.database.sessions.begin() as session:
        review = Review(
            petition_id=petition.id, at=installation.now(), actor="x", action=ReviewAction.ACCEPT, criteria={}, count=1
        )
        session.add(review)
        session.flush()
        for email, reviewed in ((READER, review.id), ("second@example.org", None)):
            signature = session.get_one(Signature, get_signature(installation, email).id)
            signature.review_id = reviewed
            session.add(
                Suspicion(signature_id=signature.id, kind=SuspicionKind.BURST, petition_id=petition.id, group="g")
            )
    clock.turn(timedelta(days=29))
    run(installation)
    assert due(installation)[Rule.REASONS] == (0, None)
    clock.turn(timedelta(days=1))
    assert due(installation)[Rule.REASONS] == (1, None)
    run(installation)
    with installation.database.snapshots() as session:
        left = session.scalars(select(Suspicion.signature_id)).all()
    assert left == [get_signature(installation, "second@example.org").id], "it was not looked at yet"


def test_the_address_of_one_that_waits_for_a_review_goes_after_a_month(
    installation: Installation, clock: Clock
) -> None:
    sign(installation, READER, updates=True)
    with installation.database.sessions.begin() as session:
        signature_id = get_signature(installation, READER).id
        kept = {"kind": SuspicionKind.BURST, "petition_id": find_petition(installation).id, "group": "g"}
        session.add(Suspicion(signature_id=signature_id, **kept))
    confirm_all(installation)
    clock.turn(timedelta(days=29))
    run(installation)
    assert get_signature(installation, READER).sealed_address is not None
    clock.turn(timedelta(days=1))
    assert due(installation)[Rule.WAITING] == (1, None)
    run(installation)
    left = get_signature(installation, READER)
    assert (left.state, left.sealed_address, left.wants_updates) == (SignatureState.QUARANTINED, None, False)


def test_of_a_mail_to_a_signer_the_day_alone_is_kept(installation: Installation, clock: Clock) -> None:
    clock.turn(timedelta(hours=3, minutes=21))
    add_readers(installation, READER)
    sent_on = installation.now().date()
    work_once(installation)
    clock.turn(timedelta(days=3))
    assert due(installation)[Rule.MOMENTS] == (1, None)
    for _ in range(2):
        run(installation)
        assert due(installation)[Rule.MOMENTS] == (0, None)
    with installation.database.snapshots() as session:
        (kept,) = session.scalars(select(Delivery.queued_at))
    assert (kept.date(), kept.hour, kept.minute, kept.second) == (sent_on, 12, 0, 0)


def test_a_dry_run_writes_nothing_whatever_is_due(installation: Installation, clock: Clock) -> None:
    add_readers(installation, READER)
    sign(installation, "pending@example.org")
    work_once(installation)
    hand(installation)
    close(installation)
    clock.turn(timedelta(days=100))
    before = dump(installation)
    found = due(installation)
    assert {rule for rule, (count, _) in found.items() if count} == {
        Rule.PENDING,
        Rule.UPDATES,
        Rule.NAMES,
        Rule.MOMENTS,
        Rule.AUDIT,  # that the list was handed over, and the petition closed
        Rule.ALLOWANCES,
    }
    assert dump(installation) == before


def test_the_worker_does_it(installation: Installation, clock: Clock) -> None:
    add_readers(installation, READER)
    hand(installation)
    close(installation)
    clock.turn(timedelta(days=30))
    work_once(installation)
    assert (names(installation), readers(installation)) == (0, 0)
