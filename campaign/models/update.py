"""An update: what happened, told by the organizers, shown on the page and carried by the next digest."""

from datetime import date

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from campaign.db import Base
from campaign.models.column_types import Texts, TextsColumn


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
