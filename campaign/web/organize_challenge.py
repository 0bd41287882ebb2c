"""The switch of the challenge that a signature of a petition costs, for its owners."""

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from campaign.models import Petition
from campaign.services.auditing import record
from campaign.services.organizing import Permission
from campaign.services.petitions import get_petition
from campaign.web.accounts import current_organizer
from campaign.web.context import campaign
from campaign.web.organizer_forms import OrganizerForm
from campaign.web.organizer_roles import needs

blueprint = Blueprint("challenge", __name__, url_prefix="/p/<slug>")


@blueprint.post("/challenge")
@needs(Permission.REVIEW)
def switch(petition: Petition) -> BaseResponse:
    OrganizerForm().require_valid()
    wanted = request.form.get("challenge") == "on"
    with campaign().database.sessions.begin() as session:
        get_petition(session, petition.slug).challenge = wanted
        word = "challenge switched on" if wanted else "challenge switched off"
        record(session, current_organizer().email, word, petition.id, now=campaign().now())
    return redirect(url_for("organize.review.show", slug=petition.slug, _anchor="challenge"), 303)
