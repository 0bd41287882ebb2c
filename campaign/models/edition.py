"""The digest: its schedule, and its editions with their frozen content."""

from datetime import datetime, time
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from campaign.db import Base, UTCDateTime
from campaign.models.column_types import choice


class Frequency(StrEnum):
    """How often a digest is due."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Schedule(Base):
    """The schedule of one petition's digest, in the petition's timezone. Every organizer of the petition may read it.

    ``day`` is the weekday (0 = Monday) of a weekly digest, or the day of the month of a monthly digest (31 means the
    last). An edition is sent only between ``window_from`` and ``window_until``; if they are None, at any time. With
    ``needs_approval`` a second organizer must approve it; after that it can still be cancelled for
    ``cool_down_minutes``.
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
    """The states of an edition, which ``EDITION_TRANSITIONS`` connects.

    A draft waits for a second organizer's approval, a scheduled edition for its time. A skipped edition is the record
    of a run that made none, with the ``reason``.
    """

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


# From each state, the states that may follow it. When its window closes, an edition that is being sent becomes
# scheduled again and waits for the next window.
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
    """One issue of a digest, or the record of a skipped run. Every organizer of the petition may read it.

    - ``period`` identifies what the edition is for: a moment of the schedule, or the number of the edition before it,
      if a person asked for it. It is unique, so two schedulers, or an impatient second click, start only one edition.
    - ``total`` (confirmed signatures) and ``last_update`` end the edition's window; the next edition begins there.
    - ``candidates`` is the number of deliveries queued when sending began; the ledger must balance with it.
    - ``send_at`` is the earliest time at which sending may begin.
    - ``starts`` counts how often sending was started or resumed; each start has its own jobs.
    - ``made_by`` and ``approved_by`` are organizers' addresses, or ``command line``.
    - ``complaints_warned_at`` and ``complaints_paused_at`` are the moments at which complaints of its readers led to a
      warning, and to a pause of the digest; each happens once.
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
    complaints_warned_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    complaints_paused_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    texts: Mapped[list["EditionText"]] = relationship(order_by="EditionText.language", cascade="all, delete-orphan")


class Audience(StrEnum):
    """The readers for whom a text is written: readers of each edition, or readers of one edition a month."""

    EACH = "each"
    MONTHLY = "monthly"


class EditionText(Base):
    """The text of an edition in one language, for one audience.

    It is the mail as it is sent, except for the few places that differ from reader to reader; it names no reader.
    Everybody may read it in the archive as soon as the edition is being sent.
    """

    __tablename__ = "edition_text"

    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"), primary_key=True)
    language: Mapped[str] = mapped_column(String(20), primary_key=True)
    audience: Mapped[Audience] = mapped_column(choice(Audience), primary_key=True, default=Audience.EACH)
    subject: Mapped[str] = mapped_column(String(500))
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
