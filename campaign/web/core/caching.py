"""Public answers that any cache may keep for a while, so that a proxy carries a crowd; and files kept for ever."""

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, Response, current_app, make_response, request

from campaign.periods import PAGE_CACHED, seconds

_FOR_EVER = "public, max-age=31536000, immutable"


def cached_for_all(page: str, *, but_for: str = "") -> Response:
    """The page for everybody: no cookie, kept for a moment, then asked for again by what it shows (RFC 9110 §13).

    ``but_for`` is what differs each time and does not matter. It is told to be another page every day, so that no
    form grows so old that it is refused.
    """
    answer = make_response(page)
    today = current_app.extensions["campaign"].now().date().isoformat()
    shown = f"{today}{page.replace(but_for, '') if but_for else page}"
    answer.set_etag(hashlib.sha256(shown.encode()).hexdigest()[:32], weak=True)
    # A proxy keeps it; a browser asks, so that who has just signed sees the number that they are in.
    answer.headers["Cache-Control"] = f"public, max-age=0, s-maxage={seconds(PAGE_CACHED)}"
    answer.make_conditional(request)
    return answer


def kept_for_ever(answer: Response) -> Response:
    """An answer whose address changes when its content does."""
    answer.headers["Cache-Control"] = _FOR_EVER
    return answer


def install(app: Flask) -> None:
    """Name each static file by its content too, so that browsers need not ask again whether it has changed."""

    @cache
    def version_of(filename: str) -> str:
        file = Path(app.static_folder or "") / filename
        return hashlib.sha256(file.read_bytes()).hexdigest()[:12] if file.is_file() else ""

    @app.url_defaults
    def _name_version(endpoint: str, values: dict[str, str]) -> None:
        if endpoint == "static":
            values["v"] = version_of(values["filename"])

    @app.after_request
    def _keep_static(answer: Response) -> Response:
        if request.endpoint == "static" and answer.status_code == 200:
            version = version_of((request.view_args or {})["filename"])
            # Not request.args, which fails on a query that is none, and so would its error page.
            if request.query_string == f"v={version}".encode():
                kept_for_ever(answer)
        return answer
