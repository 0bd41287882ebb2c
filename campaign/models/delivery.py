"""The ledger: one row for every mail, from the moment it is owed until its end is known."""

from datetime import datetime
from enum import StrEnum
from typing import Self

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from campaign.db import Base, BigId, UTCDateTime
from campaign.models.column_types import choice


class DeliveryKind(StrEnum):
    """``test`` is a digest that an organizer sends to themselves before it goes to the readers, ``link`` brings a
    signer the link to their own page that they asked for."""

    CONFIRMATION = "confirmation"
    DIGEST = "digest"
    TEST = "test"
    LINK = "link"


class DeliveryState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REJECTED = "rejected"
    SUPPRESSED = "suppressed"
    IN_DOUBT = "in_doubt"

    @classmethod
    def waiting(cls) -> tuple[Self, ...]:
        """The states of a mail that is still to be sent and that no sender has claimed."""
        return (cls.QUEUED, cls.DEFERRED)

    @property
    def is_waiting(self) -> bool:
        return self in self.waiting()


# From each state, the states that may follow it. A digest whose fate is unknown stays in doubt; a confirmation goes
# back to the queue, since getting it twice harms nobody and losing it loses a signature.
TRANSITIONS: dict[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.QUEUED: frozenset({DeliveryState.SENDING, DeliveryState.SUPPRESSED}),
    DeliveryState.DEFERRED: frozenset({DeliveryState.SENDING, DeliveryState.SUPPRESSED}),
    DeliveryState.SENDING: frozenset(
        {
            DeliveryState.QUEUED,
            DeliveryState.ACCEPTED,
            DeliveryState.DEFERRED,
            DeliveryState.REJECTED,
            DeliveryState.SUPPRESSED,
            DeliveryState.IN_DOUBT,
        }
    ),
    DeliveryState.ACCEPTED: frozenset(),
    DeliveryState.REJECTED: frozenset(),
    DeliveryState.SUPPRESSED: frozenset(),
    DeliveryState.IN_DOUBT: frozenset(),
}


class Delivery(Base):
    """One mail. It holds ids only: body, link and address are made when it is sent.

    ``first_deferred_at`` is when the recipient's server first said “later”; our own outages do not count.
    ``returned`` is what came back for a mail that had been accepted: a bounce's kind and status, or a complaint.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("edition_id", "subscription_id"),
        CheckConstraint(
            "(kind = 'confirmation' AND signature_id IS NOT NULL AND edition_id IS NULL AND subscription_id IS NULL)"
            " OR (kind = 'digest' AND signature_id IS NULL AND edition_id IS NOT NULL AND subscription_id IS NOT NULL)"
            " OR (kind = 'test' AND signature_id IS NULL AND subscription_id IS NULL AND organizer_id IS NOT NULL"
            " AND language IS NOT NULL)"
            " OR (kind = 'link' AND signature_id IS NOT NULL AND edition_id IS NULL AND subscription_id IS NULL)",
            name="refers_to_its_kind",
        ),
        CheckConstraint("(state = 'sending') = (claimed_by IS NOT NULL)", name="claimed_while_sending"),
        Index("ix_delivery_due", "kind", "state", "due_at"),
        Index("ix_delivery_edition_state", "edition_id", "state", "id"),
        Index(
            "ix_delivery_returned",
            "edition_id",
            "returned",
            sqlite_where=text("returned IS NOT NULL"),
            postgresql_where=text("returned IS NOT NULL"),
        ),
        Index(
            "ix_delivery_account",
            "petition_id",
            "state",
            sqlite_where=text("edition_id IS NULL"),
            postgresql_where=text("edition_id IS NULL"),
        ),
        {"sqlite_autoincrement": True},  # a mail is known by its id: none is given twice
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"))
    kind: Mapped[DeliveryKind] = mapped_column(choice(DeliveryKind))
    signature_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("signature.id"), index=True)
    edition_id: Mapped[int | None] = mapped_column(ForeignKey("edition.id"))
    subscription_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("subscription.id"), index=True)
    organizer_id: Mapped[int | None] = mapped_column(ForeignKey("organizer.id"))
    language: Mapped[str | None] = mapped_column(String(20))
    state: Mapped[DeliveryState] = mapped_column(choice(DeliveryState), default=DeliveryState.QUEUED)
    reason: Mapped[str | None] = mapped_column(String(200))
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    queued_at: Mapped[datetime] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    first_deferred_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    claimed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    claimed_by: Mapped[str | None] = mapped_column(String(80))
    returned: Mapped[str | None] = mapped_column(String(200))


class SendingPace(Base):
    """When the next mail may go out, over all workers; ``name`` says which limit this is."""

    __tablename__ = "sending_pace"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    free_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Heartbeat(Base):
    """When a worker was last alive."""

    __tablename__ = "heartbeat"

    worker: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
