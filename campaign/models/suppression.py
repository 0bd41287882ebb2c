"""Addresses that get no mail from this server any more, known by fingerprint alone."""

from datetime import date
from enum import StrEnum

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from campaign.db import Base
from campaign.models.column_types import choice


class SuppressionReason(StrEnum):
    NOT_ME = "not me"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


class Suppression(Base):
    __tablename__ = "suppression"

    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    reason: Mapped[SuppressionReason] = mapped_column(choice(SuppressionReason))
    since_on: Mapped[date]
