"""Complaints: how many of an edition's readers pressed “this is spam”, and what follows when they are many.

Large receivers want fewer than 0.1 % and refuse a sender's mail above 0.3 %; then nobody gets the digest.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.orm import Session

from campaign.mail.returned.reports import ReportKind
from campaign.models import AuditAction, Delivery, DeliveryKind, DeliveryState, Edition, Petition, Schedule
from campaign.periods import COMPLAINTS_PAUSE_AT, COMPLAINTS_WARN_AT
from campaign.services.audit_log import record
from campaign.services.digests.transitions import pause_for_complaints

N_ = str  # marks a sentence for the translators; the page translates it

ACTOR = N_("mail that came back")


@dataclass(frozen=True)
class Returned:
    """What came back for one edition, beside how many of its mails servers accepted."""

    edition: int | None
    accepted: int
    permanent: int
    temporary: int
    complaints: int

    @property
    def complaint_rate(self) -> float:
        """Complaints by accepted mails, 0 to 1."""
        return min(1.0, self.complaints / max(1, self.accepted))

    @property
    def is_high(self) -> bool:
        return self.complaint_rate >= COMPLAINTS_WARN_AT


def _count(session: Session, petition_id: int, edition_id: int | None = None) -> dict[int, Returned]:
    """By edition, newest first; each count reads an index of its own and no row."""
    mails = (Delivery.edition_id == Edition.id) & (Delivery.kind == DeliveryKind.DIGEST)

    def count(condition: ColumnElement[bool]) -> ScalarSelect[int]:
        return select(func.count()).where(mails, condition).correlate(Edition).scalar_subquery()

    def came(kind: ReportKind) -> ScalarSelect[int]:
        return count(Delivery.returned.is_not(None) & Delivery.returned.startswith(kind.value))

    counted = (
        select(
            Edition.id,
            Edition.number,
            count(Delivery.state == DeliveryState.ACCEPTED),
            came(ReportKind.PERMANENT),
            came(ReportKind.TEMPORARY),
            came(ReportKind.COMPLAINT),
        )
        .where(Edition.petition_id == petition_id, Edition.candidates > 0)
        .order_by(Edition.number.desc())
    )
    if edition_id is not None:
        counted = counted.where(Edition.id == edition_id)
    return {
        row_id: Returned(number, accepted, permanent, temporary, complaints)
        for row_id, number, accepted, permanent, temporary, complaints in session.execute(counted)
    }


def list_returned(session: Session, petition: Petition) -> list[Returned]:
    """What came back for each edition of the petition that has mails, newest first."""
    return list(_count(session, petition.id).values())


def complaint_rate(session: Session, edition: Edition) -> float:
    """Complaints about an edition by its accepted mails, 0 to 1."""
    counted = _count(session, edition.petition_id, edition.id).get(edition.id)
    return counted.complaint_rate if counted else 0.0


def weigh_complaints(session: Session, edition: Edition, *, now: datetime) -> None:
    """Warn organizers of an edition's complaints at 0.1 %, pause the petition's digest at 0.3 %: once for each edition.

    Pausing stops the schedule and every edition that is being sent. An organizer who resumes them has seen the reason,
    so the same edition does not pause them again: it keeps the moments, since the audit trail is erased after 90 days.
    """
    if edition.complaints_paused_at is not None:
        return
    counted = _count(session, edition.petition_id, edition.id)[edition.id]
    if counted.complaint_rate >= COMPLAINTS_PAUSE_AT:
        edition.complaints_paused_at = now
        _record(session, edition, AuditAction.DIGEST_PAUSED_BY_COMPLAINTS, counted, now)
        _pause(session, edition.petition_id)
    elif counted.complaint_rate >= COMPLAINTS_WARN_AT and edition.complaints_warned_at is None:
        edition.complaints_warned_at = now
        _record(session, edition, AuditAction.COMPLAINTS_WARNING, counted, now)


def _record(session: Session, edition: Edition, action: AuditAction, counted: Returned, now: datetime) -> None:
    record(
        session,
        ACTOR,
        action,
        edition.petition_id,
        now=now,
        edition=edition.number,
        complaints=counted.complaints,
        accepted=counted.accepted,
    )


def _pause(session: Session, petition_id: int) -> None:
    if schedule := session.get(Schedule, petition_id):
        schedule.paused = True
    pause_for_complaints(session, petition_id)
