"""What was erased, by row id alone, so that a restored backup erases it again."""

from datetime import date
from enum import StrEnum

from sqlalchemy.orm import Mapped, mapped_column

from campaign.db import Base, BigId
from campaign.models.column_types import choice


class Erased(StrEnum):
    """A signature; the person of one that still counts; a name alone, not the fingerprint; a subscription."""

    SIGNATURE = "signature"
    PERSON = "person"
    NAME = "name"
    SUBSCRIPTION = "subscription"


class Tombstone(Base):
    __tablename__ = "tombstone"

    kind: Mapped[Erased] = mapped_column(choice(Erased), primary_key=True)
    row_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    erased_on: Mapped[date]
