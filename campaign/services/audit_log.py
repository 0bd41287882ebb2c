"""The record of what was done with people's data."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.models import AuditEntry

N_ = str  # marks a sentence for the translators; the page translates it

COMMAND_LINE = N_("command line")
WORKER = N_("worker")


def record(
    session: Session,
    actor: str,
    action: str,
    petition_id: int | None,
    *,
    now: datetime,
    organizer_id: int | None = None,
    **details: Any,
) -> None:
    """Note that ``actor`` did ``action`` with a petition, an organizer's account, or the whole server.

    ``details`` are numbers and choices, never anything about a signer.
    """
    session.add(
        AuditEntry(
            at=now, actor=actor, action=action, petition_id=petition_id, organizer_id=organizer_id, details=details
        )
    )


def list_entries(session: Session, petition_id: int, *, most: int = 50) -> list[AuditEntry]:
    """The latest entries about a petition, newest first."""
    return list(
        session.scalars(
            select(AuditEntry).where(AuditEntry.petition_id == petition_id).order_by(AuditEntry.id.desc()).limit(most)
        )
    )


def list_account_entries(session: Session, organizer_id: int, *, most: int = 30) -> list[AuditEntry]:
    """The latest entries about an organizer's account, newest first."""
    mine = AuditEntry.organizer_id == organizer_id
    return list(session.scalars(select(AuditEntry).where(mine).order_by(AuditEntry.id.desc()).limit(most)))
