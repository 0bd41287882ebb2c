"""The mark of a browser in which an organizer has signed in: whoever attacks an account does not have it.

So a stranger who types wrong passwords can make strangers wait, not the organizer (OWASP: device cookies). It opens
nothing by itself, and ends with the ``session_key``.
"""

from flask import Response, current_app, g, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from campaign.crypto.randomness import random_name
from campaign.models import Organizer
from campaign.periods import DEVICE_COOKIE_LASTS, seconds
from campaign.web.core.context import campaign
from campaign.web.core.sites import SESSION_PATH


def _cookie() -> str:
    return f"{current_app.config['SESSION_COOKIE_NAME']}-browser"


def _signer(session_key: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(campaign().vault.session_secret, salt=f"known browser {session_key}")


def find_mark(organizer: Organizer) -> str | None:
    """The mark that this browser got when this organizer signed in."""
    try:
        return str(
            _signer(organizer.session_key).loads(
                request.cookies.get(_cookie(), ""), max_age=seconds(DEVICE_COOKIE_LASTS)
            )
        )
    except BadSignature:
        return None


def mark_browser(session_key: str) -> None:
    """Give the browser that is answered a mark."""
    g.browser_mark = _signer(session_key).dumps(random_name())


def keep_mark(response: Response) -> Response:
    """Send the mark along, where one was given."""
    if "browser_mark" in g:
        response.set_cookie(
            _cookie(),
            g.browser_mark,
            max_age=seconds(DEVICE_COOKIE_LASTS),
            path=SESSION_PATH,
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Strict",
        )
    return response
