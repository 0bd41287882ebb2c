"""Reauthentication: an organizer proves once more who they are, before an act that cannot be undone.

Nothing is done before the proof. The form that was sent is kept, signed, in the page that asks, and not on the server.
After the proof the organizer sees the form again and presses its button once more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Blueprint, Response, redirect, render_template, request, url_for
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response as BaseResponse
from wtforms import HiddenField, PasswordField

from campaign.models import Organizer
from campaign.periods import KEPT_FORM_LASTS, seconds
from campaign.services.organizers.second_factors import has_app
from campaign.services.organizers.sign_in import TooSoon, end_failures, get_account
from campaign.web.auth.passwords import password_matches
from campaign.web.auth.second_factor import CodeForm, is_app_code, is_passkey
from campaign.web.auth.session import (
    OrganizerUser,
    attempt,
    current_organizer,
    is_fresh,
    our_page,
    renew,
    signed_in,
)
from campaign.web.auth.webauthn import ask_for_passkey
from campaign.web.core.context import installation
from campaign.web.core.forms import OrganizerForm
from campaign.web.core.labels import ASKED
from campaign.web.core.security import Entry, entry

View = TypeVar("View", bound=Callable[..., Any])

blueprint = Blueprint("reauthenticate", __name__, url_prefix="/prove")

_LONGEST = 40_000
# Fields that are never written into a page: proofs and secrets.
_SECRETS = {"csrf_token", "password", "again", "old", "code", "passkey"}
# Fields with text that people write. All other fields hold short names of choices. Notes have one field per language.
_WRITTEN = ("reason", "name", "country", "comment", "line_code", "note")


class ProofForm(CodeForm):
    """The proof: a passkey, a code or the password; one is enough. ``kept`` is a form that waits, ``next`` a page."""

    password = PasswordField()
    kept = HiddenField()


@dataclass(frozen=True)
class _KeptForm:
    """A form that waits for the proof: its address, its view and its fields. Files are not kept."""

    address: str
    endpoint: str
    fields: list[tuple[str, str]]

    @property
    def texts(self) -> list[str]:
        """The texts in the form, to be read once more."""
        return [value for name, value in self.fields if value and name.partition("-")[0] in _WRITTEN]

    @property
    def page(self) -> str:
        """The address of the page, of a petition or of the account, to which the form belongs."""
        return "/".join(self.address.split("/")[:4])


def _kept_signer(organizer_id: int) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(installation().vault.session_secret, salt=f"form kept for {organizer_id}")


def _keep_form(organizer_id: int) -> str:
    """The form of this request as one hidden field; empty if it would be too long to be sent back."""
    fields = [pair for pair in request.form.items(multi=True) if pair[0] not in _SECRETS]
    kept = str(_kept_signer(organizer_id).dumps([request.path, request.endpoint, fields]))
    return kept if len(kept) <= _LONGEST else ""


def _find_kept_form(organizer_id: int, kept: str) -> _KeptForm | None:
    """The form that ``_keep_form`` kept for the same organizer within the last hour."""
    try:
        address, endpoint, fields = _kept_signer(organizer_id).loads(kept, max_age=seconds(KEPT_FORM_LASTS))
    except BadSignature:
        return None
    return _KeptForm(address, endpoint, [(name, value) for name, value in fields])


def asks_for_proof(view: Callable[..., Any], method: str) -> bool:
    """Whether a view answers ``method`` only after a proof of the last ten minutes."""
    return method in getattr(view, "fresh_for", ())


def declare_fresh(view: Callable[..., Any], methods: frozenset[str]) -> None:
    """Note on the view for which methods it asks for a proof; ``asks_for_proof`` reads it."""
    cast("Any", view).fresh_for = methods


def proven(view: View) -> View:
    """Open a view to signed-in organizers; a POST needs a proof of the last ten minutes."""

    @entry(Entry.ORGANIZER)
    @signed_in
    @wraps(view)
    def proved(**values: Any) -> Any:
        return ask_for_proof() if request.method == "POST" and not is_fresh() else view(**values)

    declare_fresh(proved, frozenset({"POST"}))
    return cast("View", proved)


def ask_for_proof() -> BaseResponse:
    """Answer the request with the page that asks for a proof; a form that was posted is kept in that page."""
    if request.method != "POST":
        return redirect(url_for("organize.reauthenticate.show", next=request.full_path.rstrip("?")))
    OrganizerForm().require_valid()
    kept = _keep_form(current_organizer().id)
    page = _page(ProofForm(formdata=None), kept=kept, lost=not kept)
    # Not 403, which means the wrong role. Browsers show a 401 with an unknown scheme like any page.
    return Response(page, 401, {"WWW-Authenticate": 'Session realm="organizers"'})


def _page(
    form: ProofForm, *, kept: str = "", lost: bool = False, failed: bool = False, wait: TooSoon | None = None
) -> str:
    wanted = our_page(form.next.data or request.args.get("next"))
    with installation().database.snapshots() as session:
        organizer = get_account(session, current_organizer().id)
        asked, with_app = ask_for_passkey(organizer), has_app(organizer)
    return render_template(
        "auth/reauthenticate.html",
        form=form,
        kept=kept,
        lost=lost,
        wanted=wanted,
        asked=asked,
        with_app=with_app,
        failed=failed,
        too_soon=wait,
    )


def _proves(organizer: Organizer, form: ProofForm) -> bool:
    """Whether the organizer shows who they are: by passkey, app or password, whichever the form has.

    Recovery codes are for an organizer who has lost the others, so they are not taken here.
    """
    if form.passkey.data:
        return is_passkey(organizer.id, form)
    if form.code.data:
        return is_app_code(organizer.id, form)
    return password_matches(OrganizerUser.of(organizer), form.password.data or "")


@blueprint.get("")
@entry(Entry.ORGANIZER)
@signed_in
def show() -> str:
    return _page(ProofForm())


@blueprint.post("")
@entry(Entry.ORGANIZER)
@signed_in
def prove() -> BaseResponse | str | tuple[str, int] | tuple[str, int, dict[str, str]]:
    form = ProofForm()
    form.require_valid()
    kept = form.kept.data or ""
    with installation().database.snapshots() as session:
        organizer = get_account(session, current_organizer().id)
    try:
        proved = attempt(organizer, lambda: _proves(organizer, form))
    except TooSoon as early:
        return _page(form, kept=kept, wait=early), 429, {"Retry-After": str(early.seconds)}
    if not proved:
        return _page(form, kept=kept, failed=True), 422
    with installation().database.sessions.begin() as session:
        end_failures(session, organizer.id)
    renew(OrganizerUser.of(organizer))
    if (waiting := _find_kept_form(organizer.id, kept)) is None:
        return redirect(our_page(form.next.data), 303)
    return render_template("auth/press_again.html", waiting=waiting, asked=ASKED[waiting.endpoint])
