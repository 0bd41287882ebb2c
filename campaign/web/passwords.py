"""Passwords as they are kept and compared: argon2 of one Unicode form, and one hash for every attempt."""

from typing import cast

from flask import current_app
from flask_security import hash_password as hash_normalized

from campaign.web.accounts import OrganizerUser

# Characters; passlib refuses to hash more (PASSLIB_MAX_PASSWORD_SIZE).
_MOST = 4096


def _normalize(password: str) -> str:
    return cast("str", current_app.extensions["security"].password_util.normalize(password))


def hash_password(password: str) -> str:
    """The password as it is kept: argon2 of the Unicode form in which signing in compares it."""
    return hash_normalized(_normalize(password))


def password_matches(user: OrganizerUser | None, typed: str) -> bool:
    """Whether it is this organizer's password. Nobody's, or one who has none, costs as much time as a wrong one.

    So does one of more characters than passlib takes, which nobody can have chosen.
    """
    given = _normalize(typed)
    if user is None or not user.password or len(given) > _MOST:
        hash_normalized(given[:_MOST])
        return False
    return bool(user.verify_and_update_password(given))
