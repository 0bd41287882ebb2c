"""How long personal data is kept: what has to go today by which rule, and when the next goes.

``list_due`` looks and writes nothing; ``retain`` erases what it would name. Both ask by the same conditions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, extract, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, sessionmaker

from campaign.models import (
    AuditEntry,
    ConfirmationAllowance,
    DailyCount,
    Delivery,
    DeliveryKind,
    DeliveryState,
    LinkRequest,
    Petition,
    PetitionState,
    Review,
    Signature,
    SignatureState,
    Subscription,
    SubscriptionState,
    Suspicion,
)
from campaign.services.auditing import record
from campaign.services.erasing import end_subscription, erase_names, erase_person, expire_pending, forget_suspicions
from campaign.services.lost_links import REQUESTS_KEPT
from campaign.services.own_page import ANSWERED
from campaign.services.signing import ALLOWANCE_KEPT

N_ = str  # marks a sentence for the translators; the page translates it
SCHEDULE = N_("schedule")

UPDATES_KEPT = timedelta(days=30)  # from the closing of the petition
NAMES_KEPT = timedelta(days=30)  # from the handing over of the list
NAMES_KEPT_MONTHS = 18  # from the day of signing, at most
AUDIT_KEPT = timedelta(days=90)
WAITING_KEPT = timedelta(days=30)  # from the day of signing, where a review is waited for
REASONS_KEPT = timedelta(days=30)  # from the review
MOMENTS_KEPT = timedelta(days=3)  # as long as a mail may come back and be looked for
BATCH = 1000


class Rule(StrEnum):
    """What goes, each after a time of its own."""

    PENDING = "signatures nobody confirmed in 72 hours"
    UPDATES = "addresses of readers"
    WAITING = "addresses of signatures that wait for a review"
    NAMES = "names of signers"
    REASONS = "reasons of finished reviews"
    MOMENTS = "times of day of mails to signers"
    AUDIT = "audit entries"
    REQUESTS = "requests for a lost link"
    ALLOWANCES = "counts of confirmation mails"


@dataclass(frozen=True)
class Due:
    """What one rule finds, under a petition or (None) on the whole server: how much goes now, when the next goes."""

    rule: Rule
    petition: str | None
    count: int
    next_on: date | None


def months_before(day: date, months: int) -> date:
    """The same day of the month so many months earlier; the last of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    last = (date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))


def _today(petition: Petition, now: datetime) -> date:
    return now.astimezone(ZoneInfo(petition.timezone)).date()


def names_due(petition: Petition, today: date) -> ColumnElement[bool]:
    """The signatures whose names go on ``today``; under a closed petition with that by which addresses are recognised.

    Under one that is open the latter stays, so that nobody is counted twice.
    """
    closed = petition.state is PetitionState.CLOSED
    kept = Signature.sealed_person.is_not(None) | Signature.country.is_not(None)
    old: list[ColumnElement[bool]] = [Signature.signed_on <= months_before(today, NAMES_KEPT_MONTHS)]
    handed = petition.handed_over_on
    if handed is not None and handed + NAMES_KEPT <= today:
        # Who signed after the list was handed over is in the next one.
        old.append(Signature.signed_on <= handed)
        if closed:
            old.append(Signature.signed_on.is_(None))
    return (
        (Signature.petition_id == petition.id)
        & Signature.state.in_(ANSWERED)
        & ((kept | Signature.fingerprint.is_not(None)) if closed else kept)
        & or_(*old)
    )


def find_names_end(session: Session, petition: Petition, today: date) -> date | None:
    """When names are next erased by schedule: after the hand-over, or 18 months after the first day of signing."""
    days = []
    if petition.handed_over_on is not None and petition.handed_over_on + NAMES_KEPT > today:
        days.append(petition.handed_over_on + NAMES_KEPT)
    first = session.scalar(
        select(func.min(DailyCount.day)).where(
            DailyCount.petition_id == petition.id,
            DailyCount.confirmed > 0,
            DailyCount.day > max(months_before(today, NAMES_KEPT_MONTHS), _handed(petition, today)),
        )
    )
    if first is not None:
        days.append(months_before(first, -NAMES_KEPT_MONTHS))
    return min(days, default=None)


