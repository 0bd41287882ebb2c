"""The cookie that shows that a browser posted a signature, or that the code from the mail was typed in it.

Every posted form leaves such a cookie, so the cookie does not tell whether the address is known.
"""

from flask import request
from werkzeug.wrappers import Response

from campaign.periods import CONFIRM_WITHIN, seconds
from campaign.web.core.context import installation

_COOKIE = "signing"
# A family may sign on one phone.
_MOST = 8


def browser_marks() -> tuple[str, ...]:
    """The marks that this browser got lately."""
    return tuple(request.cookies.get(_COOKIE, "").split(".")[:_MOST])


def remember_mark(answer: Response, mark: str) -> None:
    """Let the browser keep ``mark`` for as long as the link in the mail works."""
    kept = [mark, *(known for known in browser_marks() if known and known != mark)][:_MOST]
    answer.set_cookie(
        _COOKIE,
        ".".join(kept),
        max_age=seconds(CONFIRM_WITHIN),
        path="/",
        httponly=True,
        secure=installation().settings.base_url.startswith("https:"),
        samesite="Lax",
    )
