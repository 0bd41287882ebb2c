"""Suppression: addresses to which this server sends no mail any more."""

from datetime import datetime

from sqlalchemy.orm import Session

from campaign.db import upsert
from campaign.models import Suppression, SuppressionReason


def suppress(session: Session, fingerprint: bytes, reason: SuppressionReason, *, now: datetime) -> None:
    """Send nothing to the address any more. If it is suppressed already, the first reason stays."""
    # Two bounces of the same address may be read at the same time.
    session.execute(
        upsert(session, Suppression)
        .values(fingerprint=fingerprint, reason=reason, since_on=now.date())
        .on_conflict_do_nothing()
    )


def find_suppression(session: Session, fingerprint: bytes) -> Suppression | None:
    """The suppression of the address; None if mail may be sent to it."""
    return session.get(Suppression, fingerprint)
