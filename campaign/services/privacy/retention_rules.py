"""How long personal data is kept: what each rule finds due now, and when the next data is due. Writes nothing."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, extract, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from campaign.models import (
    AuditEntry,
    ConfirmationAllowance,
    DailyCount,
    Delivery,
    DeliveryKind,
    DeliveryState,
    LinkRequest,
    Petition,
    Review,
    Signature,
    SignatureState,
    Subscription,
    SubscriptionState,
    Suspicion,
)
from campaign.periods import (
    ALLOWANCE_KEPT,
    AUDIT_KEPT,
    LINK_REQUESTS_KEPT,
    MAIL_TIMES_KEPT,
    NAMES_KEPT,
    NAMES_KEPT_MONTHS,
    REVIEW_ADDRESSES_KEPT,
    REVIEW_REASONS_KEPT,
    UPDATES_KEPT,
)
from campaign.services.petitions.lifecycle import today_in


class Rule(StrEnum):
    """The kinds of data that are erased, each after its own time."""

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
    """What a rule finds, under a petition or (None) on the whole server: how many rows are due, and the next day."""

    rule: Rule
    petition: str | None
    count: int
    next_on: date | None


def months_before(day: date, months: int) -> date:
    """The same day of the month, so many months earlier; in a shorter month its last day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    last = (date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))


def names_due(petition: Petition, today: date) -> ColumnElement[bool]:
    """The condition for signatures whose names are due ``today``; if the petition is closed, their fingerprints too.

    While it is open the fingerprints stay, so that nobody is counted twice.
    """
    closed = petition.state.is_over
    kept = Signature.sealed_person.is_not(None) | Signature.country.is_not(None)
    old: list[ColumnElement[bool]] = [Signature.signed_on <= months_before(today, NAMES_KEPT_MONTHS)]
    handed = petition.handed_over_on
    if handed is not None and handed + NAMES_KEPT <= today:
        # People who signed after the list was handed over are in the next list.
        old.append(Signature.signed_on <= handed)
        if closed:
            old.append(Signature.signed_on.is_(None))
    return (
        (Signature.petition_id == petition.id)
        & Signature.state.in_(SignatureState.answered())
        & ((kept | Signature.fingerprint.is_not(None)) if closed else kept)
        & or_(*old)
    )


def find_names_end(session: Session, petition: Petition, today: date) -> date | None:
    """The day when names are erased next: after the hand-over, or 18 months after the first day of signing."""
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
    """The last day of signing whose names are erased because the list was handed over."""
    handed = petition.handed_over_on
    return handed if handed is not None and handed + NAMES_KEPT <= today else date.min


def find_updates_end(petition: Petition, today: date) -> date | None:
    """The day when readers' addresses are erased; None if no such day is to come."""
    closed = petition.closed_on
    return closed + UPDATES_KEPT if closed is not None and closed + UPDATES_KEPT > today else None


def readers_due(petition: Petition, today: date) -> ColumnElement[bool] | None:
    """The condition for readers whose addresses are due ``today``; None if none are."""
    if petition.closed_on is None or petition.closed_on + UPDATES_KEPT > today:
        return None
    return (Subscription.petition_id == petition.id) & (Subscription.state == SubscriptionState.ACTIVE)


def waiting_due(now: datetime) -> ColumnElement[bool]:
    """The condition for signatures that wait for a review so long that their addresses are due.

    The address was kept so that a subscription could start when the signature was accepted.
    """
    return (
        (Signature.state == SignatureState.QUARANTINED)
        & Signature.sealed_address.is_not(None)
        & (Signature.signed_on <= now.date() - REVIEW_ADDRESSES_KEPT)
    )


def reasons_due(now: datetime) -> ColumnElement[bool]:
    """The condition for suspicions that were decided about long ago."""
    finished = (
        select(Signature.id)
        .join(Review, Review.id == Signature.review_id)
        .where(
            Signature.state.in_((SignatureState.CONFIRMED, SignatureState.INVALIDATED)),
            Review.at <= now - REVIEW_REASONS_KEPT,
        )
    )
    return Suspicion.signature_id.in_(finished)


def moments_due(now: datetime) -> ColumnElement[bool]:
    """The condition for finished mails about one signature of which the time of day is still kept."""
    return (
        Delivery.edition_id.is_(None)
        & Delivery.kind.in_((DeliveryKind.CONFIRMATION, DeliveryKind.LINK))
        & Delivery.state.in_((DeliveryState.ACCEPTED, DeliveryState.REJECTED, DeliveryState.SUPPRESSED))
        & (Delivery.queued_at <= now - MAIL_TIMES_KEPT)
        & (extract("epoch", Delivery.queued_at) % 86400 != 43200)
    )


# Rules for the whole server: the column from which the time is counted, and how long the data is kept.
BY_AGE: dict[Rule, tuple[InstrumentedAttribute[datetime], timedelta]] = {
    Rule.AUDIT: (AuditEntry.at, AUDIT_KEPT),
    Rule.REQUESTS: (LinkRequest.asked_at, LINK_REQUESTS_KEPT),
    Rule.ALLOWANCES: (ConfirmationAllowance.last_at, ALLOWANCE_KEPT),
}


def list_due(session: Session, *, now: datetime) -> list[Due]:
    """What each rule finds now. Writes nothing."""

    def count(what: Any, found: ColumnElement[bool] | None) -> int:
        return 0 if found is None else session.scalars(select(func.count(what)).where(found)).one()

    pending = Signature.state == SignatureState.PENDING
    next_pending = session.scalar(select(func.min(Signature.expires_at)).where(pending, Signature.expires_at > now))
    due = [Due(Rule.PENDING, None, count(Signature.id, pending & (Signature.expires_at <= now)), _day(next_pending))]
    for petition in session.scalars(select(Petition).where(Petition.burned_on.is_(None)).order_by(Petition.slug)).all():
        today = today_in(petition, now)
        readers = count(Subscription.id, readers_due(petition, today))
        due.append(Due(Rule.UPDATES, petition.slug, readers, find_updates_end(petition, today)))
        names = count(Signature.id, names_due(petition, today))
        due.append(Due(Rule.NAMES, petition.slug, names, find_names_end(session, petition, today)))
    due.append(Due(Rule.WAITING, None, count(Signature.id, waiting_due(now)), None))
    due.append(Due(Rule.REASONS, None, count(Suspicion.signature_id, reasons_due(now)), None))
    due.append(Due(Rule.MOMENTS, None, count(Delivery.id, moments_due(now)), None))
    for rule, (moment, kept) in BY_AGE.items():
        oldest = session.scalar(select(func.min(moment)).where(moment > now - kept))
        due.append(Due(rule, None, count(moment, moment <= now - kept), _day(oldest + kept if oldest else None)))
    return due


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment is not None else None
