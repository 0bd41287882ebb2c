"""A list that an organizer asks for where a second one has to agree."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from campaign.db import Base, UTCDateTime


class ExportRequest(Base):
    """``reason`` is what the organizer wrote; the list can be taken once after ``approved_at``, until ``ended_at``."""

    __tablename__ = "export_request"

    id: Mapped[int] = mapped_column(primary_key=True)
    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"), index=True)
    made_by: Mapped[str] = mapped_column(String(320))
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    chosen: Mapped[str] = mapped_column(String(20))
    format: Mapped[str] = mapped_column(String(10))
    state: Mapped[str | None] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(500))
    approved_by: Mapped[str | None] = mapped_column(String(320))
    approved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
