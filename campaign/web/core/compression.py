"""Compression of public pages and files: over a slow line a page arrives in a quarter of the time.

Only answers that everybody may read are compressed. A page with a secret beside text that somebody else chose is never
compressed: its length would disclose the secret (BREACH).
"""

import gzip
from functools import lru_cache

from flask import Flask, Response, request

_TEXT = {"text/html", "text/css", "text/javascript", "application/json", "image/svg+xml", "application/atom+xml"}
_WORTH_IT = 500  # bytes; a shorter answer fits into one packet anyway
_LEVEL = 6
_squeeze = lru_cache(maxsize=64)(lambda content: gzip.compress(content, _LEVEL, mtime=0))


def install(app: Flask) -> None:
    """Compress public answers for clients that accept gzip."""

    @app.after_request
    def _compress(answer: Response) -> Response:
        is_static = request.endpoint == "static"
        if not (is_static or answer.cache_control.public) or answer.mimetype not in _TEXT:
            return answer
        answer.vary.add("Accept-Encoding")
        if answer.status_code != 200 or "Content-Encoding" in answer.headers or not request.accept_encodings["gzip"]:
            return answer
        answer.direct_passthrough = False
        content = answer.get_data()
        if len(content) < _WORTH_IT:
            return answer
        answer.set_data(_squeeze(content))
        answer.headers["Content-Encoding"] = "gzip"
        if (tag := answer.get_etag()[0]) is not None:
            answer.set_etag(tag, weak=True)  # the same content, not the same bytes
        return answer
