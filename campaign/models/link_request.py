"""A person typed an address to get the lost link to their own page, whether or not anything is known of it."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from campaign.db import Base, UTCDateTime


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
