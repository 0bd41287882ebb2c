"""Signing in with more than the password: the second step behind it, and the passkey that needs no first."""

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from campaign.models import Organizer
from campaign.services.organizers.passkeys import PasskeyRefused
from campaign.services.organizers.sign_in_throttle import TooSoon
from campaign.web.auth.attempts import attempt
from campaign.web.auth.factors import find_second_factor
from campaign.web.auth.forms import CodeForm, PasskeyForm
from campaign.web.auth.login import find_half_way, let_in
from campaign.web.auth.webauthn import accept, ask_for_passkey
from campaign.web.core.context import campaign
from campaign.web.core.security import Entry, entry
from campaign.web.core.sites import SESSION_PATH

blueprint = Blueprint("second_step", __name__, url_prefix=f"{SESSION_PATH}/sign-in")
Answer = Response | tuple[str, int] | tuple[str, int, dict[str, str]]


def _page(organizer: Organizer, *, failed: bool = False, too_soon: TooSoon | None = None) -> str:
    return render_template(
        "auth/second_step.html",
        form=CodeForm(formdata=None),
        organizer=organizer,
        asked=ask_for_passkey(organizer),
        failed=failed,
        too_soon=too_soon,
    )


@blueprint.get("/second")
@entry(Entry.PUBLIC)
def show() -> str | Response:
    if (half_way := find_half_way()) is None:
        return redirect(url_for("signing_in.show"))
    return _page(half_way[0])


@blueprint.post("/second")
@entry(Entry.PUBLIC)
def finish() -> Answer:
    form = CodeForm()
    form.require_valid()
    if (half_way := find_half_way()) is None:
        return redirect(url_for("signing_in.show"), 303)
    organizer, first, wanted = half_way
    shown: list[str] = []

    def is_right() -> bool:
        shown.extend(filter(None, [find_second_factor(organizer.id, form)]))
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
        with campaign().database.sessions.begin() as session:
            organizer = accept(session, form, None)
    except PasskeyRefused:
        return redirect(url_for("signing_in.show", refused="passkey", next=form.next.data or None), 303)
    return let_in(organizer.id, "passkey", form.next.data)
