"""Security of pages: who may use a route, the headers of answers, and how a form proves that it is from our page."""

from collections.abc import Callable
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, request
from itsdangerous import BadSignature, URLSafeSerializer
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


def _form_signer() -> URLSafeSerializer:
    secret = installation().vault.session_secret
    # Its default is SHA-1.
    return URLSafeSerializer(secret, salt="public form", signer_kwargs={"digest_method": sha256})


NOT_CHECKED: Final = N_("The form could not be checked. Please send it again.")
TOO_OLD: Final = N_("This page was loaded more than a week ago. What you typed is kept. Please press the button again.")
CLOCK_CHANGED: Final = N_(
    "The clock of this server was changed after this page was loaded. What you typed is kept. "
    "Please press the button again."
)


class SameOrigin(CSRF):
    """The proof that a public form comes from our page, without a session or a cookie (docs/decisions/0005).

    Browsers tell from where a form was sent: Sec-Fetch-Site (Fetch Metadata), else Origin (RFC 6454). From a browser
    that sends neither, the token from the page is accepted.
    """

    def generate_csrf_token(self, _csrf_token_field: Field) -> str:
        """The token of the first page for a form that is shown again, so that its time counts from then.

        If that token cannot be used, the new one is as old as a form has to be: whoever was told to press the button
        again does not have to wait first.
        """
        sent, made = request.form.get("csrf_token"), installation().now().timestamp()
        if request.method == "POST":
            if sent is not None and find_problem(sent) is None:
                return sent
            made -= installation().settings.form_min_seconds
        return _form_signer().dumps(int(made))

    def validate_csrf_token(self, _form: Any, field: Field) -> None:
        ours = _sent_from_here()
        problem = find_problem(field.data) if ours is None else None if ours else NOT_CHECKED
        if problem is not None:
            raise ValidationError(problem)


def _sent_from_here() -> bool | None:
    """Whether the browser tells that our page sent the form; None if it does not tell."""
    if (site := request.headers.get("Sec-Fetch-Site")) is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin", "null")
    if origin == "null":
        return None
    return urlsplit(origin).netloc in (request.host, urlsplit(installation().settings.base_url).netloc)


def form_age(token: str | None) -> float | None:
    """Seconds since the form was first shown; negative if the clock was set back; None if the token is not ours."""
    try:
        made = _form_signer().loads(token or "")
    except BadSignature:
        return None
    return installation().now().timestamp() - made if isinstance(made, int) else None


def find_problem(token: str | None) -> str | None:
    """Why the token of a form cannot be used, as a sentence for the translators; None if it can."""
    age = form_age(token)
    if age is None:
        return NOT_CHECKED
    if age > seconds(FORM_LASTS):
        return TOO_OLD
    return CLOCK_CHANGED if age < 0 else None
