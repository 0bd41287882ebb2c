"""Why a signature is suspicious, what organizers decided about suspicious signatures, and spent challenges."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from campaign.db import Base, BigId, UTCDateTime
from campaign.models.column_types import choice


class SuspicionKind(StrEnum):
    """Why a signature is suspicious.

    ``SOURCE``: many signatures came from one network. ``BURST``: many came at once. ``WORDS``: many have the same
    comment. ``DOMAIN``: the address belongs to a service for disposable addresses. ``FORM``: a hidden field was filled
    in, or the form was filled in too fast for a person. ``TOTAL``: the server got more signatures than usual in all.
    """

    SOURCE = "source"
    BURST = "burst"
    WORDS = "words"
    DOMAIN = "domain"
    FORM = "form"
    TOTAL = "total"


class Suspicion(Base):
    """One reason to review a signature before it counts. Owners of the petition may read it (``Permission.REVIEW``).

    ``group`` is a random name for the common property of a group of signatures. It is never computed from a network or
    an address, so nobody can learn from it who the signers are. The row stays after a review, so that the review can be
    undone; it is deleted with the signature.
    """

    __tablename__ = "suspicion"
    __table_args__ = (Index("ix_suspicion_group", "petition_id", "kind", "group"),)

    signature_id: Mapped[int] = mapped_column(BigId, ForeignKey("signature.id"), primary_key=True, autoincrement=False)
    kind: Mapped[SuspicionKind] = mapped_column(choice(SuspicionKind), primary_key=True)
    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"))
    group: Mapped[str] = mapped_column(String(20))


class ReviewAction(StrEnum):
    """The decision of a review: the signatures count, or they do not."""

    ACCEPT = "accept"
    INVALIDATE = "invalidate"


class Review(Base):
    """One decision about the ``count`` signatures that matched ``criteria``; it can be undone once.

    Owners of the petition may read it (``Permission.REVIEW``). ``actor`` and ``undone_by`` are organizers' addresses.
    """

    __tablename__ = "review"

    id: Mapped[int] = mapped_column(primary_key=True)
    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"), index=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    actor: Mapped[str] = mapped_column(String(320))
    action: Mapped[ReviewAction] = mapped_column(choice(ReviewAction))
    criteria: Mapped[dict[str, Any]] = mapped_column(JSON)
    count: Mapped[int]
    undone_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    undone_by: Mapped[str | None] = mapped_column(String(320))

    @property
    def is_burned(self) -> bool:
        """Whether the criteria were destroyed with the petition's data; then the review can no longer be undone."""
        return not self.criteria


class SpentChallenge(Base):
    """One solved challenge, stored so that it cannot be used twice. It refers to no signer, and no page shows it.

    ``mark`` is the SHA-256 of the challenge. The challenge expires at ``until``; then the row may be deleted.
    """

    __tablename__ = "spent_challenge"

    mark: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    until: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
