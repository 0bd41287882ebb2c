"""The ledger: one row for every mail, from the moment it is queued until its outcome is known."""

from datetime import datetime
from enum import StrEnum
from typing import Self

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from campaign.db import Base, BigId, UTCDateTime
from campaign.models.column_types import choice


class DeliveryKind(StrEnum):
    """The kinds of mail.

    ``CONFIRMATION`` asks a signer to confirm. ``DIGEST`` is one edition for one reader. ``TEST`` is a digest that an
    organizer sends to themselves before the readers get it. ``LINK`` contains the link to a signer's own page, which
    the signer asked for.
    """

    CONFIRMATION = "confirmation"
    DIGEST = "digest"
    TEST = "test"
    LINK = "link"


class DeliveryState(StrEnum):
    """The states of a mail, which ``TRANSITIONS`` connects.

    ``QUEUED`` waits for its first attempt, ``DEFERRED`` for another. ``SENDING``: a sender has claimed it. ``ACCEPTED``
    and ``REJECTED`` are the server's answers. ``SUPPRESSED``: it was not sent, for the row's ``reason``. ``IN_DOUBT``:
    nobody can know whether the server has it (RFC 1047).
    """

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


# From each state, the states that may follow it. A digest with unknown outcome stays in doubt. A confirmation returns
# to the queue: to receive it twice harms nobody, but without it a signature is lost.
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
    """One mail. The row holds ids only; body, link and address are produced when the mail is sent.

    Organizers see counts by state and reason, never the recipient of a row. A signer sees the rows of their own mails.

    ``first_deferred_at``: when the recipient's server first asked to try later; our own outages do not count.
    ``returned``: the bounce or complaint that came back after the mail was accepted, with its status.
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
        {"sqlite_autoincrement": True},  # an id identifies a mail for ever, so it is never used twice
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
    """The time from which the next mail may be sent under the limit ``name``; all workers share the row.

    Only workers read it.
    """

    __tablename__ = "sending_pace"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    free_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Heartbeat(Base):
    """The last time at which a worker was known to be alive. Workers and the operator read it."""

    __tablename__ = "heartbeat"

    worker: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
