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
    An edition is sent between ``window_from`` and ``window_until`` alone, at any time where they are None. With
    ``needs_approval`` a second organizer lets it go; ``cool_down_minutes`` is how long it can then still be cancelled.
    """

    __tablename__ = "schedule"
    __table_args__ = (CheckConstraint("day BETWEEN 0 AND 31", name="day_in_range"),)

    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"), primary_key=True)
    frequency: Mapped[Frequency] = mapped_column(choice(Frequency))
    day: Mapped[int] = mapped_column(SmallInteger)
    time_of_day: Mapped[time]
    paused: Mapped[bool] = mapped_column(default=False)
    next_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    needs_approval: Mapped[bool] = mapped_column(default=False)
    cool_down_minutes: Mapped[int] = mapped_column(SmallInteger, default=0)
    window_from: Mapped[time | None]
    window_until: Mapped[time | None]


class EditionState(StrEnum):
    """A draft waits for a second organizer's approval, a scheduled edition for its time."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


# From each state, the states that may follow it. An edition that is being sent is put back to wait for its time when
# its window closes.
EDITION_TRANSITIONS: dict[EditionState, frozenset[EditionState]] = {
    EditionState.DRAFT: frozenset({EditionState.SCHEDULED, EditionState.SENDING, EditionState.CANCELLED}),
    EditionState.SCHEDULED: frozenset({EditionState.SENDING, EditionState.PAUSED, EditionState.CANCELLED}),
    EditionState.SENDING: frozenset(
        {EditionState.SCHEDULED, EditionState.PAUSED, EditionState.SENT, EditionState.CANCELLED}
    ),
    EditionState.PAUSED: frozenset({EditionState.SCHEDULED, EditionState.SENDING, EditionState.CANCELLED}),
    EditionState.SENT: frozenset(),
    EditionState.CANCELLED: frozenset(),
    EditionState.SKIPPED: frozenset(),
}


class Edition(Base):
    """One issue of a digest, or the record that there was nothing to send.

    ``period`` names what the issue is for: a moment of the schedule, or the edition a person asked to follow; being
    unique it makes two schedulers, or an impatient second click, start one issue. ``total`` and ``last_update`` close
    the issue's window, and the next one begins there. ``candidates`` is how many deliveries were made for it when its
    sending began, against which the ledger is balanced. ``send_at`` is the earliest moment for that. ``starts`` counts
    how often sending was started or resumed; each start has jobs of its own.
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
    made_by: Mapped[str | None] = mapped_column(String(320))
    approved_by: Mapped[str | None] = mapped_column(String(320))
    send_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    starts: Mapped[int] = mapped_column(SmallInteger, default=0)

    texts: Mapped[list["EditionText"]] = relationship(order_by="EditionText.language", cascade="all, delete-orphan")


class Audience(StrEnum):
    """Who an issue's text is written for: those who read each edition, or those who read one a month."""

    EACH = "each"
    MONTHLY = "monthly"


class EditionText(Base):
    """An issue in one language as it is sent, but for the few places that differ from reader to reader."""

    __tablename__ = "edition_text"

    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"), primary_key=True)
    language: Mapped[str] = mapped_column(String(20), primary_key=True)
    audience: Mapped[Audience] = mapped_column(choice(Audience), primary_key=True, default=Audience.EACH)
    subject: Mapped[str] = mapped_column(String(500))
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
