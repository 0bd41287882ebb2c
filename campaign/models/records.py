"""Records of what was done: the audit trail, tombstones, requests for exports, and the lock of the server."""

from datetime import date, datetime
from enum import StrEnum
from typing import TypedDict

from sqlalchemy import JSON, CheckConstraint, ForeignKey, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from campaign.db import Base, BigId, UTCDateTime
from campaign.models.column_types import choice


class AuditAction(StrEnum):
    """What was done; the value is the word in the database, so a member keeps its value."""

    # Petitions
    PETITION_LOADED = "petition loaded"
    PETITION_OPENED = "petition opened"
    PETITION_PAUSED = "petition paused"
    PETITION_CLOSED = "petition closed"
    LIST_HANDED_OVER = "list handed over"
    PETITION_ANSWERED = "petition answered"
    PETITION_WON = "petition won"
    PETITION_BURNED = "petition burned"
    UPDATE_PUBLISHED = "update published"
    CHALLENGE_SWITCHED_ON = "challenge switched on"
    CHALLENGE_SWITCHED_OFF = "challenge switched off"
    # Signatures and comments
    SIGNATURES_ACCEPTED = "signatures accepted"
    SIGNATURES_INVALIDATED = "signatures invalidated"
    REVIEW_TAKEN_BACK = "review taken back"
    COMMENTS_SHOWN = "comments shown"
    COMMENTS_REFUSED = "comments refused"
    PAPER_MADE = "paper made"
    PAPER_ENTERED = "paper entered"
    # Lists
    EXPORTED = "export"
    EXPORT_ASKED = "export asked"
    EXPORT_APPROVED = "export approved"
    EXPORT_REFUSED = "export refused"
    # The digest
    DIGEST_MADE = "digest made"
    DIGEST_SENT = "digest sent"
    DIGEST_SKIPPED = "digest skipped"
    DIGEST_TESTED = "digest tested"
    DIGEST_PAUSED = "digest paused"
    DIGEST_PAUSED_BY_COMPLAINTS = "digest paused by complaints"
    DIGEST_RESUMED = "digest resumed"
    COMPLAINTS_WARNING = "complaints warning"
    EDITION_APPROVED = "edition approved"
    EDITION_PAUSED = "edition paused"
    EDITION_RESUMED = "edition resumed"
    EDITION_CANCELLED = "edition cancelled"
    # Persons
    HISTORY_TOLD = "history told"
    PERSON_FORGOTTEN = "person forgotten"
    NAMES_ERASED = "names erased by schedule"
    UPDATES_ENDED = "updates ended by schedule"
    # Organizers and their accounts
    ORGANIZER_ADDED = "organizer added"
    ORGANIZER_REMOVED = "organizer removed"
    ORGANIZER_RESET = "organizer reset"
    ORGANIZER_SIGNED_OUT = "organizer signed out"
    SIGNED_IN = "signed in"
    SIGN_IN_SLOWED = "sign-in slowed"
    SIGNED_OUT_EVERYWHERE = "signed out everywhere"
    PASSWORD_CHANGED = "password changed"  # noqa: S105 (an action)
    APP_ADDED = "app added"
    APP_REMOVED = "app removed"
    RECOVERY_CODES_MADE = "recovery codes made"
    PASSKEY_ADDED = "passkey added"
    PASSKEY_RENAMED = "passkey renamed"
    PASSKEY_REMOVED = "passkey removed"
    # The server
    KEY_ROTATED = "key rotated"
    BACKUP_RESTORED = "backup restored"
    SERVER_LOCKED = "server locked"
    SERVER_UNLOCKED = "server unlocked"


class AuditDetails(TypedDict, total=False):
    """All that an entry may say besides who did what, in names, numbers and choices; nothing about a signer.

    ``key`` is that of an update, ``key_version`` that of a key in the keyring. ``to`` is the beginning of public keys.
    ``reason`` is what a person wrote for the record, or why an edition was skipped. ``way`` names what an organizer
    signed in with.
    """

    accepted: int
    approved_by: str | None
    asked_by: str
    comments: int
    complaints: int
    edition: int | None
    erased: int
    failures: int
    format: str
    key: str
    key_version: int
    keys: int
    lines: int
    list: str
    mails: int
    name: str
    organizer: str
    paused: int
    readers: int
    reason: str | None
    resealed: int
    review: int
    role: str
    sent: int
    sheet: int
    signatures: int
    state: str
    to: str
    way: str


class AuditEntry(Base):
    """Who did what with people's data: exports, digests, changes of a petition.

    An entry is about a petition, or about an organizer's account (``organizer_id``), or about the whole server. Every
    organizer of a petition may read its entries. ``actor`` is an organizer's address or ``command line``; ``details``
    contains nothing about signers. Entries are erased after 90 days, so no rule may depend on them.

    The database does not check ``action``: a new action is no reason for a migration, and a column that nothing is
    decided by needs no second guard. The program refuses every other word.
    """

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    actor: Mapped[str] = mapped_column(String(320))
    action: Mapped[AuditAction] = mapped_column(choice(AuditAction, length=40, checked=False))
    petition_id: Mapped[int | None] = mapped_column(ForeignKey("petition.id"), index=True)
    organizer_id: Mapped[int | None] = mapped_column(ForeignKey("organizer.id"), index=True)
    details: Mapped[AuditDetails] = mapped_column(JSON)


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
