"""Organizers, how they sign in, and their roles in petitions."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import JSON, BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from campaign.db import Base, UTCDateTime
from campaign.models.column_types import choice


class Role(StrEnum):
    """An organizer's role in a petition: ``owner`` may do everything, ``editor`` sends digests, ``exporter`` exports
    lists, ``viewer`` sees numbers."""

    OWNER = "owner"
    EDITOR = "editor"
    EXPORTER = "exporter"
    VIEWER = "viewer"


class Organizer(Base):
    """A person who may sign in, and the secrets for it. The organizers of the same petition may see the address.

    - ``email`` is the comparable spelling of the address (``text.email_address``).
    - ``session_key`` is contained in the organizer's session cookies and sign-in links; a new key ends them all.
    - ``sealed_totp`` is the secret of one-time passwords (RFC 6238), sealed; ``totp_step`` is the last time step that
      was used, so that no password is used twice.
    - ``recovery_codes`` are hashes of codes.
    - ``failed_sign_ins`` counts failures in a row; the last one was at ``failed_at``.
    - ``passkey_handle`` identifies the organizer to authenticators (WebAuthn's user handle).
    """

    __tablename__ = "organizer"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    session_key: Mapped[str] = mapped_column(String(64), unique=True)
    invited_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    sealed_totp: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_step: Mapped[int | None] = mapped_column(BigInteger)
    recovery_codes: Mapped[list[str]] = mapped_column(JSON, default=list)
    failed_sign_ins: Mapped[int] = mapped_column(default=0)
    failed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    passkey_handle: Mapped[str | None] = mapped_column(String(64), unique=True)

    memberships: Mapped[list["Membership"]] = relationship(cascade="all, delete-orphan")
    passkeys: Mapped[list["Passkey"]] = relationship(cascade="all, delete-orphan", order_by="Passkey.id")


class Passkey(Base):
    """The public half of a key in an organizer's device or password manager (WebAuthn). Only that organizer sees it."""

    __tablename__ = "passkey"

    id: Mapped[int] = mapped_column(primary_key=True)
    organizer_id: Mapped[int] = mapped_column(ForeignKey("organizer.id"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1023), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(80))
    transports: Mapped[list[str]] = mapped_column(JSON)
    added_on: Mapped[date]
    used_on: Mapped[date | None]


class Membership(Base):
    """One organizer's role in one petition. The organizers of the petition may read it."""

    __tablename__ = "membership"

    organizer_id: Mapped[int] = mapped_column(ForeignKey("organizer.id"), primary_key=True)
    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"), primary_key=True)
    role: Mapped[Role] = mapped_column(choice(Role))
