"""The life of a petition, in its owners' hands: open it, pause it, close it, note what became of it."""

from collections.abc import Callable, Mapping

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse
from wtforms import StringField
from wtforms.validators import AnyOf

from campaign.errors import CampaignError
from campaign.models import Petition, PetitionState
from campaign.services.auditing import record
from campaign.services.lifecycle import (
    close_petition,
    hand_over,
    list_next_states,
    note_answer,
    open_petition,
    pause_petition,
)
from campaign.services.organizing import Permission
from campaign.services.petitions import get_petition
from campaign.web.accounts import current_organizer
from campaign.web.context import campaign
from campaign.web.local_time import local_time
from campaign.web.organizer_forms import OrganizerForm
from campaign.web.organizer_roles import needs
from campaign.web.petition_page import PREVIEW

blueprint = Blueprint("state", __name__, url_prefix="/p/<slug>/state")

ACTIONS = {
    PetitionState.OPEN: "petition opened",
    PetitionState.PAUSED: "petition paused",
    PetitionState.CLOSED: "petition closed",
    PetitionState.DELIVERED: "list handed over",
    PetitionState.ANSWERED: "petition answered",
    PetitionState.WON: "petition won",
}


class StateForm(OrganizerForm):
    """The state that is wanted; a note for each language comes beside it, as ``note-en`` and so on."""

    to = StringField(validators=[AnyOf(list(ACTIONS))])


def _page(petition: Petition, *, typed: Mapping[str, str] | None = None, wanted: str = "", error: str = "") -> str:
    token = campaign().vault.token(PREVIEW, petition.id)
    return render_template(
        "organize/state.html",
        petition=petition,
        local=local_time(petition),
        choices=list_next_states(petition),
        noted={PetitionState.PAUSED, PetitionState.ANSWERED, PetitionState.WON},
        typed=typed or {},
        wanted=wanted,
        error=error,
        preview=token if petition.state is PetitionState.DRAFT else "",
    )


@blueprint.get("")
@needs(Permission.STATE)
def show(petition: Petition) -> str:
    return _page(petition)


@blueprint.post("")
@needs(Permission.STATE)
def change(petition: Petition) -> BaseResponse | tuple[str, int]:
    form, now = StateForm(), campaign().now()
    form.require_valid()
    wanted = PetitionState(form.to.data or "")
    notes = {language: request.form.get(f"note-{language}", "") for language in petition.languages}
    moves: dict[PetitionState, Callable[[Petition], None]] = {
        PetitionState.OPEN: lambda found: open_petition(found, now=now),
        PetitionState.PAUSED: lambda found: pause_petition(found, notes),
        PetitionState.CLOSED: lambda found: close_petition(found, now=now),
        PetitionState.DELIVERED: lambda found: hand_over(found, now=now),
        PetitionState.ANSWERED: lambda found: note_answer(found, notes, won=False, now=now),
        PetitionState.WON: lambda found: note_answer(found, notes, won=True, now=now),
    }
    try:
        with campaign().database.sessions.begin() as session:
            found = get_petition(session, petition.slug)
            if found.state is not wanted:  # else a second click
                moves[wanted](found)
                record(session, current_organizer().email, ACTIONS[wanted], found.id, now=now)
    except CampaignError as refused:
        return _page(petition, typed=notes, wanted=wanted, error=refused.sentence), 422
    return redirect(url_for("organize.state.show", slug=petition.slug), 303)
