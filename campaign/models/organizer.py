"""Organizers, and what each may do with which petition."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from campaign.db import Base, UTCDateTime
from campaign.models.column_types import choice


class Role(StrEnum):
    """``owner`` does everything, ``editor`` sends digests, ``exporter`` takes lists, ``viewer`` sees numbers."""

    OWNER = "owner"
    EDITOR = "editor"
    EXPORTER = "exporter"
    VIEWER = "viewer"


class Organizer(Base):
    """``session_key`` is in the organizer's session cookies and sign-in links: replacing it ends them all."""

    __tablename__ = "organizer"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    session_key: Mapped[str] = mapped_column(String(64), unique=True)
    invited_until: Mapped[datetime | None] = mapped_column(UTCDateTime)

    memberships: Mapped[list["Membership"]] = relationship(cascade="all, delete-orphan")


class Membership(Base):
    __tablename__ = "membership"

    organizer_id: Mapped[int] = mapped_column(ForeignKey("organizer.id"), primary_key=True)
    petition_id: Mapped[int] = mapped_column(ForeignKey("petition.id"), primary_key=True)
    role: Mapped[Role] = mapped_column(choice(Role))
