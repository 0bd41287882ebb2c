"""Before something that cannot be taken back, an organizer proves anew who they are: the page that asks for it.

Nothing is done in their name meanwhile: they come back to what they had filled in and press once more.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from campaign.models import Organizer
from campaign.services.organizers.second_factors import has_app
from campaign.services.organizers.sign_in_throttle import TooSoon, end_failures
from campaign.web.auth.attempts import attempt
from campaign.web.auth.factors import proves
from campaign.web.auth.forms import OrganizerForm, ProofForm
from campaign.web.auth.kept_forms import find_kept_form, keep_form
from campaign.web.auth.session import is_fresh, our_page, renew
from campaign.web.auth.users import OrganizerUser, current_organizer, signed_in
from campaign.web.auth.webauthn import ask_for_passkey
from campaign.web.core.context import campaign
from campaign.web.core.labels import ASKED
from campaign.web.core.security import Entry, entry

View = TypeVar("View", bound=Callable[..., Any])

blueprint = Blueprint("proving", __name__, url_prefix="/prove")


def asks_for_proof(view: Callable[..., Any], method: str) -> bool:
    """Whether a view answers ``method`` only to an organizer who has proved who they are a moment ago."""
    return method in getattr(view, "fresh_for", ())


def declare_fresh(view: Callable[..., Any], methods: frozenset[str]) -> None:
    """Note for ``asks_for_proof`` for which methods the view asks."""
    cast("Any", view).fresh_for = methods


def proven(view: View) -> View:
    """Let a signed-in organizer in; to whoever posts, only with a proof of the last ten minutes."""

    @entry(Entry.ORGANIZER)
    @signed_in
    @wraps(view)
    def proved(**values: Any) -> Any:
        return ask_for_proof() if request.method == "POST" and not is_fresh() else view(**values)

    declare_fresh(proved, frozenset({"POST"}))
    return cast("View", proved)


def ask_for_proof() -> BaseResponse:
    """Answer the request with the question who it is; what was posted is kept in that page."""
    if request.method != "POST":
        return redirect(url_for("organize.proving.show", next=request.full_path.rstrip("?")))
    OrganizerForm().require_valid()
    kept = keep_form(current_organizer().id)
    page = _page(ProofForm(formdata=None), kept=kept, lost=not kept)
    # Not 403, which means the wrong role; browsers show a 401 of an unknown scheme like any page.
    return Response(page, 401, {"WWW-Authenticate": 'Session realm="organizers"'})


def _page(
    form: ProofForm, *, kept: str = "", lost: bool = False, failed: bool = False, wait: TooSoon | None = None
) -> str:
    wanted = our_page(form.next.data or request.args.get("next"))
    with campaign().database.snapshots() as session:
        organizer = session.get_one(Organizer, current_organizer().id)
        asked, with_app = ask_for_passkey(organizer), has_app(organizer)
    return render_template(
        "auth/prove.html",
        form=form,
        kept=kept,
        lost=lost,
        wanted=wanted,
        asked=asked,
        with_app=with_app,
        failed=failed,
        too_soon=wait,
    )


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
    with campaign().database.snapshots() as session:
        organizer = session.get_one(Organizer, current_organizer().id)
    try:
        proved = attempt(organizer, lambda: proves(organizer, form))
    except TooSoon as early:
        return _page(form, kept=kept, wait=early), 429, {"Retry-After": str(early.seconds)}
    if not proved:
        return _page(form, kept=kept, failed=True), 422
    with campaign().database.sessions.begin() as session:
        end_failures(session, organizer.id)
    renew(OrganizerUser.of(organizer))
    if (waiting := find_kept_form(organizer.id, kept)) is None:
        return redirect(our_page(form.next.data), 303)
    return render_template("auth/press_again.html", waiting=waiting, asked=ASKED[waiting.endpoint])
