"""What workers share so as not to outrun a limit or outlive one another: the pace of sending, and signs of life."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from campaign.db import Base, UTCDateTime


class SendingPace(Base):
    """When the next mail may go out, over all workers; ``name`` says which limit this is."""

    __tablename__ = "sending_pace"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    free_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Heartbeat(Base):
    """When a worker was last alive."""

    __tablename__ = "heartbeat"

    worker: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
