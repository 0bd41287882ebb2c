"""What made a signature suspicious, and what organizers decided about groups of such."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from campaign.db import Base, BigId, UTCDateTime
from campaign.models.column_types import choice


class SuspicionKind(StrEnum):
    """Many from one network, many at once, many with the same words, a throw-away address, a form filled by a machine,
    more than the server sends in all."""

    SOURCE = "source"
    BURST = "burst"
    WORDS = "words"
    DOMAIN = "domain"
    FORM = "form"
    TOTAL = "total"


class Suspicion(Base):
    """One reason to look at a signature before it counts.

    ``group`` is a random name for what the signatures of a group have in common, never something computed from a
    network or an address: nobody can tell from it who they are. The row stays through a review, so that the review can
    be taken back, and goes when the signature is erased.
    """

    __tablename__ = "suspicion"
    __table_args__ = (Index("ix_suspicion_group", "petition_id", "kind", "group"),)

    signature_id: Mapped[int] = mapped_column(BigId, ForeignKey("signature.id"), primary_key=True, autoincrement=False)
    kind: Mapped[SuspicionKind] = mapped_column(choice(SuspicionKind), primary_key=True)
    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"))
    group: Mapped[str] = mapped_column(String(20))


class ReviewAction(StrEnum):
    ACCEPT = "accept"
    INVALIDATE = "invalidate"


class Review(Base):
    """One decision about the signatures that matched ``criteria``, ``count`` of them. It can be taken back once."""

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
        """Whether its criteria went with the petition's data, and nothing is left that it could be taken back for."""
        return not self.criteria


class SpentChallenge(Base):
    """``mark`` is the SHA-256 of the challenge; the row may go when the challenge has run out at ``until``."""

    __tablename__ = "spent_challenge"

    mark: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    until: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
