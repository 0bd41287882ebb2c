"""The passkeys of an account: make one, give it another name, remove it."""

from flask import Blueprint, render_template
from werkzeug.wrappers import Response

from campaign.errors import NotFound
from campaign.models import Organizer, Passkey
from campaign.services.organizers.passkeys import PasskeyRefused
from campaign.services.organizers.second_factors import end_recovery_codes, has_second_factor, make_recovery_codes
from campaign.services.organizers.sign_in_throttle import record_change
from campaign.web.auth.forms import NameForm, OrganizerForm
from campaign.web.auth.reauthenticate import proven
from campaign.web.auth.session import changing
from campaign.web.auth.users import current_organizer, signed_in
from campaign.web.auth.webauthn import ask_for_new, keep_new
from campaign.web.core.context import campaign
from campaign.web.core.security import Entry, entry
from campaign.web.organizers.account_app import codes_or_account

blueprint = Blueprint("passkeys", __name__, url_prefix="/passkeys")


def _page(*, naming: NameForm | None = None, refused: bool = False) -> str:
    with campaign().database.snapshots() as session:
        organizer = session.get_one(Organizer, current_organizer().id)
        asked = ask_for_new(organizer)
        return render_template(
            "organizers/passkeys.html", passkeys=organizer.passkeys, asked=asked, naming=naming, refused=refused
        )


@blueprint.get("")
@entry(Entry.ORGANIZER)
@signed_in
def show() -> str:
    return _page()


@blueprint.post("")
@proven
def add() -> Response | tuple[str, int]:
    form = NameForm()
    if not form.validate():
        form.require_token()
        return _page(naming=form), 422
    codes: list[str] = []
    try:
        with changing() as (session, organizer):
            is_first = not has_second_factor(organizer)
            keep_new(session, organizer, form, form.name.data or "")
            record_change(session, organizer, "passkey added", now=campaign().now(), name=form.name.data)
            codes = make_recovery_codes(organizer) if is_first else []
    except PasskeyRefused:
        return _page(naming=form, refused=True), 422
    return codes_or_account(codes)


def _get_own(organizer: Organizer, passkey_id: int) -> Passkey:
    for passkey in organizer.passkeys:
        if passkey.id == passkey_id:
            return passkey
    raise NotFound("There is no such passkey in your account.")


@blueprint.post("/<int(max=2147483647):passkey_id>/name")
@proven
def rename(passkey_id: int) -> Response | tuple[str, int]:
    form = NameForm()
    if not form.validate():
        form.require_token()
        return _page(naming=form), 422
    with campaign().database.sessions.begin() as session:
        organizer = session.get_one(Organizer, current_organizer().id, with_for_update=True)
        passkey = _get_own(organizer, passkey_id)
        passkey.name = form.name.data or ""
        record_change(session, organizer, "passkey renamed", now=campaign().now(), name=passkey.name)
    return codes_or_account([])


@blueprint.post("/<int(max=2147483647):passkey_id>/remove")
@proven
def remove(passkey_id: int) -> Response:
    OrganizerForm().require_valid()
    with changing() as (session, organizer):
        passkey = _get_own(organizer, passkey_id)
        organizer.passkeys.remove(passkey)
        end_recovery_codes(organizer)
        record_change(session, organizer, "passkey removed", now=campaign().now(), name=passkey.name)
    return codes_or_account([])
