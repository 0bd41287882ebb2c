"""What organizers change in their own account: the password and the sessions. Each change is recorded for its owner."""

from datetime import datetime
from typing import Unpack

from sqlalchemy.orm import Session

from campaign.crypto.vault import Vault
from campaign.models import AuditAction, AuditDetails, Organizer
from campaign.services.audit_log import record
from campaign.services.organizers.members import end_sessions, get_welcomed, set_password
from campaign.services.organizers.sign_in import end_failures, lock_account


def choose_password(
    session: Session, vault: Vault, organizer_id: int, token: str, password_hash: str, *, now: datetime
) -> None:
    """Set the first password, behind the one-time link. Raises LinkUnknown, LinkExpired."""
    # Locked first: of two at the same time, the second finds the link used. An unknown id is refused as an old link is.
    session.get(Organizer, organizer_id, with_for_update=True)
    organizer = get_welcomed(session, vault, organizer_id, token, now=now)
    set_password(organizer, password_hash)
    record_change(session, organizer, AuditAction.PASSWORD_CHANGED, now=now)


def change_password(session: Session, organizer_id: int, password_hash: str, *, now: datetime) -> Organizer:
    """Set a new password for an organizer who has typed the old one; every session ends."""
    organizer = end_failures(session, organizer_id)
    set_password(organizer, password_hash)
    record_change(session, organizer, AuditAction.PASSWORD_CHANGED, now=now)
    return organizer


def keep_rehashed(session: Session, organizer_id: int, password_hash: str | None) -> None:
    """Store the same password under a hash of today's cost; sessions go on."""
    lock_account(session, organizer_id).password_hash = password_hash


def sign_out_everywhere(session: Session, organizer_id: int, *, now: datetime) -> None:
    """End every session of the organizer."""
    organizer = lock_account(session, organizer_id)
    end_sessions(organizer)
    record_change(session, organizer, AuditAction.SIGNED_OUT_EVERYWHERE, now=now)


def record_change(
    session: Session, organizer: Organizer, change: AuditAction, /, *, now: datetime, **details: Unpack[AuditDetails]
) -> None:
    """Record what its owner changed in an account."""
    record(session, organizer.email, change, None, organizer_id=organizer.id, now=now, **details)
