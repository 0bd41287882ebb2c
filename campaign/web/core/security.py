"""Security of pages: who may use a route, the headers of answers, and how a form proves that it is from our page."""

from collections.abc import Callable
from enum import StrEnum
from hashlib import sha256
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from wtforms import Field, ValidationError
from wtforms.csrf.core import CSRF

from campaign.periods import FORM_LASTS, seconds
from campaign.web.core.context import installation

View = TypeVar("View", bound=Callable[..., Any])
N_ = str  # marks a sentence for the translators; the page translates it

# Pico draws its ticks and arrows from `data:` addresses.
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# All answers under these addresses are personal, errors too.
_PERSONAL = ("/organize", "/me/", "/confirm/", "/unsubscribe/")


class Entry(StrEnum):
    """Who may use a route. Every route declares one; a test reads them all."""

    PUBLIC = "anyone"
    LINK = "a person who has the link from the mail"
    ORGANIZER = "a signed-in organizer, with a role where a petition is named"
    LOCAL = "this machine alone"


def entry(who: Entry) -> Callable[[View], View]:
    """Declare who may use a view."""

    def declare(view: View) -> View:
        cast("Any", view).entry = who
        return view

    return declare


def entry_of(view: Callable[..., Any]) -> Entry | None:
    """Who may use a view; None if the view does not declare it."""
    return getattr(view, "entry", None)


def install(app: Flask, *, https: bool) -> None:
    """Put the headers on every answer, and refuse addresses that are malformed."""

    @app.before_request
    def _readable() -> None:
        # An address is ASCII (RFC 3986 §2). The library would fail on other bytes as soon as the query is read.
        if not request.query_string.isascii():
            abort(400)
        # A proxy may pass a visitor's X-Forwarded-Proto on, and links are made from it.
        if request.scheme not in {"http", "https"}:
            abort(400)

    @app.before_request
    def _refuse_large_bodies() -> None:
        # Flask refuses a large body when it is read; a view that reads no body would answer it.
        if (request.content_length or 0) > app.config["MAX_CONTENT_LENGTH"]:
            abort(413)

    @app.after_request
    def _headers(response: Response) -> Response:
        headers = response.headers
        # A puzzle is for one person, and the answer to a form shows what was typed.
        if "has_puzzle" in g or request.method == "POST":
            headers["Cache-Control"] = "no-store"
        headers.setdefault("Content-Security-Policy", _policy())
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
        if https:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        view = current_app.view_functions.get(request.endpoint or "")
        is_personal = view is not None and entry_of(view) in (Entry.LINK, Entry.ORGANIZER)
        if is_personal or request.path.startswith(_PERSONAL):
            headers["Cache-Control"] = "no-store"
            headers.setdefault("Referrer-Policy", "no-referrer")
        # Not no-referrer on public pages: browsers would then hide the Origin header, which protects the form.
        headers.setdefault("Referrer-Policy", "same-origin")
        return response


def _policy() -> str:
    scripts = "; script-src 'self'" if "has_script" in g else ""
    return _CONTENT_SECURITY_POLICY + scripts + ("; connect-src 'self'" if "may_ask" in g else "")


def allow_script(*, asks: bool = False) -> None:
    """Let the page that answers this request run our scripts; with ``asks`` they may send requests to this server."""
    g.has_script = True
    if asks:
        g.may_ask = True


def allow_everywhere(response: Response) -> None:
    """Let pages of other websites use the answer, which is the same for everybody and has no personal data."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"


def allow_puzzle() -> None:
    """Keep the page that answers this request out of caches: the puzzle on it is for one person."""
    g.has_puzzle = True


def _form_signer() -> URLSafeTimedSerializer:
    secret = installation().vault.session_secret
    # Its default is SHA-1.
    return URLSafeTimedSerializer(secret, salt="public form", signer_kwargs={"digest_method": sha256})


class SameOrigin(CSRF):
    """The proof that a public form comes from our page, without a session or a cookie (docs/decisions/0005).

    Browsers tell from where a form was sent: Sec-Fetch-Site (Fetch Metadata), else Origin (RFC 6454). From a browser
    that sends neither, the token from the page is accepted.
    """

    def generate_csrf_token(self, _csrf_token_field: Field) -> str:
        return _form_signer().dumps("")

    def validate_csrf_token(self, _form: Any, field: Field) -> None:
        ours = _sent_from_here()
        if ours is None:
            ours = form_age(field.data) is not None
        if not ours:
            raise ValidationError(N_("The form could not be checked. Please send it again."))


def _sent_from_here() -> bool | None:
    """Whether the browser tells that our page sent the form; None if it does not tell."""
    if (site := request.headers.get("Sec-Fetch-Site")) is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin", "null")
    if origin == "null":
        return None
    return urlsplit(origin).netloc in (request.host, urlsplit(installation().settings.base_url).netloc)


def form_age(token: str | None) -> float | None:
    """Seconds since the page with this token was made; None if the token is not ours or is older than a week."""
    try:
        _, made = _form_signer().loads(token or "", max_age=seconds(FORM_LASTS), return_timestamp=True)
    except BadSignature:
        return None
    return cast("float", (installation().now() - made).total_seconds())
