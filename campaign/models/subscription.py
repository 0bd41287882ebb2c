"""Subscriptions to a petition's digest, and addresses that are sent no mail any more."""

from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from campaign.db import Base, BigId
from campaign.models.column_types import choice


class SubscriptionState(StrEnum):
    """Whether the reader gets mails; a subscription that ended is never made active again."""

    ACTIVE = "active"
    ENDED = "ended"


class ReaderFrequency(StrEnum):
    """Which editions a reader wants: each one, one a month, or only those after a milestone."""

    EACH = "each"
    MONTHLY = "monthly"
    MILESTONES = "milestones"


class Subscription(Base):
    """One reader of one petition's digest. It exists only for a signer who asked for it and has confirmed.

    The reader may read it; so may organizers who export the list of subscribers. An ended subscription keeps its row,
    because the ledger refers to it, with nothing personal in it. ``merged``: the reader wants one mail for all
    petitions that they follow on this server. ``soft_bounces`` counts the temporary failures that were returned by
    mail.
    """

    __tablename__ = "subscription"
    __table_args__ = (
        UniqueConstraint("petition_id", "fingerprint"),
        Index("ix_subscription_petition_state", "petition_id", "state"),
        CheckConstraint(
            "(state = 'ended') = (sealed_address IS NULL AND fingerprint IS NULL)", name="address_only_while_active"
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"))
    state: Mapped[SubscriptionState] = mapped_column(choice(SubscriptionState), default=SubscriptionState.ACTIVE)
    language: Mapped[str] = mapped_column(String(20))
    fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    sealed_address: Mapped[bytes | None] = mapped_column(LargeBinary)
    since_on: Mapped[date]
    frequency: Mapped[ReaderFrequency] = mapped_column(choice(ReaderFrequency), default=ReaderFrequency.EACH)
    paused: Mapped[bool] = mapped_column(default=False)
    merged: Mapped[bool] = mapped_column(default=False)
    soft_bounces: Mapped[int] = mapped_column(SmallInteger, default=0)


class SuppressionReason(StrEnum):
    """Why an address is sent no mail: its owner said “it was not me”, mail bounced, or its owner complained of spam."""

    NOT_ME = "not me"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


class Suppression(Base):
    """An address that is sent no mail any more, as a keyed hash. Only the program reads it."""

    __tablename__ = "suppression"

    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    reason: Mapped[SuppressionReason] = mapped_column(choice(SuppressionReason))
    since_on: Mapped[date]
