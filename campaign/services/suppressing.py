"""Suppression: addresses that this server never writes to again."""

from datetime import datetime

from sqlalchemy.orm import Session

from campaign.models import Suppression, SuppressionReason


def suppress(session: Session, fingerprint: bytes, reason: SuppressionReason, *, now: datetime) -> None:
    """Send nothing to the address any more. The first reason is the one that is kept."""
    if session.get(Suppression, fingerprint) is None:
        session.add(Suppression(fingerprint=fingerprint, reason=reason, since_on=now.date()))


def find_suppression(session: Session, fingerprint: bytes) -> Suppression | None:
    """Why nothing may be sent to the address, or None where it may."""
    return session.get(Suppression, fingerprint)
