"""Who did what with people's data: exports, digests, changes of a petition. Visible to every organizer of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from campaign.db import Base, UTCDateTime


class AuditEntry(Base):
    """``actor`` is an organizer's address or ``command line``; ``details`` holds nothing about signers.

    An entry is about a petition, or about an organizer's account (``organizer_id``), or about the whole server.
    """

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    actor: Mapped[str] = mapped_column(String(320))
    action: Mapped[str] = mapped_column(String(40))
    petition_id: Mapped[int | None] = mapped_column(ForeignKey("petition.id"), index=True)
    organizer_id: Mapped[int | None] = mapped_column(ForeignKey("organizer.id"), index=True)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
