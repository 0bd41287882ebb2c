"""Signature sheets on paper: one code for each line, so that no line is entered twice."""

from datetime import date

from sqlalchemy import ForeignKey, LargeBinary, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from campaign.db import Base, BigId


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
