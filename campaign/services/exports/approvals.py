"""Requests for lists that a second organizer has to approve: they are made, approved or refused, and used once."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from campaign.errors import Forbidden, NotFound, NotPossible
from campaign.models import AuditAction, AuditDetails, ExportRequest, Petition, SignatureState
from campaign.periods import EXPORT_ANSWERED_WITHIN, EXPORT_REQUESTS_KEPT, EXPORT_TAKEN_WITHIN
from campaign.services.audit_log import record
from campaign.services.exports.lists import Wanted


def wanted_by(request: ExportRequest) -> Wanted:
    """The list of the request."""
    return Wanted(request.chosen, request.format, SignatureState(request.state) if request.state else None)


def ends_at(request: ExportRequest) -> datetime:
    """When the request ends if nobody answers it, or if the approved list is not taken."""
    if request.approved_at is not None:
        return request.approved_at + EXPORT_TAKEN_WITHIN
    return request.made_at + EXPORT_ANSWERED_WITHIN


def list_open_requests(session: Session, petition_id: int, *, now: datetime) -> list[ExportRequest]:
    """The requests that wait for an answer, or whose list was not taken yet; oldest first."""
    found = session.scalars(
        select(ExportRequest)
        .where(ExportRequest.petition_id == petition_id, ExportRequest.ended_at.is_(None))
        .order_by(ExportRequest.id)
    )
    return [request for request in found if now < ends_at(request)]


def ask_for_export(
    session: Session, petition: Petition, wanted: Wanted, *, reason: str, actor: str, now: datetime
) -> ExportRequest:
    """Ask the other organizers to approve a list. The same request of the same person is made only once."""
    # The lock holds for a double click too: requests for one petition are made one after the other.
    session.execute(select(Petition.id).where(Petition.id == petition.id).with_for_update(key_share=True))
    for request in list_open_requests(session, petition.id, now=now):
        if request.made_by == actor and wanted_by(request) == wanted:
            return request
    request = ExportRequest(
        petition_id=petition.id,
        made_by=actor,
        made_at=now,
        chosen=wanted.chosen,
        format=wanted.format,
        state=wanted.state.value if wanted.state else None,
        reason=reason,
    )
    session.add(request)
    details: AuditDetails = {**wanted.details, "reason": reason}
    record(session, actor, AuditAction.EXPORT_ASKED, petition.id, now=now, **details)
    session.flush()
    return request


def _get_open(session: Session, petition_id: int, number: int, now: datetime) -> ExportRequest:
    """The request, locked until the end of the transaction. Raises NotFound, NotPossible."""
    request = session.scalars(
        select(ExportRequest)
        .where(ExportRequest.id == number, ExportRequest.petition_id == petition_id)
        .with_for_update()
    ).one_or_none()
    if request is None:
        raise NotFound("There is no such request for a list.")
    if request.ended_at is not None or now >= ends_at(request):
        raise NotPossible("This list was taken or refused already, or the time for it has passed.")
    return request


def _record_answer(session: Session, request: ExportRequest, action: AuditAction, actor: str, now: datetime) -> None:
    details: AuditDetails = {**wanted_by(request).details, "reason": request.reason, "asked_by": request.made_by}
    record(session, actor, action, request.petition_id, now=now, **details)


def approve_export(session: Session, petition_id: int, number: int, *, actor: str, now: datetime) -> None:
    """Let the person who made the request take the list.

    Raises Forbidden if this is the person who approves it, NotFound, NotPossible.
    """
    request = _get_open(session, petition_id, number, now)
    if request.made_by == actor:
        raise Forbidden("You asked for this list, so another organizer has to approve it.")
    if request.approved_at is not None:
        raise NotPossible("This list is approved already.")
    request.approved_by, request.approved_at = actor, now
    _record_answer(session, request, AuditAction.EXPORT_APPROVED, actor, now)


def refuse_export(session: Session, petition_id: int, number: int, *, actor: str, now: datetime) -> None:
    """End a request, also an approved one. The person who made it may end it too. Raises NotFound, NotPossible."""
    request = _get_open(session, petition_id, number, now)
    request.ended_at = now
    _record_answer(session, request, AuditAction.EXPORT_REFUSED, actor, now)


def take_export(session: Session, petition_id: int, number: int, *, actor: str, now: datetime) -> ExportRequest:
    """Use an approved request up, before the first byte of the list is sent.

    Raises Forbidden if another person made the request, NotFound, NotPossible.
    """
    request = _get_open(session, petition_id, number, now)
    if request.made_by != actor:
        raise Forbidden("Another organizer asked for this list.")
    if request.approved_at is None:
        raise NotPossible("This list waits for another organizer's approval.")
    request.ended_at = now
    details: AuditDetails = {
        **wanted_by(request).details,
        "reason": request.reason,
        "approved_by": request.approved_by,
    }
    record(session, actor, AuditAction.EXPORTED, petition_id, now=now, **details)
    return request


def forget_old_requests(session: Session, *, now: datetime) -> None:
    """Delete requests that are as old as the oldest entries of the audit trail, which says the same."""
    session.execute(delete(ExportRequest).where(ExportRequest.made_at <= now - EXPORT_REQUESTS_KEPT))
