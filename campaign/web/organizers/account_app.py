"""The authenticator app of an account, and the recovery codes for an organizer who loses it."""

import base64

from flask import Blueprint, abort, make_response, redirect, render_template, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response
from wtforms import HiddenField, StringField

from campaign.crypto.totp import app_link, spell_secret
from campaign.errors import InvalidInput, KeyringError
from campaign.media.qr_codes import qr_svg
from campaign.services.organizers.second_factors import (
    add_app,
    open_secret,
    remove_app,
    renew_recovery_codes,
    seal_new_secret,
)
from campaign.web.auth.reauthenticate import proven
from campaign.web.auth.session import changing, current_organizer, signed_in
from campaign.web.core.context import installation
from campaign.web.core.forms import OrganizerForm
from campaign.web.core.security import Entry, entry

blueprint = Blueprint("app", __name__, url_prefix="/app")


class AppForm(OrganizerForm):
    """``secret`` is the app's secret, sealed. It is in the page alone until a code shows that the app has it."""

    secret = HiddenField()
    code = StringField()


def _page(sealed: bytes, *, failed: bool = False) -> str:
    organizer = current_organizer()
    secret = open_secret(organizer.id, installation().vault, sealed)
    link = app_link(secret, account=organizer.email, server=installation().links.host)
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
    """Show another secret each time. None is stored before the app has shown a code."""
    return _page(seal_new_secret(current_organizer().id, installation().vault))


@blueprint.post("")
@proven
def add() -> Response | tuple[str, int]:
    form = AppForm()
    form.require_valid()
    try:
        sealed = base64.b64decode(form.secret.data or "", validate=True)
        with changing() as (session, organizer):
            typed = form.code.data or ""
            codes = add_app(session, organizer, installation().vault, sealed, typed, now=installation().now())
    except InvalidInput:
        return _page(sealed, failed=True), 422
    except (ValueError, KeyringError):  # no base64; for text that is not ASCII the library raises no binascii.Error
        abort(400)
    return codes_or_account(codes)


def codes_or_account(codes: list[str]) -> Response:
    """The page with new recovery codes, which cannot be seen again; without new codes, the account's page."""
    if codes:
        return make_response(render_template("organizers/codes.html", codes=codes))
    return redirect(url_for("organize.account.show"), 303)


@blueprint.post("/remove")
@proven
def remove() -> Response:
    OrganizerForm().require_valid()
    with changing() as (session, organizer):
        remove_app(session, organizer, now=installation().now())
    return codes_or_account([])


@blueprint.post("/codes")
@proven
def new_codes() -> Response:
    OrganizerForm().require_valid()
    with changing() as (session, organizer):
        codes = renew_recovery_codes(session, organizer, now=installation().now())
    return codes_or_account(codes)
