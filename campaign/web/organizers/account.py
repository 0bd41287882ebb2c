"""An organizer's own account: its password, second factors, sessions, and the record of what happened to it."""

from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from campaign.periods import RECOVERY_CODES
from campaign.services.audit_log import list_account_entries
from campaign.services.organizers import account as account_service
from campaign.services.organizers.second_factors import has_app, has_second_factor
from campaign.services.organizers.sign_in import TooSoon, get_account
from campaign.web.auth.passwords import PasswordForm, hash_password, password_matches
from campaign.web.auth.session import OrganizerUser, attempt, current_organizer, renew, signed_in
from campaign.web.core.context import installation
from campaign.web.core.forms import OrganizerForm
from campaign.web.core.security import Entry, entry
from campaign.web.organizers import account_app, account_passkeys

N_ = str  # marks a sentence for the translators; the page translates it

blueprint = Blueprint("account", __name__, url_prefix="/account")
blueprint.register_blueprint(account_app.blueprint)
blueprint.register_blueprint(account_passkeys.blueprint)
Answer = Response | tuple[str, int] | tuple[str, int, dict[str, str]]


def _page(**more: Any) -> str:
    """The page; keywords are the errors of the form for the password."""
    with installation().database.snapshots() as session:
        organizer = get_account(session, current_organizer().id)
        return render_template(
            "organizers/account.html",
            account=organizer,
            with_app=has_app(organizer),
            protected=has_second_factor(organizer),
            codes_left=len(organizer.recovery_codes),
            codes_made=RECOVERY_CODES,
            entries=list_account_entries(session, organizer.id),
            **{"passwords": None, "wrong": None, "too_soon": None, **more},
        )


@blueprint.get("")
@entry(Entry.ORGANIZER)
@signed_in
def show() -> str:
    return _page()


@blueprint.post("/password")
@entry(Entry.ORGANIZER)
@signed_in
def change_password() -> Answer:
    """The old password is the proof of who it is, so nothing else is asked."""
    form = PasswordForm(current_organizer().email)
    if not form.validate():
        form.require_token()
        return _page(passwords=form), 422
    with installation().database.snapshots() as session:
        organizer = get_account(session, current_organizer().id)
    user = OrganizerUser.of(organizer)
    try:
        if not attempt(organizer, lambda: password_matches(user, form.old.data or "")):
            return _page(passwords=form, wrong=N_("This is not your password.")), 422
    except TooSoon as early:
        return _page(passwords=form, too_soon=early), 429, {"Retry-After": str(early.seconds)}
    password_hash = hash_password(form.password.data or "")
    with installation().database.sessions.begin() as session:
        organizer = account_service.change_password(session, organizer.id, password_hash, now=installation().now())
    renew(OrganizerUser.of(organizer))
    return redirect(url_for("organize.account.show"), 303)


@blueprint.post("/sign-out")
@entry(Entry.ORGANIZER)
@signed_in
def sign_out_everywhere() -> Response:
    """It needs no proof: an organizer who does it by mistake signs in again."""
    OrganizerForm().require_valid()
    with installation().database.sessions.begin() as session:
        account_service.sign_out_everywhere(session, current_organizer().id, now=installation().now())
    return redirect(url_for("sign_in.show"), 303)
