"""The cookie of an organizer's session: it exists under /organize alone, and ends after twelve hours or an idle one.

It is signed, and nothing of it is kept here; replacing the organizer's ``session_key`` ends all of theirs.
"""

from collections.abc import MutableMapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

from campaign.periods import SESSION_IDLE, SESSION_LASTS
from campaign.web.core.sites import is_organizers

# A cookie with every answer could undo that of another tab; the idle hour may end so much earlier.
_NOTED_EVERY = timedelta(minutes=5)


def _is_over(kept: MutableMapping[str, Any], moment: float) -> bool:
    """Whether the session of somebody who signed in has lasted twelve hours, or was idle for one."""
    return "_user_id" in kept and not (
        0 <= moment - kept.get("began", 0) < SESSION_LASTS.total_seconds()
        and 0 <= moment - kept.get("seen", 0) < SESSION_IDLE.total_seconds()
    )


def _note_seen(kept: MutableMapping[str, Any], moment: float) -> None:
    if "_user_id" in kept and moment - kept["seen"] >= _NOTED_EVERY.total_seconds():
        kept["seen"] = moment


class OrganizerSessions(SecureCookieSessionInterface):
    """Whatever a library does in a request: outside /organize no session is read, none is kept, and none varies."""

    digest_method = staticmethod(sha256)  # its default is SHA-1

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if not is_organizers(request.path) or (kept := super().open_session(app, request)) is None:
            return self.session_class()
        now: datetime = app.extensions["campaign"].now()
        if _is_over(kept, now.timestamp()):
            kept.clear()
        _note_seen(kept, now.timestamp())
        return kept

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if is_organizers(request.path):
            super().save_session(app, session, response)
