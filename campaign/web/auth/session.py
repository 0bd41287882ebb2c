"""Who is signed in: the session and its cookie, the device cookie, and each attempt to prove who one is.

The session cookie exists under /organize alone. It is signed, and nothing of it is stored here; replacing the
organizer's ``session_key`` ends all sessions of the organizer.

The device cookie is the mark of a browser in which an organizer has signed in. Somebody who attacks an account does
not have it. So a stranger who types wrong passwords makes strangers wait, not the organizer (OWASP: device cookies).
It opens nothing by itself, and ends with the ``session_key`` too.
"""

import re
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Self, cast

from flask import Flask, Request, Response, current_app, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask_security import RoleMixin, UserMixin, auth_required, current_user, login_user
from flask_security.datastore import UserDatastore
from flask_wtf.csrf import generate_csrf
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from campaign.crypto.randomness import random_name
from campaign.db import Database
from campaign.models import Organizer
from campaign.periods import DEVICE_COOKIE_LASTS, PROOF_LASTS, SESSION_IDLE, SESSION_LASTS, seconds
from campaign.services.organizers.account import keep_rehashed
from campaign.services.organizers.sign_in import (
    FailureTally,
    admit,
    begin_attempt,
    find_by_session_key,
    find_organizer,
    lock_account,
)
from campaign.web.core.context import installation
from campaign.web.core.sites import SESSION_PATH, is_organizers

# A cookie with every answer could undo the cookie of another tab. The idle hour may end earlier by this time.
_NOTED_EVERY = timedelta(minutes=5)
_OUR_PAGES = re.compile(r"/organize/[\w./?=&%-]*", re.ASCII)

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
    """The organizer who is signed in; only for views behind ``signed_in``."""
    return cast("OrganizerUser", current_user)


class OrganizerStore(UserDatastore):
    """Finds organizers for Flask-Security. It changes none, except that it stores a password that is hashed again."""

    def __init__(self, database: Database) -> None:
        super().__init__(OrganizerUser, RoleMixin)
        self._database = database

    def find_user(self, case_insensitive: bool = False, **wanted: Any) -> OrganizerUser | None:  # noqa: ARG002, FBT001, FBT002 (the library's signature)
        """The organizer with the typed ``email``, or with the ``fs_uniquifier`` from a session."""
        with self._database.snapshots() as reading:
            if "email" in wanted:
                organizer = find_organizer(reading, wanted["email"])
            else:
                organizer = find_by_session_key(reading, wanted["fs_uniquifier"])
        return OrganizerUser.of(organizer) if organizer else None

    def put(self, model: OrganizerUser) -> OrganizerUser:
        """Store the same password, hashed again. Flask-Security calls this if the cost of argon2 was raised since."""
        with self._database.sessions.begin() as writing:
            keep_rehashed(writing, model.id, model.password)
        return model


class OrganizerSessions(SecureCookieSessionInterface):
    """Reads and writes the session cookie, under /organize alone.

    On other pages no library can read or begin a session, and no answer depends on one.
    """

    digest_method = staticmethod(sha256)  # its default is SHA-1

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if not is_organizers(request.path) or (kept := super().open_session(app, request)) is None:
            return self.session_class()
        now: datetime = app.extensions["installation"].now()
        if _is_over(kept, now.timestamp()):
            kept.clear()
        if "_user_id" in kept and now.timestamp() - kept["seen"] >= _NOTED_EVERY.total_seconds():
            kept["seen"] = now.timestamp()
        return kept

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if is_organizers(request.path):
            super().save_session(app, session, response)


def _is_over(kept: MutableMapping[str, Any], moment: float) -> bool:
    """Whether the session of an organizer has lasted twelve hours, or was idle for one."""
    return "_user_id" in kept and not (
        0 <= moment - kept.get("began", 0) < SESSION_LASTS.total_seconds()
        and 0 <= moment - kept.get("seen", 0) < SESSION_IDLE.total_seconds()
    )


def let_in(organizer_id: int, way: str, wanted: str | None) -> BaseResponse:
    """Begin the session of an organizer who has shown everything that is asked for; ``way`` names what it was."""
    with installation().database.sessions.begin() as writing:
        organizer = admit(writing, organizer_id, way, now=installation().now())
    _begin(OrganizerUser.of(organizer))
    return redirect(our_page(wanted), 303)


def _begin(user: OrganizerUser) -> None:
    """Begin a new session, so that nothing stays that an attacker put into the browser before."""
    session.clear()
    g.pop("csrf_token", None)
    login_user(user, remember=False, authn_via=["password"])
    session.pop("_id")  # a hash of the network's address, which nothing here reads
    g.device_mark = _device_signer(user.fs_uniquifier).dumps(random_name())
    session["began"] = session["seen"] = session["proved"] = installation().now().timestamp()
    generate_csrf()


def renew(user: OrganizerUser) -> None:
    """Begin another session after a proof; it ends no later than the one before."""
    began = session["began"]
    _begin(user)
    session["began"] = began


def is_fresh() -> bool:
    """Whether the organizer proved who they are within the last ten minutes."""
    age = installation().now().timestamp() - session.get("proved", 0)
    return bool(0 <= age < PROOF_LASTS.total_seconds())


def our_page(address: str | None) -> str:
    """The address to go to afterwards: ``address`` if it is a page of the organizers, else their first page."""
    if address and _OUR_PAGES.fullmatch(address) and "//" not in address:
        return address
    return url_for("organize.index")


@contextmanager
def changing() -> Iterator[tuple[Session, Organizer]]:
    """The account of the signed-in organizer, for a change that ends every session; this browser gets a new one.

    Raise to change nothing: the sessions then stay as well.
    """
    with installation().database.sessions.begin() as writing:
        organizer = lock_account(writing, current_organizer().id)
        yield writing, organizer
    renew(OrganizerUser.of(organizer))


def _device_cookie() -> str:
    return f"{current_app.config['SESSION_COOKIE_NAME']}-browser"


def _device_signer(session_key: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(installation().vault.session_secret, salt=f"known browser {session_key}")


def _find_device_mark(organizer: Organizer) -> str | None:
    """The mark that this browser got when this organizer signed in."""
    kept = request.cookies.get(_device_cookie(), "")
    try:
        return str(_device_signer(organizer.session_key).loads(kept, max_age=seconds(DEVICE_COOKIE_LASTS)))
    except BadSignature:
        return None


def send_device_cookie(response: Response) -> Response:
    """Put the device cookie on the answer if a session began in this request."""
    if "device_mark" in g:
        response.set_cookie(
            _device_cookie(),
            g.device_mark,
            max_age=seconds(DEVICE_COOKIE_LASTS),
            path=SESSION_PATH,
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Strict",
        )
    return response


def failures() -> FailureTally:
    """The failures that this process counts in memory."""
    return cast("FailureTally", current_app.extensions["failed_sign_ins"])


def attempt(organizer: Organizer, compare: Callable[[], bool], *, whole: bool = True) -> bool:
    """Whether ``compare`` says that it is the organizer, who must not be switched off. Raises TooSoon.

    The attempt is counted before anything is compared. ``whole`` says that nothing else is asked for after it, so that
    a success ends the failures of this browser. The failures of the account end in ``admit`` or ``end_failures``.
    """
    now, mark = installation().now(), _find_device_mark(organizer)
    known = mark is not None and not failures().is_worn_out(mark)
    with installation().database.sessions.begin() as writing:
        begin_attempt(writing, organizer.id, known_browser=known, now=now)
    if compare() and organizer.active:
        if mark and whole:
            failures().forget(mark)
        return True
    if mark:
        failures().note(mark, now=now)
    return False
