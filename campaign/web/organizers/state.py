"""The state of a petition, which its owners change; and the switch of the challenge that signing it costs."""

from collections.abc import Callable, Mapping

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse
from wtforms import StringField
from wtforms.validators import AnyOf

from campaign.errors import CampaignError
from campaign.models import Petition, PetitionState
from campaign.services.abuse.challenges import switch_challenge
from campaign.services.audit_log import record
from campaign.services.organizers.permissions import Permission
from campaign.services.petitions.lifecycle import (
    close_petition,
    hand_over,
    list_next_states,
    note_answer,
    open_petition,
    pause_petition,
)
from campaign.services.petitions.store import get_petition
from campaign.web.auth.permissions import needs
from campaign.web.auth.session import current_organizer
from campaign.web.core.context import campaign
from campaign.web.core.forms import OrganizerForm
from campaign.web.core.local_time import local_time
from campaign.web.public.petition_page import PREVIEW

blueprint = Blueprint("state", __name__, url_prefix="/p/<slug>")

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
        "organizers/state.html",
        petition=petition,
        local=local_time(petition),
        choices=list_next_states(petition),
        noted={PetitionState.PAUSED, PetitionState.ANSWERED, PetitionState.WON},
        typed=typed or {},
        wanted=wanted,
        error=error,
        preview=token if petition.state is PetitionState.DRAFT else "",
    )


@blueprint.get("/state")
@needs(Permission.STATE)
def show(petition: Petition) -> str:
    return _page(petition)


@blueprint.post("/state")
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


class SwitchForm(OrganizerForm):
    """What is wanted, not the other of what is: a second click changes nothing."""

    challenge = StringField(validators=[AnyOf(["on", "off"])])


@blueprint.post("/challenge")
@needs(Permission.REVIEW)
def switch_challenge_of(petition: Petition) -> BaseResponse:
    form, now = SwitchForm(), campaign().now()
    form.require_valid()
    wanted = form.challenge.data
    with campaign().database.sessions.begin() as session:
        if switch_challenge(session, petition.id, on=wanted == "on"):
            record(session, current_organizer().email, f"challenge switched {wanted}", petition.id, now=now)
    return redirect(url_for("organize.review.show", slug=petition.slug, _anchor="challenge"), 303)
