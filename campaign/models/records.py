"""Who did what with people's data: exports, digests, changes of a petition. Visible to every organizer of it."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from campaign.db import Base, BigId, UTCDateTime
from campaign.models.column_types import choice


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


class ServerLock(Base):
    """While this one row exists, no process of the server holds the keys. ``reason`` is what the command was told."""

    __tablename__ = "server_lock"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    since: Mapped[datetime] = mapped_column(UTCDateTime)
    reason: Mapped[str | None] = mapped_column(String(200))
