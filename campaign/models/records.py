"""Records of what was done: the audit trail, tombstones, requests for exports, and the lock of the server."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from campaign.db import Base, BigId, UTCDateTime
from campaign.models.column_types import choice


class AuditEntry(Base):
    """Who did what with people's data: exports, digests, changes of a petition.

    An entry is about a petition, or about an organizer's account (``organizer_id``), or about the whole server. Every
    organizer of a petition may read its entries. ``actor`` is an organizer's address or ``command line``; ``details``
    contains nothing about signers.
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
    """What was erased.

    ``SIGNATURE``: a whole signature. ``PERSON``: everything personal in a signature that still counts. ``NAME``: only
    the name, not the fingerprint. ``SUBSCRIPTION``: the address of a subscription.
    """

    SIGNATURE = "signature"
    PERSON = "person"
    NAME = "name"
    SUBSCRIPTION = "subscription"


class Tombstone(Base):
    """The record that personal data was erased, so that a restored backup can be erased again (services.privacy).

    It holds the kind and the id of the erased row and the day, and nothing personal. Only the program reads it.
    """

    __tablename__ = "tombstone"

    kind: Mapped[Erased] = mapped_column(choice(Erased), primary_key=True)
    row_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    erased_on: Mapped[date]


class ExportRequest(Base):
    """An organizer's request to export a list, which another organizer must approve.

    Organizers with ``Permission.EXPORT`` may read it. ``reason`` is written by the organizer. The list can be
    downloaded once, between ``approved_at`` and ``ended_at``.
    """

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
    """The lock of the server: while its only row exists, no process of the server holds the keys.

    Only the program and the operator read it. ``reason`` is the text that the operator gave to ``campaign lock``.
    """

    __tablename__ = "server_lock"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    since: Mapped[datetime] = mapped_column(UTCDateTime)
    reason: Mapped[str | None] = mapped_column(String(200))
