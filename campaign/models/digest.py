"""The digest: when it is due, and each issue of it with its frozen content."""

from datetime import datetime, time
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from campaign.db import Base, UTCDateTime
from campaign.models.column_types import choice


class Frequency(StrEnum):
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Schedule(Base):
    """When a petition's digest goes out, in the petition's timezone.

    ``day`` is the weekday (0 = Monday) of a weekly digest, the day of the month of a monthly one (31 means the last).
    """

    __tablename__ = "schedule"
    __table_args__ = (CheckConstraint("day BETWEEN 0 AND 31", name="day_in_range"),)

    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"), primary_key=True)
    frequency: Mapped[Frequency] = mapped_column(choice(Frequency))
    day: Mapped[int] = mapped_column(SmallInteger)
    time_of_day: Mapped[time]
    paused: Mapped[bool] = mapped_column(default=False)
    next_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


class EditionState(StrEnum):
    SENDING = "sending"
    SENT = "sent"
    SKIPPED = "skipped"


class Edition(Base):
    """One issue of a digest, or the record that there was nothing to send.

    ``period`` names what the issue is for: a moment of the schedule, or the edition a person asked to follow; being
    unique it makes two schedulers, or an impatient second click, start one issue. ``total`` and ``last_update`` close
    the issue's window, and the next one begins there. ``candidates`` is how many deliveries were made for it, against
    which the ledger is balanced.
    """

    __tablename__ = "edition"
    __table_args__ = (
        UniqueConstraint("petition_id", "period"),
        UniqueConstraint("petition_id", "number"),
        CheckConstraint("(state = 'skipped') = (number IS NULL)", name="sent_is_numbered"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"))
    period: Mapped[str] = mapped_column(String(60))
    number: Mapped[int | None]
    state: Mapped[EditionState] = mapped_column(choice(EditionState))
    reason: Mapped[str | None] = mapped_column(String(200))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    total: Mapped[int]
    last_update: Mapped[int]
    candidates: Mapped[int] = mapped_column(default=0)

    texts: Mapped[list["EditionText"]] = relationship(order_by="EditionText.language", cascade="all, delete-orphan")


class EditionText(Base):
    """An issue in one language as it is sent, but for the few places that differ from reader to reader."""

    __tablename__ = "edition_text"

    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"), primary_key=True)
    language: Mapped[str] = mapped_column(String(20), primary_key=True)
    subject: Mapped[str] = mapped_column(String(500))
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
