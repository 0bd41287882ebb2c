"""The passkeys of an account: make one, give it another name, remove it."""

from flask import Blueprint, render_template
from werkzeug.wrappers import Response
from wtforms import Field, StringField, ValidationError

from campaign.services.organizers.passkeys import PasskeyRefused, remove_passkey, rename_passkey
from campaign.services.organizers.sign_in import get_account
from campaign.text.invisible import without_invisible
from campaign.web.auth.reauthenticate import proven
from campaign.web.auth.session import changing, current_organizer, signed_in
from campaign.web.auth.webauthn import PasskeyForm, ask_for_new, keep_new
from campaign.web.core.context import installation
from campaign.web.core.forms import OrganizerForm
from campaign.web.core.security import Entry, entry
from campaign.web.organizers.account_app import codes_or_account

LONGEST_NAME = 80
N_ = str  # marks a sentence for the translators; the page translates it

blueprint = Blueprint("passkeys", __name__, url_prefix="/passkeys")


class NameForm(PasskeyForm):
    """The name of a passkey, by which its owner recognises it."""

    name = StringField(filters=[lambda typed: " ".join(without_invisible(typed or "").split())])

    def validate_name(self, field: Field) -> None:
        if not 0 < len(field.data) <= LONGEST_NAME or not field.data.isprintable():
            raise ValidationError(N_("Please give it a name of at most 80 characters, such as “my phone”."))


def _page(*, naming: NameForm | None = None, refused: bool = False) -> str:
    with installation().database.snapshots() as session:
        organizer = get_account(session, current_organizer().id)
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
    try:
        with changing() as (session, organizer):
            codes = keep_new(session, organizer, form, form.name.data or "")
    except PasskeyRefused:
        return _page(naming=form, refused=True), 422
    return codes_or_account(codes)


@blueprint.post("/<int(max=2147483647):passkey_id>/name")
@proven
def rename(passkey_id: int) -> Response | tuple[str, int]:
    form = NameForm()
    if not form.validate():
        form.require_token()
        return _page(naming=form), 422
    with installation().database.sessions.begin() as session:
        name, now = form.name.data or "", installation().now()
        rename_passkey(session, current_organizer().id, passkey_id, name, now=now)
    return codes_or_account([])


@blueprint.post("/<int(max=2147483647):passkey_id>/remove")
@proven
def remove(passkey_id: int) -> Response:
    OrganizerForm().require_valid()
    with changing() as (session, organizer):
        remove_passkey(session, organizer, passkey_id, now=installation().now())
    return codes_or_account([])
