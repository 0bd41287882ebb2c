"""Pausing a petition's digest as a whole, and resuming it: its schedule, and the editions that are under way."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from campaign.models import AuditAction, Edition, EditionState, Petition, Schedule
from campaign.services.audit_log import record
from campaign.services.digests.transitions import list_for_change, pause_edition, resume_edition


def pause_digest(session: Session, petition: Petition, *, actor: str, now: datetime) -> list[Edition]:
    """Make no edition by schedule until resumed, and pause those that are being sent or wait for their time.

    Returns the editions that were paused.
    """
    session.get_one(Schedule, petition.id).paused = True
    record(session, actor, AuditAction.DIGEST_PAUSED, petition.id, now=now)
    editions = list_for_change(session, petition.id, EditionState.SENDING, EditionState.SCHEDULED)
    for edition in editions:
        pause_edition(session, edition, actor, now)
    return editions


def resume_digest(
    session: Session, petition: Petition, enqueue: Callable[[Session, Edition], None], *, actor: str, now: datetime
) -> list[Edition]:
    """Make editions by schedule again, missed ones become one, and go on with those that were paused.

    ``enqueue`` has an edition sent by the worker if it was started. Returns the editions that were resumed.
    """
    session.get_one(Schedule, petition.id).paused = False
    record(session, actor, AuditAction.DIGEST_RESUMED, petition.id, now=now)
    editions = list_for_change(session, petition.id, EditionState.PAUSED)
    for edition in editions:
        resume_edition(session, edition, actor, now)
        enqueue(session, edition)
    return editions
