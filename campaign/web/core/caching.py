"""Caching: public pages may be cached for a moment, so that a proxy serves a crowd; static files for ever."""

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, Response, current_app, make_response, request

from campaign.periods import PAGE_CACHED, seconds

_FOR_EVER = "public, max-age=31536000, immutable"


def cached_for_all(page: str, *, but_for: str = "") -> Response:
    """Let caches keep a page that is the same for everybody, and ask again by its ETag (RFC 9110 §13).

    ``but_for`` is the part that differs each time and does not matter for the ETag. The ETag changes every day, so that
    no cached form grows so old that it is refused.
    """
    answer = make_response(page)
    today = current_app.extensions["installation"].now().date().isoformat()
    shown = f"{today}{page.replace(but_for, '') if but_for else page}"
    answer.set_etag(hashlib.sha256(shown.encode()).hexdigest()[:32], weak=True)
    # A proxy keeps the page. A browser asks again after a second, so that a person who has just signed sees the new
    # number. HAProxy keeps no page that says max-age=0, whatever s-maxage says. A page that is just over may still be
    # shown while the proxy asks for the next one (RFC 5861), so that one request reaches us and not the whole crowd.
    kept = seconds(PAGE_CACHED)
    answer.headers["Cache-Control"] = f"public, max-age=1, s-maxage={kept}, stale-while-revalidate={kept}"
    answer.make_conditional(request)
    return answer


def kept_for_ever(answer: Response) -> Response:
    """Let caches keep an answer for ever; its address changes when its content changes."""
    answer.headers["Cache-Control"] = _FOR_EVER
    return answer


def install(app: Flask) -> None:
    """Put a hash of its content into each static file's address, so that browsers need not ask if it has changed."""

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
            # Not request.args: it fails on a malformed query, and the error page would fail too.
            if request.query_string == f"v={version}".encode():
                kept_for_ever(answer)
        return answer
