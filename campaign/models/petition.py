"""A petition: its texts, its demands, the versions of the demands that people signed, and its counts."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from campaign.db import Base, UTCDateTime
from campaign.models.column_types import Texts, TextsColumn, choice


class PetitionState(StrEnum):
    """A life: draft, open, perhaps paused for a while, closed; then handed over, answered, or won."""

    DRAFT = "draft"
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"
    DELIVERED = "delivered"
    ANSWERED = "answered"
    WON = "won"

    @property
    def is_over(self) -> bool:
        """Whether no signature is taken any more."""
        return self in {PetitionState.CLOSED, PetitionState.DELIVERED, PetitionState.ANSWERED, PetitionState.WON}


class Petition(Base):
    """``texts`` holds for each language the texts that ``services.petition_file`` names: title, addressee and so on.

    ``challenge``: a signature costs a puzzle or a plain question. ``sealed_to`` are the public keys of organizers to
    whom names are sealed, so that the server cannot read them back; empty: sealed with the keyring. The days are those
    from which the keeping of personal data is counted, and the one on which all of it was destroyed.

    ``goal_steps``: smaller goals on the way to ``goal``, rising. ``state_note`` holds for each language a ``note``: why
    signing is paused, or what was answered. ``look``: ``colour`` as #rrggbb. ``related`` are slugs of petitions on this
    server. ``shows_names``: names and comments whose signers wish it are shown; ``indexes_names``: search engines may
    list them.
    """

    __tablename__ = "petition"
    __table_args__ = (CheckConstraint("goal > 0", name="goal_positive"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    state: Mapped[PetitionState] = mapped_column(choice(PetitionState), default=PetitionState.DRAFT)
    languages: Mapped[list[str]] = mapped_column(JSON)
    timezone: Mapped[str] = mapped_column(String(64))
    goal: Mapped[int]
    goal_steps: Mapped[list[int]] = mapped_column(JSON, default=list)
    closes_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    state_note: Mapped[Texts | None] = mapped_column(TextsColumn)
    milestones: Mapped[list[int]] = mapped_column(JSON)
    source_url: Mapped[str] = mapped_column(String(500))
    texts: Mapped[Texts] = mapped_column(TextsColumn)
    timeline: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    challenge: Mapped[bool] = mapped_column(default=False)
    sealed_to: Mapped[list[str]] = mapped_column(JSON, default=list)
    export_needs_approval: Mapped[bool] = mapped_column(default=False)
    look: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    related: Mapped[list[str]] = mapped_column(JSON, default=list)
    shows_names: Mapped[bool] = mapped_column(default=True)
    indexes_names: Mapped[bool] = mapped_column(default=False)
    closed_on: Mapped[date | None]
    handed_over_on: Mapped[date | None]
    answered_on: Mapped[date | None]
    burned_on: Mapped[date | None]

    demands: Mapped[list["Demand"]] = relationship(
        order_by="Demand.position", cascade="all, delete-orphan", back_populates="petition"
    )
    counter: Mapped["PetitionCounter"] = relationship(cascade="all, delete-orphan")

    @property
    def shows_people(self) -> bool:
        """Whether a name or a comment can be shown at all: not what this server cannot read."""
        return self.shows_names and not self.sealed_to

    def goal_at(self, confirmed: int) -> int:
        """The goal that people see: the first step that so many signatures have not reached, at last ``goal``."""
        return next((step for step in self.goal_steps if confirmed < step < self.goal), self.goal)


class PictureKind(StrEnum):
    PICTURE = "picture"
    LOGO = "logo"


class PetitionPicture(Base):
    """A picture of a petition, as it is served. ``alt`` holds for each language an ``alt`` for who does not see it.

    ``digest``, the SHA-256 in hexadecimal, stands in its address, so that browsers may keep it for ever.
    """

    __tablename__ = "petition_picture"

    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"), primary_key=True)
    kind: Mapped[PictureKind] = mapped_column(choice(PictureKind), primary_key=True)
    media_type: Mapped[str] = mapped_column(String(40))
    digest: Mapped[str] = mapped_column(String(64))
    width: Mapped[int]
    height: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    alt: Mapped[Texts] = mapped_column(TextsColumn)


class Demand(Base):
    """One demand. ``texts`` holds for each language: title, text."""

    __tablename__ = "demand"
    __table_args__ = (UniqueConstraint("petition_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"))
    position: Mapped[int]
    key: Mapped[str] = mapped_column(String(80))
    texts: Mapped[Texts] = mapped_column(TextsColumn)

    petition: Mapped[Petition] = relationship(back_populates="demands")


class TextVersion(Base):
    """The demands as they stood in one language when people signed them. Never changed, never deleted.

    ``digest`` is the SHA-256, in hexadecimal, of ``demands`` as canonical JSON: a list of key, title, text.
    """

    __tablename__ = "text_version"
    __table_args__ = (UniqueConstraint("petition_id", "language", "digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"))
    language: Mapped[str] = mapped_column(String(20))
    digest: Mapped[str] = mapped_column(String(64))
    demands: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    current: Mapped[bool]

    @property
    def short_digest(self) -> str:
        """Enough of the digest to tell versions apart on paper."""
        return self.digest[:16]


class PetitionCounter(Base):
    """Numbers kept in the transaction that changes them, so that no page ever counts rows.

    ``confirmed`` is the public count; ``last_number`` numbers the signatures and never goes back;
    ``confirmations`` and ``links`` count the mails ever queued that ask to confirm, or bring a lost link, against which
    the ledger is balanced. ``posts`` counts filled-in forms, whatever became of them. ``countries_at``: when the counts
    by country were last made.
    """

    __tablename__ = "petition_counter"
    __table_args__ = (CheckConstraint("confirmed >= 0", name="confirmed_not_negative"),)

    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"), primary_key=True)
    confirmed: Mapped[int] = mapped_column(default=0)
    last_number: Mapped[int] = mapped_column(default=0)
    confirmations: Mapped[int] = mapped_column(default=0)
    links: Mapped[int] = mapped_column(default=0)
    posts: Mapped[int] = mapped_column(BigInteger, default=0)
    countries_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class DailyCount(Base):
    """Signatures confirmed on one day of the campaign's timezone."""

    __tablename__ = "daily_count"

    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    confirmed: Mapped[int]


class CountryCount(Base):
    """Confirmed signatures from one country, as of the counter's ``countries_at``, as everybody may see them.

    Small places are not in it by themselves: they are together under a code of their own
    (``services.signatures.countries``).
    """

    __tablename__ = "country_count"

    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"), primary_key=True)
    country: Mapped[str] = mapped_column(String(2), primary_key=True)
    confirmed: Mapped[int]


class SourceCount(Base):
    """Signatures of people who came by a link with ``?source=``. One that is withdrawn later stays counted."""

    __tablename__ = "source_count"

    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"), primary_key=True)
    source: Mapped[str] = mapped_column(String(40), primary_key=True)
    confirmed: Mapped[int]


class Update(Base):
    """``texts`` holds for each language: title, body (Markdown). ``sequence`` orders updates within their petition.

    A digest's window is cut by ``sequence``, not by the clock: an update added while an edition is made is in exactly
    one of the two editions beside it.
    """

    __tablename__ = "petition_update"
    __table_args__ = (UniqueConstraint("petition_id", "sequence"), UniqueConstraint("petition_id", "key"))

    id: Mapped[int] = mapped_column(primary_key=True)
    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"))
    sequence: Mapped[int]
    key: Mapped[str] = mapped_column(String(80))
    published_on: Mapped[date]
    texts: Mapped[Texts] = mapped_column(TextsColumn)
