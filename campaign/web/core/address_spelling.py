"""Addresses of a petition as people type and copy them: in capitals, with a slash or a full stop at the end."""

import re
from urllib.parse import urlencode

from flask import Flask, redirect, request
from werkzeug.wrappers import Response

from campaign.i18n import available_languages
from campaign.web.core.referral_links import carried

# Only letters, digits, hyphens and stops come into the new address, so it leads nowhere but to a page of ours.
_PETITION = re.compile(
    r"(?P<lang>/[a-z]{2,3}(?:-[a-z]{2,4})?)?/p/(?P<slug>[a-z0-9-]+)(?P<rest>(?:/[a-z0-9-]+(?:\.[a-z0-9]+)?)*)[/.,;:!)\]>]*",
    re.IGNORECASE,
)
_KEPT = "public, max-age=3600"


def plain_spelling(path: str) -> str:
    """The address that ``path`` means; ``path`` itself if it is spelled well, or is no address of a petition."""
    found = _PETITION.fullmatch(path)
    if found is None:
        return path
    codes = {f"/{code.casefold()}": f"/{code}" for code in available_languages()}
    lang = found["lang"] or ""
    return f"{codes.get(lang.casefold(), lang)}/p/{found['slug'].lower()}{found['rest']}"


def install(app: Flask) -> None:
    """Lead a reader of a misspelled address to the page, with the word of the link by which the reader came."""

    @app.before_request
    def _lead_to_page() -> Response | None:
        if request.method not in ("GET", "HEAD"):
            return None
        meant = plain_spelling(request.path)
        if meant == request.path:
            return None
        if not app.url_map.bind("").test(meant, "GET"):
            return None
        answer = redirect(meant + (f"?{urlencode(carried())}" if carried() else ""), 301)
        answer.headers["Cache-Control"] = _KEPT
        return answer
