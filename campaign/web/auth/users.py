"""Organizers as Flask-Security sees them."""

from dataclasses import dataclass
from typing import Any, Self, cast

from flask_security import RoleMixin, UserMixin, auth_required, current_user
from flask_security.datastore import UserDatastore
from sqlalchemy import select

from campaign.db import Database
from campaign.models import Organizer
from campaign.services.organizers.members import find_organizer

signed_in = auth_required("session")


@dataclass(slots=True, eq=False)
class OrganizerUser(UserMixin):
    """An organizer under the names that Flask-Security uses: ``fs_uniquifier`` is our ``session_key``."""

    id: int
    email: str
    password: str | None
    active: bool
    fs_uniquifier: str

    @classmethod
    def of(cls, organizer: Organizer) -> Self:
        return cls(organizer.id, organizer.email, organizer.password_hash, organizer.active, organizer.session_key)


def current_organizer() -> OrganizerUser:
    """Who is signed in; only for views that ask for it."""
    return cast("OrganizerUser", current_user)


class OrganizerStore(UserDatastore):
    """Finds organizers for Flask-Security. It makes and changes none, but for a password hashed anew."""

    def __init__(self, database: Database) -> None:
        super().__init__(OrganizerUser, RoleMixin)
        self._database = database

    def find_user(self, case_insensitive: bool = False, **wanted: Any) -> OrganizerUser | None:  # noqa: ARG002, FBT001, FBT002 (the library's signature)
        """By ``email`` as it was typed, or by the ``fs_uniquifier`` from a session."""
        with self._database.snapshots() as session:
            if "email" in wanted:
                organizer = find_organizer(session, wanted["email"])
            else:
                mine = Organizer.session_key == wanted["fs_uniquifier"]
                organizer = session.scalars(select(Organizer).where(mine)).one_or_none()
        return OrganizerUser.of(organizer) if organizer else None

    def put(self, model: OrganizerUser) -> OrganizerUser:
        """Called after a sign-in when argon2's cost was raised since the password was hashed."""
        with self._database.sessions.begin() as session:
            session.get_one(Organizer, model.id).password_hash = model.password
        return model
