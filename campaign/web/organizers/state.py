"""The state of a petition, which its owners change; and the switch of the challenge that signing it costs."""

from collections.abc import Mapping

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse
from wtforms import StringField
from wtforms.validators import AnyOf

from campaign.errors import CampaignError
from campaign.models import Petition, PetitionState
from campaign.services.organizers.permissions import Permission
from campaign.services.petitions.lifecycle import CHOSEN, NOTED, change_state, list_next_states, switch_challenge
from campaign.services.petitions.store import get_petition
from campaign.web.auth.permissions import needs
from campaign.web.auth.session import current_organizer
from campaign.web.core.context import installation
from campaign.web.core.forms import OrganizerForm
from campaign.web.core.local_time import local_time
from campaign.web.public.petition_page import PREVIEW

blueprint = Blueprint("state", __name__, url_prefix="/p/<slug>")


class StateForm(OrganizerForm):
    """The state that is wanted; a note for each language comes beside it, as ``note-en`` and so on."""

    to = StringField(validators=[AnyOf(CHOSEN)])


def _page(petition: Petition, *, typed: Mapping[str, str] | None = None, wanted: str = "", error: str = "") -> str:
    token = installation().vault.token(PREVIEW, petition.id)
    return render_template(
        "organizers/state.html",
        petition=petition,
        local=local_time(petition),
        choices=list_next_states(petition),
        noted=NOTED,
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
    form, now, actor = StateForm(), installation().now(), current_organizer().email
    form.require_valid()
    wanted = PetitionState(form.to.data or "")
    notes = {language: request.form.get(f"note-{language}", "") for language in petition.languages}
    try:
        with installation().database.sessions.begin() as session:
            change_state(session, get_petition(session, petition.slug), wanted, notes, actor=actor, now=now)
    except CampaignError as refused:
        return _page(petition, typed=notes, wanted=wanted, error=refused.sentence), 422
    return redirect(url_for("organize.state.show", slug=petition.slug), 303)


class SwitchForm(OrganizerForm):
    """What is wanted, not the other of what is: a second click changes nothing."""

    challenge = StringField(validators=[AnyOf(["on", "off"])])


@blueprint.post("/challenge")
@needs(Permission.REVIEW)
def switch_challenge_of(petition: Petition) -> BaseResponse:
    form, now, actor = SwitchForm(), installation().now(), current_organizer().email
    form.require_valid()
    with installation().database.sessions.begin() as session:
        switch_challenge(session, petition.id, on=form.challenge.data == "on", actor=actor, now=now)
    return redirect(url_for("organize.review.show", slug=petition.slug, _anchor="challenge"), 303)
