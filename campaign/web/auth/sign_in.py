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
from werkzeug.wrappers import Response as BaseResponse
from wtforms import HiddenField, PasswordField, StringField

from campaign.errors import LinkExpired
from campaign.installation.wiring import Installation
from campaign.models import Organizer
from campaign.periods import SESSION_LASTS, seconds
from campaign.services.organizers.account import choose_password as set_first_password
from campaign.services.organizers.members import get_welcomed
from campaign.services.organizers.second_factors import has_second_factor
from campaign.services.organizers.sign_in import (
    FailureTally,
    TooSoon,
    find_organizer,
    get_account,
    take_back_attempt,
    touch_nobody,
)
from campaign.text.email_address import comparable_spelling
from campaign.web.auth import second_factor
from campaign.web.auth.passwords import WelcomeForm, hash_password, password_matches
from campaign.web.auth.session import (
    OrganizerSessions,
    OrganizerStore,
    OrganizerUser,
    attempt,
    failures,
    let_in,
    send_device_cookie,
    signed_in,
)
from campaign.web.auth.webauthn import ask_for_passkey
from campaign.web.core.context import installation, reader_language
from campaign.web.core.forms import OrganizerForm
from campaign.web.core.security import Entry, entry
from campaign.web.core.sites import SESSION_PATH

blueprint = Blueprint("sign_in", __name__, url_prefix=SESSION_PATH)


def install(app: Flask, installation: Installation) -> None:
    """Set up sessions and Flask-Security, without any of its own pages."""
    app.session_interface = OrganizerSessions()
    is_https = installation.settings.organize_url.startswith("https:")
    app.config.update(
        # Browsers do not accept a name with this prefix over plain HTTP (RFC 6265bis §4.1.3).
        SESSION_COOKIE_NAME="__Secure-organizer" if is_https else "organizer",
        SESSION_COOKIE_PATH=SESSION_PATH,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=is_https,
        # The highest age of a cookie. It is not renewed, and a browser that is closed forgets it earlier.
        PERMANENT_SESSION_LIFETIME=SESSION_LASTS,
        # Phones, VPNs and Tor change the network often: a session that is tied to the network would end each time.
        SESSION_PROTECTION=None,
        WTF_CSRF_TIME_LIMIT=seconds(SESSION_LASTS),
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
    app.after_request(send_device_cookie)
    app.register_blueprint(blueprint)
    app.register_blueprint(second_factor.blueprint)


def _ask_to_sign_in(_mechanisms: list[str] | None, headers: dict[str, str] | None = None) -> BaseResponse:  # noqa: ARG001
    wanted = request.full_path.rstrip("?") if request.method in {"GET", "HEAD"} else None
    return redirect(url_for("sign_in.show", next=wanted))


@blueprint.after_request
def _keep_nowhere(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


class SignInForm(OrganizerForm):
    """Any text is looked up and compared: text that is no address belongs to no account."""

    email = StringField()
    password = PasswordField()
    next = HiddenField()


def _try_password(email: str, password: str) -> Organizer | None:
    """The organizer whose address and password these are. Raises TooSoon.

    An address without an account is counted, made to wait, hashed for and written for like one with an account.
    """
    with installation().database.snapshots() as reading:
        organizer = find_organizer(reading, email)
        whole = organizer is None or not has_second_factor(organizer)
    if organizer is not None:
        user = OrganizerUser.of(organizer)
        return organizer if attempt(organizer, lambda: password_matches(user, password), whole=whole) else None
    failures().begin(comparable_spelling(email), now=installation().now())
    with installation().database.sessions.begin() as writing:
        touch_nobody(writing)
    password_matches(None, password)
    return None


def _go_on(organizer_id: int, way: str, wanted: str | None) -> BaseResponse:
    """After the right password or link: ask for the second factor, or begin the session if there is none."""
    with installation().database.sessions.begin() as writing:
        organizer = get_account(writing, organizer_id)
        asks = has_second_factor(organizer)
        if asks and way == "password":  # a link is no attempt
            take_back_attempt(writing, organizer_id)
    return second_factor.ask_for_second_factor(organizer, way, wanted) if asks else let_in(organizer_id, way, wanted)


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
        organizer = _try_password(form.email.data or "", form.password.data or "")
    except TooSoon as early:
        return _sign_in_page(form, too_soon=early), 429, {"Retry-After": str(early.seconds)}
    if organizer is None:
        return _sign_in_page(form, failed=True), 422
    return _go_on(organizer.id, "password", form.next.data)


@blueprint.post("/sign-out")
@entry(Entry.ORGANIZER)
@signed_in
def sign_out() -> BaseResponse:
    OrganizerForm().require_valid()
    logout_user()
    session.clear()
    return redirect(url_for("sign_in.show"), 303)


@blueprint.errorhandler(LinkExpired)
def _link_ended(_error: LinkExpired) -> tuple[str, int]:
    _ = reader_language().gettext
    advice = _("It was used already or is older than three days. The person who runs the server can make a new one.")
    return render_template("core/error.html", title=_("This link is no longer valid"), advice=advice), 410


def _find_address(organizer_id: int, token: str) -> str:
    with installation().database.snapshots() as reading:
        return get_welcomed(reading, installation().vault, organizer_id, token, now=installation().now()).email


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
    # Hashed before the transaction: hashing is slow, and nobody else could write meanwhile.
    password_hash = hash_password(form.password.data or "")
    with installation().database.sessions.begin() as writing:
        set_first_password(writing, installation().vault, organizer_id, token, password_hash, now=installation().now())
    return _go_on(organizer_id, "link", None)
