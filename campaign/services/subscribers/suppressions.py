"""Suppression: addresses that this server never writes to again."""

from datetime import datetime

from sqlalchemy.orm import Session

from campaign.db import upsert
from campaign.models import Suppression, SuppressionReason


def suppress(session: Session, fingerprint: bytes, reason: SuppressionReason, *, now: datetime) -> None:
    """Send nothing to the address any more. The first reason is the one that is kept."""
    # Two bounces of one address may be read at the same time.
    session.execute(
        upsert(session, Suppression)
        .values(fingerprint=fingerprint, reason=reason, since_on=now.date())
        .on_conflict_do_nothing()
    )


def find_suppression(session: Session, fingerprint: bytes) -> Suppression | None:
    """Why nothing may be sent to the address, or None where it may."""
    return session.get(Suppression, fingerprint)
