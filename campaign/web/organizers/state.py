"""The state of a petition, which its owners change; and the switch of the challenge that signing it costs."""

from collections.abc import Mapping

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse
from wtforms import StringField
from wtforms.validators import AnyOf

from campaign.errors import CampaignError, NotFound
from campaign.models import Petition, PetitionState
from campaign.services.organizers.permissions import Permission
from campaign.services.petitions.lifecycle import CHOSEN, NOTED, change_state, list_next_states, switch_challenge
from campaign.services.petitions.store import get_petition
from campaign.services.signatures.confirmation_mail import preview_confirmation
from campaign.web.auth.permissions import needs
from campaign.web.auth.session import current_organizer
from campaign.web.core.context import installation
from campaign.web.core.forms import OrganizerForm
from campaign.web.core.local_time import local_time
from campaign.web.core.mail_frame import mail_in_frame
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
        mails=preview_confirmation(petition, installation().links),
        preview=token if petition.state is PetitionState.DRAFT else "",
    )


@blueprint.get("/state")
@needs(Permission.STATE)
def show(petition: Petition) -> str:
    return _page(petition)


@blueprint.get("/state/confirmation/<lang>")
@needs(Permission.STATE)
def confirmation_html(petition: Petition, lang: str) -> Response:
    """The mail that asks a signer to confirm, for the frame on the page."""
    mails = preview_confirmation(petition, installation().links)
    if lang not in mails:
        raise NotFound("The petition is not in this language.")
    return mail_in_frame(mails[lang].html)


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
