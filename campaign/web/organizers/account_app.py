"""An authenticator app for an account, and the recovery codes for whoever loses it."""

import base64

from flask import Blueprint, abort, make_response, redirect, render_template, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from campaign.crypto.totp import app_link, spell_secret
from campaign.errors import InvalidInput, KeyringError
from campaign.media.qr_codes import qr_svg
from campaign.services.organizers.second_factors import (
    add_app,
    has_second_factor,
    make_recovery_codes,
    open_secret,
    remove_app,
    seal_new_secret,
)
from campaign.services.organizers.sign_in_throttle import record_change
from campaign.web.auth.forms import AppForm, OrganizerForm
from campaign.web.auth.reauthenticate import proven
from campaign.web.auth.session import changing
from campaign.web.auth.users import current_organizer, signed_in
from campaign.web.core.context import campaign
from campaign.web.core.security import Entry, entry

blueprint = Blueprint("app", __name__, url_prefix="/app")


def _page(sealed: bytes, *, failed: bool = False) -> str:
    organizer = current_organizer()
    secret = open_secret(organizer.id, campaign().vault, sealed)
    link = app_link(secret, account=organizer.email, server=campaign().links.host)
    return render_template(
        "organizers/app.html",
        sealed=base64.b64encode(sealed).decode(),
        secret=spell_secret(secret),
        link=link,
        qr=Markup(qr_svg(link)),  # noqa: S704 (made of squares alone)
        failed=failed,
    )


@blueprint.get("")
@entry(Entry.ORGANIZER)
@signed_in
def show() -> str:
    """Another secret each time. None is kept before the app has shown a code."""
    return _page(seal_new_secret(current_organizer().id, campaign().vault))


@blueprint.post("")
@proven
def add() -> Response | tuple[str, int]:
    form = AppForm()
    form.require_valid()
    codes: list[str] = []
    try:
        sealed = base64.b64decode(form.secret.data or "", validate=True)
        with changing() as (session, organizer):
            is_first = not has_second_factor(organizer)
            add_app(organizer, campaign().vault, sealed, form.code.data or "", now=campaign().now())
            record_change(session, organizer, "app added", now=campaign().now())
            codes = make_recovery_codes(organizer) if is_first else []
    except InvalidInput:
        return _page(sealed, failed=True), 422
    except (ValueError, KeyringError):  # no base64; what is not even ASCII is no binascii.Error
        abort(400)
    return codes_or_account(codes)


def codes_or_account(codes: list[str]) -> Response:
    """The page with new recovery codes, which cannot be seen again; without new ones, the account's."""
    if codes:
        return make_response(render_template("organizers/codes.html", codes=codes))
    return redirect(url_for("organize.account.show"), 303)


@blueprint.post("/remove")
@proven
def remove() -> Response:
    OrganizerForm().require_valid()
    with changing() as (session, organizer):
        remove_app(organizer)
        record_change(session, organizer, "app removed", now=campaign().now())
    return codes_or_account([])


@blueprint.post("/codes")
@proven
def new_codes() -> Response:
    OrganizerForm().require_valid()
    codes: list[str] = []
    with changing() as (session, organizer):
        if has_second_factor(organizer):
            codes = make_recovery_codes(organizer)
            record_change(session, organizer, "recovery codes made", now=campaign().now())
    return codes_or_account(codes)