def _handed(petition: Petition, today: date) -> date:
    """The day up to which names are gone since the list was handed over."""
    handed = petition.handed_over_on
    return handed if handed is not None and handed + NAMES_KEPT <= today else date.min


def find_updates_end(petition: Petition, today: date) -> date | None:
    """When readers' addresses are erased, where that day is to come."""
    closed = petition.closed_on
    return closed + UPDATES_KEPT if closed is not None and closed + UPDATES_KEPT > today else None


def _readers_due(petition: Petition, today: date) -> ColumnElement[bool] | None:
    if petition.closed_on is None or petition.closed_on + UPDATES_KEPT > today:
        return None
    return (Subscription.petition_id == petition.id) & (Subscription.state == SubscriptionState.ACTIVE)


def _waiting_due(now: datetime) -> ColumnElement[bool]:
    """Kept so that updates may begin once the signature is accepted; later than this they do not begin."""
    return (
        (Signature.state == SignatureState.QUARANTINED)
        & Signature.sealed_address.is_not(None)
        & (Signature.signed_on <= now.date() - WAITING_KEPT)
    )


def _reasons_due(now: datetime) -> ColumnElement[bool]:
    finished = (
        select(Signature.id)
        .join(Review, Review.id == Signature.review_id)
        .where(
            Signature.state.in_((SignatureState.CONFIRMED, SignatureState.INVALIDATED)), Review.at <= now - REASONS_KEPT
        )
    )
    return Suspicion.signature_id.in_(finished)


def _moments_due(now: datetime) -> ColumnElement[bool]:
    """Mails about one signature that have ended, and of which more than the day is kept."""
    return (
        Delivery.edition_id.is_(None)
        & Delivery.kind.in_((DeliveryKind.CONFIRMATION, DeliveryKind.LINK))
        & Delivery.state.in_((DeliveryState.ACCEPTED, DeliveryState.REJECTED, DeliveryState.SUPPRESSED))
        & (Delivery.queued_at <= now - MOMENTS_KEPT)
        & (extract("epoch", Delivery.queued_at) % 86400 != 43200)
    )


# Rules that are no petition's: the moment from which the time is counted, and how long it is.
_BY_AGE: dict[Rule, tuple[InstrumentedAttribute[datetime], timedelta]] = {
    Rule.AUDIT: (AuditEntry.at, AUDIT_KEPT),
    Rule.REQUESTS: (LinkRequest.asked_at, REQUESTS_KEPT),
    Rule.ALLOWANCES: (ConfirmationAllowance.last_at, ALLOWANCE_KEPT),
}


def list_due(session: Session, *, now: datetime) -> list[Due]:
    """What every rule finds now. Writes nothing."""

    def count(what: Any, found: ColumnElement[bool] | None) -> int:
        return 0 if found is None else session.scalars(select(func.count(what)).where(found)).one()

    pending = Signature.state == SignatureState.PENDING
    next_pending = session.scalar(select(func.min(Signature.expires_at)).where(pending, Signature.expires_at > now))
    due = [Due(Rule.PENDING, None, count(Signature.id, pending & (Signature.expires_at <= now)), _day(next_pending))]
    for petition in session.scalars(select(Petition).order_by(Petition.slug)).all():
        today = _today(petition, now)
        readers = count(Subscription.id, _readers_due(petition, today))
        due.append(Due(Rule.UPDATES, petition.slug, readers, find_updates_end(petition, today)))
        names = count(Signature.id, names_due(petition, today))
        due.append(Due(Rule.NAMES, petition.slug, names, find_names_end(session, petition, today)))
    due.append(Due(Rule.WAITING, None, count(Signature.id, _waiting_due(now)), None))
    due.append(Due(Rule.REASONS, None, count(Suspicion.signature_id, _reasons_due(now)), None))
    due.append(Due(Rule.MOMENTS, None, count(Delivery.id, _moments_due(now)), None))
    for rule, (moment, kept) in _BY_AGE.items():
        oldest = session.scalar(select(func.min(moment)).where(moment > now - kept))
        due.append(Due(rule, None, count(moment, moment <= now - kept), _day(oldest + kept if oldest else None)))
    return due


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment is not None else None


