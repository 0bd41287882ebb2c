"""Organizers sign in and out, and choose a password behind the one-time link of their invitation."""

from flask import (
    Blueprint,
    Flask,
    Response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_security import Security, logout_user
from flask_wtf.csrf import generate_csrf
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from campaign.errors import LinkExpired
from campaign.installation.wiring import Campaign
from campaign.models import Organizer
from campaign.periods import SESSION_LASTS
from campaign.services.organizers.members import get_welcomed, set_password
from campaign.services.organizers.sign_in_throttle import TooSoon, record_change
from campaign.web.auth import second_step
from campaign.web.auth.attempts import try_password
from campaign.web.auth.device_cookies import keep_mark
from campaign.web.auth.forms import OrganizerForm, SignInForm, WelcomeForm
from campaign.web.auth.login import go_on
from campaign.web.auth.passwords import hash_password
from campaign.web.auth.session_cookie import OrganizerSessions
from campaign.web.auth.users import OrganizerStore, signed_in
from campaign.web.auth.webauthn import ask_for_passkey
from campaign.web.core.context import campaign, reader_language
from campaign.web.core.security import Entry, entry
from campaign.web.core.sites import SESSION_PATH
from campaign.web.limits.sign_in_failures import FailureTally

blueprint = Blueprint("signing_in", __name__, url_prefix=SESSION_PATH)


def install(app: Flask, installation: Campaign) -> None:
    """Know organizers by their session. None of Flask-Security's own pages is registered."""
    app.session_interface = OrganizerSessions()
    is_https = installation.settings.organize_url.startswith("https:")
    app.config.update(
        # Browsers take a name with this prefix from nobody who speaks plain HTTP (RFC 6265bis §4.1.3).
        SESSION_COOKIE_NAME="__Secure-organizer" if is_https else "organizer",
        SESSION_COOKIE_PATH=SESSION_PATH,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=is_https,
        # How old a cookie is taken. None is renewed, and a browser that is closed forgets it earlier.
        PERMANENT_SESSION_LIFETIME=SESSION_LASTS,
        # Phones, VPNs and Tor change the network all the time: a session bound to it would end at every turn.
        SESSION_PROTECTION=None,
        WTF_CSRF_TIME_LIMIT=int(SESSION_LASTS.total_seconds()),
        SECURITY_PASSWORD_SCHEMES=["argon2"],
        SECURITY_PASSWORD_SINGLE_HASH={"argon2"},
        SECURITY_CLI_USERS_NAME=None,
        SECURITY_CLI_ROLES_NAME=None,
    )
    security = Security(app, OrganizerStore(installation.database), register_blueprint=False)
    # The session alone signs in: no token in a header or in an address, no answer in JSON.
    security.login_manager.request_loader(lambda _request: None)
    security.want_json(lambda _request: False)
    security.unauthn_handler(_ask_to_sign_in)
    app.extensions["failed_sign_ins"] = FailureTally()
    app.jinja_env.globals["csrf_token"] = generate_csrf
    app.after_request(keep_mark)
    app.register_blueprint(blueprint)
    app.register_blueprint(second_step.blueprint)


def _ask_to_sign_in(_mechanisms: list[str] | None, headers: dict[str, str] | None = None) -> BaseResponse:  # noqa: ARG001
    wanted = request.full_path.rstrip("?") if request.method in {"GET", "HEAD"} else None
    return redirect(url_for("signing_in.show", next=wanted))


@blueprint.after_request
def _keep_nowhere(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def _sign_in_page(form: SignInForm, *, failed: bool = False, too_soon: TooSoon | None = None) -> str:
    return render_template(
        "auth/sign_in.html",
        form=form,
        wanted=form.next.data or request.args.get("next", ""),
        asked=ask_for_passkey(None),
        failed=failed,
        passkey_refused=request.args.get("refused") == "passkey",
        too_soon=too_soon,
    )


@blueprint.get("/sign-in")
@entry(Entry.PUBLIC)
def show() -> str:
    return _sign_in_page(SignInForm())


@blueprint.post("/sign-in")
@entry(Entry.PUBLIC)
def sign_in() -> BaseResponse | tuple[str, int] | tuple[str, int, dict[str, str]]:
    form = SignInForm()
    form.require_valid()
    try:
        organizer = try_password(form.email.data or "", form.password.data or "")
    except TooSoon as early:
        return _sign_in_page(form, too_soon=early), 429, {"Retry-After": str(early.seconds)}
    if organizer is None:
        return _sign_in_page(form, failed=True), 422
    return go_on(organizer.id, "password", form.next.data)


@blueprint.post("/sign-out")
@entry(Entry.ORGANIZER)
@signed_in
def sign_out() -> BaseResponse:
    OrganizerForm().require_valid()
    logout_user()
    session.clear()
    return redirect(url_for("signing_in.show"), 303)


@blueprint.errorhandler(LinkExpired)
def _link_ended(_error: LinkExpired) -> tuple[str, int]:
    _ = reader_language().gettext
    advice = _("It was used already or is older than three days. Whoever runs the server can make a new one.")
    return render_template("core/error.html", title=_("This link is no longer valid"), advice=advice), 410


def _get_welcomed(reading: Session, organizer_id: int, token: str) -> Organizer:
    return get_welcomed(reading, campaign().vault, organizer_id, token, now=campaign().now())


def _find_address(organizer_id: int, token: str) -> str:
    with campaign().database.snapshots() as snapshot:
        return _get_welcomed(snapshot, organizer_id, token).email


def _welcome_page(form: WelcomeForm, email: str) -> str:
    return render_template("auth/welcome.html", form=form, email=email)


@blueprint.get("/welcome/<int(max=2147483647):organizer_id>/<token>")
@entry(Entry.LINK)
def welcome(organizer_id: int, token: str) -> str:
    email = _find_address(organizer_id, token)
    return _welcome_page(WelcomeForm(email), email)


@blueprint.post("/welcome/<int(max=2147483647):organizer_id>/<token>")
@entry(Entry.LINK)
def choose_password(organizer_id: int, token: str) -> BaseResponse | tuple[str, int]:
    email = _find_address(organizer_id, token)
    form = WelcomeForm(email)
    if not form.validate():
        form.require_token()
        return _welcome_page(form, email), 422
    # Hashed before the transaction: it takes its time, and nobody else could write meanwhile.
    password_hash = hash_password(form.password.data or "")
    with campaign().database.sessions.begin() as writing:
        writing.get(Organizer, organizer_id, with_for_update=True)  # of two at once one finds the link used
        organizer = _get_welcomed(writing, organizer_id, token)
        set_password(organizer, password_hash)
        record_change(writing, organizer, "password changed", now=campaign().now())
    return go_on(organizer_id, "link", None)
