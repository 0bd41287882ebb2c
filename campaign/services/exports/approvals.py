"""Lists for which a second organizer has to agree: asked for, approved or refused, and then taken once."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from campaign.errors import Forbidden, NotFound, NotPossible
from campaign.models import ExportRequest, Petition, SignatureState
from campaign.periods import EXPORT_ANSWERED_WITHIN, EXPORT_REQUESTS_KEPT, EXPORT_TAKEN_WITHIN
from campaign.services.audit_log import record
from campaign.services.exports.lists import Wanted


def wanted_by(request: ExportRequest) -> Wanted:
    """The list that was asked for."""
    return Wanted(request.chosen, request.format, SignatureState(request.state) if request.state else None)


def ends_at(request: ExportRequest) -> datetime:
    """When a request that nobody answers, or a list that nobody takes, is no longer there to be taken."""
    if request.approved_at is not None:
        return request.approved_at + EXPORT_TAKEN_WITHIN
    return request.made_at + EXPORT_ANSWERED_WITHIN


def list_open_requests(session: Session, petition_id: int, *, now: datetime) -> list[ExportRequest]:
    """The requests that wait for an answer or for being taken, oldest first."""
    found = session.scalars(
        select(ExportRequest)
        .where(ExportRequest.petition_id == petition_id, ExportRequest.ended_at.is_(None))
        .order_by(ExportRequest.id)
    )
    return [request for request in found if now < ends_at(request)]


def ask_for_export(
    session: Session, petition: Petition, wanted: Wanted, *, reason: str, actor: str, now: datetime
) -> ExportRequest:
    """Ask the other organizers for a list. What the same person has asked for already is not asked for twice."""
    # Nor by a double click: requests for one petition are made one after the other.
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
    record(session, actor, "export asked", petition.id, now=now, **wanted.details, reason=reason)
    session.flush()
    return request


def _get_open(session: Session, petition_id: int, number: int, now: datetime) -> ExportRequest:
    """Locked until the end of the transaction. Raises NotFound, NotPossible."""
    request = session.scalars(
        select(ExportRequest)
        .where(ExportRequest.id == number, ExportRequest.petition_id == petition_id)
        .with_for_update()
    ).one_or_none()
    if request is None:
        raise NotFound("Nobody has asked for this list.")
    if request.ended_at is not None or now >= ends_at(request):
        raise NotPossible("This list was taken or refused already, or it is too late for it.")
    return request


def _record_answer(session: Session, request: ExportRequest, action: str, actor: str, now: datetime) -> None:
    details = {**wanted_by(request).details, "reason": request.reason, "asked_by": request.made_by}
    record(session, actor, action, request.petition_id, now=now, **details)


def approve_export(session: Session, petition_id: int, number: int, *, actor: str, now: datetime) -> None:
    """Let the person who asked take the list. Raises Forbidden for that person, NotFound, NotPossible."""
    request = _get_open(session, petition_id, number, now)
    if request.made_by == actor:
        raise Forbidden("You asked for this list; another organizer has to approve it.")
    if request.approved_at is not None:
        raise NotPossible("This list is approved already.")
    request.approved_by, request.approved_at = actor, now
    _record_answer(session, request, "export approved", actor, now)


def refuse_export(session: Session, petition_id: int, number: int, *, actor: str, now: datetime) -> None:
    """End a request, an approved one too; who asked may also take it back so. Raises NotFound, NotPossible."""
    request = _get_open(session, petition_id, number, now)
    request.ended_at = now
    _record_answer(session, request, "export refused", actor, now)


def take_export(session: Session, petition_id: int, number: int, *, actor: str, now: datetime) -> ExportRequest:
    """Use an approved request up, before the first byte of the list goes out.

    Raises Forbidden for anybody but the person who asked, NotFound, NotPossible.
    """
    request = _get_open(session, petition_id, number, now)
    if request.made_by != actor:
        raise Forbidden("Another organizer asked for this list.")
    if request.approved_at is None:
        raise NotPossible("This list waits for another organizer's approval.")
    request.ended_at = now
    details = {**wanted_by(request).details, "reason": request.reason, "approved_by": request.approved_by}
    record(session, actor, "export", petition_id, now=now, **details)
    return request


def forget_old_requests(session: Session, *, now: datetime) -> None:
    """Requests are kept as long as the audit trail, which tells the same."""
    session.execute(delete(ExportRequest).where(ExportRequest.made_at <= now - EXPORT_REQUESTS_KEPT))
