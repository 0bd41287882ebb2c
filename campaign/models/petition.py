"""A petition: its texts and updates, its demands, the versions of the demands that people signed, and its counts."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from campaign.db import Base, UTCDateTime
from campaign.models.column_types import Texts, TextsColumn, choice


class PetitionState(StrEnum):
    """The states of a petition: draft, open, possibly paused for a time, closed; then delivered, answered or won.

    ``DELIVERED``: the signatures were handed over to the addressee.
    """

    DRAFT = "draft"
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"
    DELIVERED = "delivered"
    ANSWERED = "answered"
    WON = "won"

    @property
    def is_over(self) -> bool:
        """Whether the petition accepts no signatures any more."""
        return self in {PetitionState.CLOSED, PetitionState.DELIVERED, PetitionState.ANSWERED, PetitionState.WON}


class Petition(Base):
    """One petition. Everybody may read it, except drafts, which only its organizers see.

    - ``texts`` holds for each language the texts that ``services.petitions.file_schema`` defines: title, addressee and
      so on.
    - ``challenge``: a signer must solve a puzzle or answer a question.
    - ``sealed_to``: public keys of organizers. Names are sealed to them, so that the server cannot read the names. If
      the list is empty, names are sealed with the keyring.
    - ``closed_on``, ``handed_over_on``, ``answered_on``: the days from which the retention of personal data is
      counted. ``burned_on``: the day on which all of it was destroyed.
    - ``goal_steps``: smaller goals on the way to ``goal``, in rising order.
    - ``state_note`` holds for each language a ``note``: why signing is paused, or what the answer was.
    - ``look``: ``colour`` as #rrggbb.
    - ``related``: slugs of other petitions on this server.
    - ``shows_names``: names and comments are shown if their signers wish it; ``indexes_names``: search engines may list
      them. ``confirmation_names_petition``: the mail that asks a signer to confirm has the petition's title and a
      button.
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
    confirmation_names_petition: Mapped[bool] = mapped_column(default=False)
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
        """Whether the pages may show names and comments; never if they are sealed so that this server cannot read
        them."""
        return self.shows_names and not self.sealed_to

    def goal_at(self, confirmed: int) -> int:
        """The goal that people see: the first step above ``confirmed`` signatures, after the last step ``goal``."""
        return next((step for step in self.goal_steps if confirmed < step < self.goal), self.goal)


class PictureKind(StrEnum):
    """Which picture it is: the picture of the petition, or the logo of its organizers."""

    PICTURE = "picture"
    LOGO = "logo"


class PetitionPicture(Base):
    """A picture of a petition, as it is served. Everybody may read it.

    ``alt`` holds for each language an ``alt``: the text for people who do not see the picture. ``digest`` is the
    SHA-256 in hexadecimal; it is part of the picture's URL, so that browsers may keep the picture for ever.
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
    """One demand of a petition. Everybody may read it. ``texts`` holds for each language: title, text."""

    __tablename__ = "demand"
    __table_args__ = (UniqueConstraint("petition_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"))
    position: Mapped[int]
    key: Mapped[str] = mapped_column(String(80))
    texts: Mapped[Texts] = mapped_column(TextsColumn)

    petition: Mapped[Petition] = relationship(back_populates="demands")


class TextVersion(Base):
    """The demands in one language, as people signed them. Everybody may read it. It is never changed and never deleted.

    ``digest`` is the SHA-256, in hexadecimal, of ``demands`` as canonical JSON: a list of key, title, text.
    ``current``: the petition shows this version now.
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
        """The beginning of the digest, long enough to distinguish versions on paper."""
        return self.digest[:16]


class PetitionCounter(Base):
    """The counters of one petition. Each is changed in the transaction of the change it counts, so no page counts rows.

    Everybody may read ``confirmed``, the public count; the other columns are for organizers and for the program.
    ``last_number`` is the highest number given to a signature; it never decreases. ``confirmations`` and ``links``
    count the confirmation and link mails that were ever queued; the ledger must balance with them. ``posts`` counts
    submitted signing forms, whatever their result. ``countries_at``: when the counts by country were last computed.
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
    """The number of signatures confirmed on one day in the petition's timezone. Everybody may read it."""

    __tablename__ = "daily_count"

    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    confirmed: Mapped[int]


class CountryCount(Base):
    """The number of confirmed signatures from one country, at the counter's ``countries_at``. Everybody may read it.

    Countries with few signatures have no row of their own, since it could reveal a person; they are added up under a
    special code (``services.signatures.countries``).
    """

    __tablename__ = "country_count"

    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"), primary_key=True)
    country: Mapped[str] = mapped_column(String(2), primary_key=True)
    confirmed: Mapped[int]


class SourceCount(Base):
    """The number of signatures of people who came by a link with ``?source=``. Organizers may read it.

    A signature that is withdrawn later stays counted.
    """

    __tablename__ = "source_count"

    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"), primary_key=True)
    source: Mapped[str] = mapped_column(String(40), primary_key=True)
    confirmed: Mapped[int]


class Update(Base):
    """One update (news) of a petition. Everybody may read it.

    ``texts`` holds for each language: title, body (Markdown). ``sequence`` orders the updates of a petition. The window
    of an edition ends at a ``sequence``, not at a time, so an update that is added while an edition is made is in
    exactly one edition: this one or the next.
    """

    __tablename__ = "petition_update"
    __table_args__ = (UniqueConstraint("petition_id", "sequence"), UniqueConstraint("petition_id", "key"))

    id: Mapped[int] = mapped_column(primary_key=True)
    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"))
    sequence: Mapped[int]
    key: Mapped[str] = mapped_column(String(80))
    published_on: Mapped[date]
    texts: Mapped[Texts] = mapped_column(TextsColumn)
