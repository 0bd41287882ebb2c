"""Puzzles and questions that were answered once, so that no answer is used twice."""

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from campaign.db import Base, UTCDateTime


class SpentChallenge(Base):
    """``mark`` is the SHA-256 of the challenge; the row may go when the challenge has run out at ``until``."""

    __tablename__ = "spent_challenge"

    mark: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    until: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
