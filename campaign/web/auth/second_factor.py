"""The second factor: how it is checked, the page that asks for it, and signing in with a passkey alone."""

from flask import Blueprint, redirect, render_template, session, url_for
from werkzeug.wrappers import Response
from wtforms import StringField

from campaign.models import Organizer
from campaign.periods import HALF_SIGN_IN_LASTS
from campaign.services.organizers.passkeys import PasskeyRefused
from campaign.services.organizers.second_factors import use_app_code, use_recovery_code
from campaign.services.organizers.sign_in import TooSoon, find_by_session_key
from campaign.web.auth.session import attempt, let_in
from campaign.web.auth.webauthn import PasskeyForm, accept, ask_for_passkey
from campaign.web.core.context import installation
from campaign.web.core.security import Entry, entry
from campaign.web.core.sites import SESSION_PATH

blueprint = Blueprint("second_factor", __name__, url_prefix=f"{SESSION_PATH}/sign-in")
Answer = Response | tuple[str, int] | tuple[str, int, dict[str, str]]


class CodeForm(PasskeyForm):
    """A code of the app or a recovery code, or a passkey."""

    code = StringField()


def is_passkey(organizer_id: int, form: PasskeyForm) -> bool:
    """Whether the form has the answer of one of the organizer's passkeys."""
    try:
        with installation().database.sessions.begin() as writing:
            accept(writing, form, organizer_id)
    except PasskeyRefused:
        return False
    return True


def is_app_code(organizer_id: int, form: CodeForm) -> bool:
    """Whether the form has a code of the organizer's app, which is used up by it."""
    with installation().database.sessions.begin() as writing:
        return use_app_code(writing, organizer_id, installation().vault, form.code.data or "", now=installation().now())


def _find_shown(organizer_id: int, form: CodeForm) -> str | None:
    """Which valid second factor the form has: ``passkey``, ``app`` or ``recovery code``; None if it has none."""
    if form.passkey.data:
        return "passkey" if is_passkey(organizer_id, form) else None
    if is_app_code(organizer_id, form):
        return "app"
    with installation().database.sessions.begin() as writing:
        return "recovery code" if use_recovery_code(writing, organizer_id, form.code.data or "") else None


def ask_for_second_factor(organizer: Organizer, way: str, wanted: str | None) -> Response:
    """Note in the session that this browser has done the first step, by ``way``, and lead to the second step."""
    session.clear()
    session["half_way"] = [organizer.session_key, installation().now().timestamp(), way, wanted or ""]
    return redirect(url_for("second_factor.show"), 303)


def _find_half_way() -> tuple[Organizer, str, str] | None:
    """The organizer who did the first step in this browser within ten minutes, the way, and the page they want."""
    key, since, way, wanted = session.get("half_way", ["", 0, "", ""])
    if not 0 <= installation().now().timestamp() - since < HALF_SIGN_IN_LASTS.total_seconds():
        return None
    with installation().database.snapshots() as reading:
        organizer = find_by_session_key(reading, key)
        if organizer is None or not organizer.active:
            return None
        _ = organizer.passkeys  # loaded before the session closes
        return organizer, way, wanted


def _page(organizer: Organizer, *, failed: bool = False, too_soon: TooSoon | None = None) -> str:
    return render_template(
        "auth/second_factor.html",
        form=CodeForm(formdata=None),
        organizer=organizer,
        asked=ask_for_passkey(organizer),
        failed=failed,
        too_soon=too_soon,
    )


@blueprint.get("/second")
@entry(Entry.PUBLIC)
def show() -> str | Response:
    if (half_way := _find_half_way()) is None:
        return redirect(url_for("sign_in.show"))
    return _page(half_way[0])


@blueprint.post("/second")
@entry(Entry.PUBLIC)
def finish() -> Answer:
    form = CodeForm()
    form.require_valid()
    if (half_way := _find_half_way()) is None:
        return redirect(url_for("sign_in.show"), 303)
    organizer, first, wanted = half_way
    shown: list[str] = []

    def is_right() -> bool:
        shown.extend(filter(None, [_find_shown(organizer.id, form)]))
        return bool(shown)

    try:
        if not attempt(organizer, is_right):
            return _page(organizer, failed=True), 422
    except TooSoon as early:
        return _page(organizer, too_soon=early), 429, {"Retry-After": str(early.seconds)}
    return let_in(organizer.id, f"{first} + {shown[0]}", wanted)


@blueprint.post("/passkey")
@entry(Entry.PUBLIC)
def with_passkey() -> Answer:
    """A passkey that verifies its owner is two factors in one. A guess at its signature need not be slowed down."""
    form = PasskeyForm()
    form.require_valid()
    try:
        with installation().database.sessions.begin() as writing:
            organizer = accept(writing, form, None)
    except PasskeyRefused:
        return redirect(url_for("sign_in.show", refused="passkey", next=form.next.data or None), 303)
    return let_in(organizer.id, "passkey", form.next.data)
