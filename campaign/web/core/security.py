"""Who may enter where, what headers go out, and how a form proves that it comes from our own page."""

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
from campaign.web.core.context import campaign

View = TypeVar("View", bound=Callable[..., Any])
N_ = str  # marks a sentence for the translators; the page translates it

# Pico draws its ticks and arrows from `data:` addresses.
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# Whatever is answered there, errors too.
_PERSONAL = ("/organize", "/me/", "/confirm/", "/unsubscribe/")


class Entry(StrEnum):
    """Who may use a route. Every route declares one; a test reads them all."""

    PUBLIC = "anyone"
    LINK = "whoever has the link from the mail"
    ORGANIZER = "a signed-in organizer, with a role where a petition is named"
    LOCAL = "this machine alone"


def entry(who: Entry) -> Callable[[View], View]:
    """Declare who may use a view."""

    def declare(view: View) -> View:
        cast("Any", view).entry = who
        return view

    return declare


def entry_of(view: Callable[..., Any]) -> Entry | None:
    """Who may use a view, None where nobody declared it."""
    return getattr(view, "entry", None)


def install(app: Flask, *, https: bool) -> None:
    """Put the headers on every answer, and take no address that is none."""

    @app.before_request
    def _readable() -> None:
        # An address is ASCII (RFC 3986 §2); the library would fail on other bytes wherever the query is looked at.
        if not request.query_string.isascii():
            abort(400)
        # A proxy may hand on what a visitor says of it (X-Forwarded-Proto), and links are made of it.
        if request.scheme not in {"http", "https"}:
            abort(400)

    @app.before_request
    def _refuse_large_bodies() -> None:
        # Flask refuses one when it is read; a view that reads none would answer it.
        if (request.content_length or 0) > app.config["MAX_CONTENT_LENGTH"]:
            abort(413)

    @app.after_request
    def _headers(response: Response) -> Response:
        headers = response.headers
        # A puzzle is for one person; what comes back from a form shows what was typed.
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
        # Not no-referrer on public pages: browsers would then hide the Origin that protects the form.
        headers.setdefault("Referrer-Policy", "same-origin")
        return response


def _policy() -> str:
    scripts = "; script-src 'self'" if "has_script" in g else ""
    return _CONTENT_SECURITY_POLICY + scripts + ("; connect-src 'self'" if "may_ask" in g else "")


def allow_script(*, asks: bool = False) -> None:
    """Let the page that answers this request run scripts of this server, which may ask this server for more."""
    g.has_script = True
    if asks:
        g.may_ask = True


def allow_everywhere(response: Response) -> None:
    """Let pages of other websites use the answer, which is the same for everybody and says nothing of anybody."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"


def allow_puzzle() -> None:
    """Keep the page that answers this request out of caches: the puzzle on it is for one person."""
    g.has_puzzle = True


def _form_signer() -> URLSafeTimedSerializer:
    secret = campaign().vault.session_secret
    # Its default is SHA-1.
    return URLSafeTimedSerializer(secret, salt="public form", signer_kwargs={"digest_method": sha256})


class SameOrigin(CSRF):
    """The public form's proof of origin, which needs no session and no cookie (docs/decisions/0005).

    Browsers say where a form was sent from: Sec-Fetch-Site (Fetch Metadata), else Origin (RFC 6454). One that says
    neither sends back the token from the page.
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
    """Whether the browser says that our page sent the form; None where it says nothing."""
    if (site := request.headers.get("Sec-Fetch-Site")) is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin", "null")
    if origin == "null":
        return None
    return urlsplit(origin).netloc in (request.host, urlsplit(campaign().settings.base_url).netloc)


def form_age(token: str | None) -> float | None:
    """Seconds since the page with this token was made; None for a token that is not ours or older than a week."""
    try:
        _, made = _form_signer().loads(token or "", max_age=seconds(FORM_LASTS), return_timestamp=True)
    except BadSignature:
        return None
    return cast("float", (campaign().now() - made).total_seconds())
