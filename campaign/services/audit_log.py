"""The audit trail: who did what with people's data.

A service that does a thing records it, in the same transaction. The trail is for people: no rule reads it, because its
entries are erased after 90 days.
"""

from datetime import datetime
from typing import Unpack

from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.models import AuditAction, AuditDetails, AuditEntry

N_ = str  # marks a sentence for the translators; the page translates it

COMMAND_LINE = N_("command line")
WORKER = N_("worker")


def record(
    session: Session,
    actor: str,
    action: AuditAction,
    petition_id: int | None,
    *,
    now: datetime,
    organizer_id: int | None = None,
    **details: Unpack[AuditDetails],
) -> None:
    """Record that ``actor`` did ``action`` with a petition, an organizer's account, or the whole server.

    ``actor`` is an organizer's address, ``COMMAND_LINE``, ``WORKER``, or another word for the translators.
    """
    session.add(
        AuditEntry(
            at=now, actor=actor, action=action, petition_id=petition_id, organizer_id=organizer_id, details=details
        )
    )


def record_line(session: Session, actor: str, petition_id: int, *, sheet: int, now: datetime) -> None:
    """Record that ``actor`` entered a line of a paper sheet: one entry for each sheet, actor and day, which counts.

    An entry for each line would hide all other entries. Only the words of the trail depend on the entry that is there.
    """
    latest = session.scalars(
        select(AuditEntry)
        .where(
            AuditEntry.petition_id == petition_id,
            AuditEntry.action == AuditAction.PAPER_ENTERED,
            AuditEntry.actor == actor,
        )
        .order_by(AuditEntry.id.desc())
        .limit(20)
    )
    for entry in latest:
        if entry.details.get("sheet") == sheet and entry.at.date() == now.date():
            entry.details = {**entry.details, "lines": entry.details["lines"] + 1}
            return
    record(session, actor, AuditAction.PAPER_ENTERED, petition_id, now=now, sheet=sheet, lines=1)


def list_entries(session: Session, petition_id: int, *, most: int = 50) -> list[AuditEntry]:
    """The latest ``most`` entries about a petition, newest first."""
    return list(
        session.scalars(
            select(AuditEntry).where(AuditEntry.petition_id == petition_id).order_by(AuditEntry.id.desc()).limit(most)
        )
    )


def list_account_entries(session: Session, organizer_id: int, *, most: int = 30) -> list[AuditEntry]:
    """The latest ``most`` entries about an organizer's account, newest first."""
    mine = AuditEntry.organizer_id == organizer_id
    return list(session.scalars(select(AuditEntry).where(mine).order_by(AuditEntry.id.desc()).limit(most)))