def retain(sessions: sessionmaker[Session], *, now: datetime) -> None:
    """Erase all that has to go now, a batch at a time, each in a transaction of its own. Repeatable."""
    with sessions.begin() as session:
        expire_pending(session, now=now)
        for moment, kept in _BY_AGE.values():
            session.execute(delete(moment.class_).where(moment <= now - kept))
        session.execute(
            update(Signature)
            .where(_waiting_due(now))
            .values(sealed_address=None, wants_updates=False)
            .execution_options(synchronize_session=False)
        )
        reviewed = session.scalars(select(Suspicion.signature_id).where(_reasons_due(now)).distinct()).all()
        forget_suspicions(session, reviewed)
        petitions = session.scalars(select(Petition.id).order_by(Petition.id)).all()
    _until_none(sessions, lambda session: _round_moments(session, now))
    for petition_id in petitions:
        for act, done in ((_end_updates, "updates ended by schedule"), (_erase_names, "names erased by schedule")):
            _repeat(sessions, petition_id, act, done, now)


def _repeat(
    sessions: sessionmaker[Session],
    petition_id: int,
    act: Callable[[Session, Petition, datetime], int],
    done: str,
    now: datetime,
) -> None:
    total = _until_none(sessions, lambda session: act(session, session.get_one(Petition, petition_id), now))
    if total:
        with sessions.begin() as session:
            record(session, SCHEDULE, done, petition_id, now=now, erased=total)


def _until_none(sessions: sessionmaker[Session], act: Callable[[Session], int]) -> int:
    total = 0
    while True:
        with sessions.begin() as session:
            done = act(session)
        total += done
        if done < BATCH:
            return total


def _end_updates(session: Session, petition: Petition, now: datetime) -> int:
    found = _readers_due(petition, _today(petition, now))
    if found is None:
        return 0
    ending = session.scalars(select(Subscription).where(found).order_by(Subscription.id).limit(BATCH).with_for_update())
    subscriptions = ending.all()
    for subscription in subscriptions:
        end_subscription(session, subscription, now=now)
    return len(subscriptions)


def _erase_names(session: Session, petition: Petition, now: datetime) -> int:
    found = names_due(petition, _today(petition, now))
    ids: Sequence[int] = session.scalars(
        select(Signature.id).where(found).order_by(Signature.id).limit(BATCH).with_for_update()
    ).all()
    erase = erase_person if petition.state is PetitionState.CLOSED else erase_names
    erase(session, ids, now=now)
    return len(ids)


def _round_moments(session: Session, now: datetime) -> int:
    found = select(Delivery.id, Delivery.queued_at).where(_moments_due(now)).order_by(Delivery.id).limit(BATCH)
    rows = session.execute(found.with_for_update()).all()
    by_day: dict[date, list[int]] = {}
    for row_id, queued_at in rows:
        by_day.setdefault(queued_at.astimezone(UTC).date(), []).append(row_id)
    for day, ids in by_day.items():
        noon = datetime.combine(day, time(12), UTC)
        session.execute(
            update(Delivery)
            .where(Delivery.id.in_(ids))
            .values(queued_at=noon, due_at=noon, first_deferred_at=None)
            .execution_options(synchronize_session=False)
        )
    return len(rows)
