"""Second factors besides passkeys: one-time passwords of an app, and recovery codes for an organizer who lost them."""

from datetime import datetime
from hashlib import sha256

from sqlalchemy.orm import Session

from campaign.crypto import base32
from campaign.crypto.randomness import random_bytes
from campaign.crypto.sealed_rows import app_row
from campaign.crypto.totp import find_step, new_secret
from campaign.crypto.vault import Vault
from campaign.errors import InvalidInput
from campaign.models import AuditAction, Organizer
from campaign.periods import RECOVERY_CODES
from campaign.services.organizers.account import record_change
from campaign.services.organizers.members import end_sessions
from campaign.services.organizers.sign_in import lock_account

# 120 random bits, so that a plain hash protects them (ASVS 5.0, 6.5.2): six groups of four characters.
_CODE_BYTES = 15


def has_app(organizer: Organizer) -> bool:
    """Whether an authenticator app was set up."""
    return organizer.sealed_totp is not None


def has_second_factor(organizer: Organizer) -> bool:
    """Whether the password alone does not sign in."""
    return has_app(organizer) or bool(organizer.passkeys)


def seal_new_secret(organizer_id: int, vault: Vault) -> bytes:
    """A secret for an app, as it will be kept. It counts from ``add_app`` on."""
    return vault.seal(new_secret(), row=app_row(organizer_id))


def open_secret(organizer_id: int, vault: Vault, sealed: bytes) -> bytes:
    """The secret of this organizer's app. Raises KeyringError where it is another's or none."""
    return vault.open(sealed, row=app_row(organizer_id))


def add_app(
    session: Session, organizer: Organizer, vault: Vault, sealed: bytes, typed: str, *, now: datetime
) -> list[str]:
    """Let the app with this secret count, once it has shown a code; every session ends.

    Returns new recovery codes if the organizer had no second factor before. Raises InvalidInput, KeyringError.
    """
    secret = open_secret(organizer.id, vault, sealed)
    step = find_step(secret, typed, now=now, after=None)
    if step is None:
        raise InvalidInput("code", "This is not what an app with this key shows.")
    is_first = not has_second_factor(organizer)
    # Sealed anew: the keys may have been rotated since the page was made.
    organizer.sealed_totp, organizer.totp_step = vault.seal(secret, row=app_row(organizer.id)), step
    end_sessions(organizer)
    record_change(session, organizer, AuditAction.APP_ADDED, now=now)
    return make_recovery_codes(organizer) if is_first else []


def use_app_code(session: Session, organizer_id: int, vault: Vault, typed: str, *, now: datetime) -> bool:
    """Whether the app shows this code; it is used up, and so are all before it."""
    organizer = lock_account(session, organizer_id)
    if organizer.sealed_totp is None:
        return False
    secret = open_secret(organizer.id, vault, organizer.sealed_totp)
    step = find_step(secret, typed, now=now, after=organizer.totp_step)
    if step is not None:
        organizer.totp_step = step
    return step is not None


def remove_app(session: Session, organizer: Organizer, *, now: datetime) -> None:
    """Remove the app; every session ends."""
    organizer.sealed_totp = organizer.totp_step = None
    end_recovery_codes(organizer)
    end_sessions(organizer)
    record_change(session, organizer, AuditAction.APP_REMOVED, now=now)


def make_recovery_codes(organizer: Organizer) -> list[str]:
    """Ten new codes, to be shown once; the codes before them end."""
    codes = [_random_code() for _ in range(RECOVERY_CODES)]
    organizer.recovery_codes = [_hashed(organizer, code) for code in codes]
    return codes


def renew_recovery_codes(session: Session, organizer: Organizer, *, now: datetime) -> list[str]:
    """Ten new codes if the organizer has a second factor, else none; every session ends."""
    end_sessions(organizer)
    if not has_second_factor(organizer):
        return []
    record_change(session, organizer, AuditAction.RECOVERY_CODES_MADE, now=now)
    return make_recovery_codes(organizer)


def use_recovery_code(session: Session, organizer_id: int, typed: str) -> bool:
    """Whether this is one of the codes that are left; it is used up."""
    organizer = lock_account(session, organizer_id)
    hashed = _hashed(organizer, typed)
    left = [kept for kept in organizer.recovery_codes if kept != hashed]
    is_one = len(left) < len(organizer.recovery_codes)
    organizer.recovery_codes = left
    return is_one


def end_recovery_codes(organizer: Organizer) -> None:
    """Erase the recovery codes of an organizer without a second factor: there is nothing to recover."""
    if not has_second_factor(organizer):
        organizer.recovery_codes = []


def _random_code() -> str:
    return base32.group(base32.encode(random_bytes(_CODE_BYTES)).lower(), 4)


def _hashed(organizer: Organizer, code: str) -> str:
    return sha256(f"{organizer.id}:{base32.normalize(code).lower()}".encode()).hexdigest()
