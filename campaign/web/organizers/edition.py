"""Steps of an edition: approve, pause, resume and cancel it, and send a test to oneself before."""

from functools import partial

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response
from wtforms import BooleanField, IntegerField
from wtforms.validators import InputRequired, NumberRange

from campaign.errors import Forbidden, NotFound, NotPossible
from campaign.models import Petition
from campaign.services.digests.send_test import rehearse_edition
from campaign.services.digests.steps import Step, take_step
from campaign.services.digests.transitions import approve_edition, cancel_edition, pause_edition, resume_edition
from campaign.services.organizers.permissions import Permission
from campaign.web.auth.permissions import needs
from campaign.web.auth.session import current_organizer
from campaign.web.core.context import installation
from campaign.web.core.forms import OrganizerForm
from campaign.web.organizers.digest_page import digest_page

blueprint = Blueprint("edition", __name__, url_prefix="/edition")
Answer = Response | tuple[str, int]


class EditionForm(OrganizerForm):
    """``sure`` is a tick; without it nothing is cancelled."""

    number = IntegerField(validators=[InputRequired(), NumberRange(1, 2**31 - 1)])
    sure = BooleanField()


def _take(petition: Petition, step: Step, form: EditionForm) -> Answer:
    try:
        with installation().database.sessions.begin() as session:
            number, actor = form.number.data or 0, current_organizer().email
            take_step(session, petition, number, step, actor=actor, now=installation().now())
    except (NotPossible, NotFound, Forbidden):
        return digest_page(petition, refused="late"), 409
    return redirect(url_for("organize.digest.preview", slug=petition.slug), 303)


def _filled_in() -> EditionForm:
    form = EditionForm()
    form.require_valid()
    return form


@blueprint.post("/approve")
@needs(Permission.SEND)
def approve(petition: Petition) -> Answer:
    return _take(petition, partial(approve_edition, dispatch=installation().dispatch), _filled_in())


@blueprint.post("/pause")
@needs(Permission.SEND)
def pause(petition: Petition) -> Answer:
    return _take(petition, pause_edition, _filled_in())


@blueprint.post("/resume")
@needs(Permission.SEND)
def resume(petition: Petition) -> Answer:
    return _take(petition, partial(resume_edition, dispatch=installation().dispatch), _filled_in())


@blueprint.post("/cancel")
@needs(Permission.SEND)
def cancel(petition: Petition) -> Answer:
    form = _filled_in()
    if not form.sure.data:
        return digest_page(petition, refused="unsure"), 422
    return _take(petition, cancel_edition, form)


@blueprint.post("/test")
@needs(Permission.SEND)
def test(petition: Petition) -> Answer:
    OrganizerForm().require_valid()
    email = current_organizer().email
    try:
        with installation().database.sessions.begin() as session:
            rehearse_edition(session, petition, email, actor=email, now=installation().now())
    except NotPossible:
        return digest_page(petition, refused="late"), 409
    return redirect(url_for("organize.digest.preview", slug=petition.slug), 303)
