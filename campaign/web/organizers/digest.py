"""The next edition of a petition's digest: see it as readers will see it, and send it by hand."""

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse
from wtforms import IntegerField
from wtforms.validators import InputRequired, NumberRange

from campaign.errors import NotFound
from campaign.models import Edition, EditionState, Petition
from campaign.services.digests.editions import AlreadyMade, send_digest
from campaign.services.digests.lint_check import LintRefused
from campaign.services.organizers.permissions import Permission
from campaign.web.auth.permissions import needs
from campaign.web.auth.session import current_organizer
from campaign.web.core.context import installation
from campaign.web.core.forms import OrganizerForm
from campaign.web.core.mail_frame import mail_in_frame
from campaign.web.organizers import edition as organizer_edition
from campaign.web.organizers.digest_page import digest_page, preview_as_asked

blueprint = Blueprint("digest", __name__, url_prefix="/p/<slug>/digest")
blueprint.register_blueprint(organizer_edition.blueprint)


class SendForm(OrganizerForm):
    """``after`` is the last edition that the page knew, 0 for none, so that a second click makes no second edition."""

    after = IntegerField(validators=[InputRequired(), NumberRange(0, 2**31 - 1)])


@blueprint.get("")
@needs(Permission.SEND)
def preview(petition: Petition) -> str:
    return digest_page(petition, made=request.args.get("made", type=int), skipped=request.args.get("skipped") == "1")


@blueprint.get("/<lang>/html")
@needs(Permission.SEND)
def html(petition: Petition, lang: str) -> Response:
    with installation().database.snapshots() as session:
        sample = preview_as_asked(session, petition, lang)
    if lang not in sample.contents:
        raise NotFound("There is no such text in this language.")
    return mail_in_frame(sample.contents[lang].html)


@blueprint.post("/send")
@needs(Permission.SEND)
def send(petition: Petition) -> BaseResponse | tuple[str, int]:
    form = SendForm()
    form.require_valid()
    try:
        edition = _make(petition, after=form.after.data or 0)
    except AlreadyMade:
        return digest_page(petition, refused="made"), 409
    except LintRefused:
        return digest_page(petition), 422
    if edition.state is EditionState.SKIPPED:
        return redirect(url_for("organize.digest.preview", slug=petition.slug, skipped=1), 303)
    return redirect(url_for("organize.digest.preview", slug=petition.slug, made=edition.number), 303)


def _make(petition: Petition, *, after: int) -> Edition:
    now, actor = installation().now(), current_organizer().email
    with installation().database.sessions.begin() as session:
        return send_digest(
            session, petition, installation().links, installation().dispatch, actor=actor, now=now, after=after
        )
