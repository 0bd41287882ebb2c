"""The lock that an organizer under attack puts on the whole server, as every machine of it sees it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from campaign.db import Base, UTCDateTime


class ServerLock(Base):
    """While this one row exists, no process of the server holds the keys. ``reason`` is what the command was told."""

    __tablename__ = "server_lock"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    since: Mapped[datetime] = mapped_column(UTCDateTime)
    reason: Mapped[str | None] = mapped_column(String(200))
