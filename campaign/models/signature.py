"""A signature, by form or on paper, and how many confirmation and link mails were sent to one address."""

from datetime import date, datetime
from enum import StrEnum
from typing import Self

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from campaign.db import Base, BigId, UTCDateTime
from campaign.models.column_types import choice
from campaign.models.petition import TextVersion


class SignatureState(StrEnum):
    """The states of a signature: pending → confirmed → withdrawn or invalidated; pending → expired.

    A quarantined signature was confirmed by its signer; it counts after an organizer has accepted it.
    """

    PENDING = "pending"
    QUARANTINED = "quarantined"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    INVALIDATED = "invalidated"
    EXPIRED = "expired"

    @classmethod
    def standing(cls) -> tuple[Self, ...]:
        """The states of a signature that its signer confirmed and that counts, or waits for a review.

        Only organizers learn which of the two it is.
        """
        return (cls.CONFIRMED, cls.QUARANTINED)

    @classmethod
    def answered(cls) -> tuple[Self, ...]:
        """The states of a signature whose signer answered the confirmation mail, whatever was decided about it."""
        return (*cls.standing(), cls.INVALIDATED)

    @property
    def is_standing(self) -> bool:
        return self in self.standing()

    @property
    def is_answered(self) -> bool:
        return self in self.answered()


class Display(StrEnum):
    """How the public pages show a signer's name. The organizers' list contains every name."""

    NAME = "name"
    INITIALS = "initials"
    HIDDEN = "hidden"


class CommentState(StrEnum):
    """Who may read a comment: only the organizers, or everybody after an organizer has approved it.

    ``PRIVATE``: the signer wrote it for the organizers. ``OFFERED``: it may be published and waits for a decision.
    ``SHOWN`` and ``REFUSED`` are the organizers' decisions.
    """

    PRIVATE = "private"
    OFFERED = "offered"
    SHOWN = "shown"
    REFUSED = "refused"

    @classmethod
    def decided(cls) -> tuple[Self, ...]:
        """The states of a comment after an organizer's decision."""
        return (cls.SHOWN, cls.REFUSED)

    @classmethod
    def read(cls) -> tuple[Self, ...]:
        """The states of a comment that its writer offered for publication."""
        return (cls.OFFERED, *cls.decided())


class Signature(Base):
    """One person's signature under one petition.

    The signer may read it; so may organizers with ``Permission.EXPORT`` or ``Permission.REVIEW``. Everybody may see
    what ``display`` and ``comment_state`` allow. A signature that expired or was withdrawn keeps its row, with nothing
    personal in it.

    - ``sealed_person`` is sealed JSON of name, place, comment.
    - ``sealed_address`` exists only while the signature is pending, or while it waits for a review and the signer wants
      updates.
    - ``signed_on`` is the day of the confirmation; the exact time would reveal too much.
    - ``review_id`` is the organizers' decision that changed the state last.
    - ``source`` names the link by which the signer came, until the signature is counted.
    """

    __tablename__ = "signature"
    __table_args__ = (
        UniqueConstraint("petition_id", "fingerprint"),
        UniqueConstraint("petition_id", "number"),
        CheckConstraint(
            "(state = 'pending' OR expires_at IS NULL)"
            " AND (state IN ('pending', 'quarantined') OR sealed_address IS NULL)",
            name="address_only_while_pending",
        ),
        CheckConstraint(
            "state NOT IN ('expired', 'withdrawn')"
            " OR (sealed_person IS NULL AND fingerprint IS NULL AND country IS NULL)",
            name="nothing_personal_kept",
        ),
        CheckConstraint(
            "state <> 'confirmed' OR (number IS NOT NULL AND signed_on IS NOT NULL)",
            name="confirmed_is_numbered",
        ),
        CheckConstraint("state IN ('pending', 'quarantined') OR source IS NULL", name="source_only_until_counted"),
        Index("ix_signature_expires_at", "expires_at"),
        # For the lists on public pages: the database finds them without reading rows of hidden signers.
        Index(
            "ix_signature_shown",
            "petition_id",
            "number",
            sqlite_where=text("state = 'confirmed' AND display <> 'hidden'"),
            postgresql_where=text("state = 'confirmed' AND display <> 'hidden'"),
        ),
        Index(
            "ix_signature_comments",
            "petition_id",
            "comment_state",
            "number",
            sqlite_where=text("state = 'confirmed' AND comment_state <> 'private'"),
            postgresql_where=text("state = 'confirmed' AND comment_state <> 'private'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"))
    text_version_id: Mapped[int] = mapped_column(ForeignKey("text_version.id"))
    state: Mapped[SignatureState] = mapped_column(choice(SignatureState), default=SignatureState.PENDING)
    language: Mapped[str] = mapped_column(String(20))
    fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    sealed_person: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed_address: Mapped[bytes | None] = mapped_column(LargeBinary)
    country: Mapped[str | None] = mapped_column(String(2))
    display: Mapped[Display] = mapped_column(choice(Display), default=Display.HIDDEN)
    comment_state: Mapped[CommentState] = mapped_column(choice(CommentState), default=CommentState.PRIVATE)
    source: Mapped[str | None] = mapped_column(String(40))
    wants_updates: Mapped[bool] = mapped_column(default=False)
    number: Mapped[int | None]
    signed_on: Mapped[date | None]
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    wrong_codes: Mapped[int] = mapped_column(SmallInteger, default=0)
    review_id: Mapped[int | None] = mapped_column(ForeignKey("review.id"), index=True)

    text_version: Mapped[TextVersion] = relationship()


class ConfirmationAllowance(Base):
    """How many confirmation mails one address was sent before it confirmed, in all petitions together.

    The limit protects strangers from somebody who types their address again and again. Only the program reads the row.
    ``last_at``: the time for which the last of the mails was queued; it may be later than now.
    """

    __tablename__ = "confirmation_allowance"

    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    mails: Mapped[int] = mapped_column(SmallInteger)
    last_at: Mapped[datetime] = mapped_column(UTCDateTime)


class LinkRequest(Base):
    """The last request for the link to one's own page: one row for each address and petition, to limit such mails.

    Only the program reads it. ``sealed_address`` exists only until the mail is sent, or until it is known that there is
    nothing to send. ``asked_at``: the time for which the mail is wanted; it may be later than now. ``mails``: how many
    were wanted.
    """

    __tablename__ = "link_request"

    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"), primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    sealed_address: Mapped[bytes | None] = mapped_column(LargeBinary)
    language: Mapped[str] = mapped_column(String(20))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    mails: Mapped[int] = mapped_column(SmallInteger)


class PaperSheet(Base):
    """A printed sheet for signatures on paper. Organizers who enter signatures may read it.

    Its signers sign the demands that are printed on it (``text_version_id``).
    """

    __tablename__ = "paper_sheet"

    id: Mapped[int] = mapped_column(primary_key=True)
    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"), index=True)
    text_version_id: Mapped[int] = mapped_column(ForeignKey("text_version.id"))
    made_on: Mapped[date]
    made_by: Mapped[str] = mapped_column(String(320))


class PaperLine(Base):
    """One line of a sheet. Organizers who enter signatures may read it.

    ``fingerprint`` is the keyed hash of the code that is printed on the line, and of nothing else. ``signature_id`` is
    set when the line is entered.
    """

    __tablename__ = "paper_line"

    sheet_id: Mapped[int] = mapped_column(ForeignKey("paper_sheet.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    signature_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("signature.id"), unique=True)
