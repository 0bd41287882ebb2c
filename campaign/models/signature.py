"""A signature, and how many confirmation mails one address may be sent."""

from datetime import date, datetime
from enum import StrEnum
from typing import Self

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from campaign.db import Base, BigId, UTCDateTime
from campaign.models.column_types import choice
from campaign.models.petition import TextVersion


class SignatureState(StrEnum):
    """A quarantined signature was confirmed by its signer and is counted once an organizer has looked at it."""

    PENDING = "pending"
    QUARANTINED = "quarantined"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    INVALIDATED = "invalidated"
    EXPIRED = "expired"

    @classmethod
    def standing(cls) -> tuple[Self, ...]:
        """The states of a signature that its signer confirmed and that is counted, or waits for a review.

        Nobody but the organizers is told which of the two it is.
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
    """What the public page may show of a signer's name. The organizers' list carries every name."""

    NAME = "name"
    INITIALS = "initials"
    HIDDEN = "hidden"


class CommentState(StrEnum):
    """Who may read a comment: its organizers alone, or everybody once they have read it."""

    PRIVATE = "private"
    OFFERED = "offered"
    SHOWN = "shown"
    REFUSED = "refused"

    @classmethod
    def decided(cls) -> tuple[Self, ...]:
        """The states of a comment about which an organizer decided."""
        return (cls.SHOWN, cls.REFUSED)

    @classmethod
    def read(cls) -> tuple[Self, ...]:
        """The states of a comment that its writer offered to be shown."""
        return (cls.OFFERED, *cls.decided())


class Signature(Base):
    """One person under one petition.

    ``sealed_person`` is JSON of name, place, comment; ``sealed_address`` is there only while the signature is pending,
    and while one that waits for a review wants updates.
    ``signed_on`` is the day of confirming: a moment would say too much. A signature that expired or was withdrawn
    keeps its row with nothing personal in it. ``review_id`` is the organizers' decision that moved it last. ``source``
    names the link that brought the signer, until the signature is counted.
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
        # What the public pages list, found without a look at anybody who chose to be hidden.
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
    """Confirmation mails sent to one address that has not confirmed: the mail bomber's limit, across petitions."""

    __tablename__ = "confirmation_allowance"

    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    mails: Mapped[int] = mapped_column(SmallInteger)
    last_at: Mapped[datetime] = mapped_column(UTCDateTime)


class LinkRequest(Base):
    """One row for each address and petition, so that nobody is sent many such mails.

    ``sealed_address`` is there only until it is known whether there is something to send, and that is sent.
    """

    __tablename__ = "link_request"

    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"), primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    sealed_address: Mapped[bytes | None] = mapped_column(LargeBinary)
    language: Mapped[str] = mapped_column(String(20))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


class PaperSheet(Base):
    """A printed sheet. Whoever signs on it signs the demands that are printed there."""

    __tablename__ = "paper_sheet"

    id: Mapped[int] = mapped_column(primary_key=True)
    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"), index=True)
    text_version_id: Mapped[int] = mapped_column(ForeignKey("text_version.id"))
    made_on: Mapped[date]
    made_by: Mapped[str] = mapped_column(String(320))


class PaperLine(Base):
    """A line of a sheet. ``fingerprint`` is the keyed hash of the code that is printed on it, and of nothing else.

    ``signature_id`` is there from the moment the line was entered.
    """

    __tablename__ = "paper_line"

    sheet_id: Mapped[int] = mapped_column(ForeignKey("paper_sheet.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    signature_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("signature.id"), unique=True)
