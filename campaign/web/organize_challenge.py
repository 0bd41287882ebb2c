"""The switch of the challenge that a signature of a petition costs, for its owners."""

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response as BaseResponse
from wtforms import StringField
from wtforms.validators import AnyOf

from campaign.models import Petition
from campaign.services.auditing import record
from campaign.services.challenging import switch_challenge
from campaign.services.organizing import Permission
from campaign.web.accounts import current_organizer
from campaign.web.context import campaign
from campaign.web.organizer_forms import OrganizerForm
from campaign.web.organizer_roles import needs

blueprint = Blueprint("challenge", __name__, url_prefix="/p/<slug>")


class SwitchForm(OrganizerForm):
    """What is wanted, not the other of what is: a second click changes nothing."""

    challenge = StringField(validators=[AnyOf(["on", "off"])])


@blueprint.post("/challenge")
@needs(Permission.REVIEW)
def switch(petition: Petition) -> BaseResponse:
    form, now = SwitchForm(), campaign().now()
    form.require_valid()
    wanted = form.challenge.data
    with campaign().database.sessions.begin() as session:
        if switch_challenge(session, petition.id, on=wanted == "on"):
            record(session, current_organizer().email, f"challenge switched {wanted}", petition.id, now=now)
    return redirect(url_for("organize.review.show", slug=petition.slug, _anchor="challenge"), 303)
