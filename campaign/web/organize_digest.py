"""The next edition of a petition's digest: see it as readers will, and send it by hand."""

from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse
from wtforms import IntegerField
from wtforms.validators import InputRequired

from campaign.errors import NotFound
from campaign.models import Edition, EditionState, Petition, ReaderFrequency
from campaign.services.checking import Finding, LintRefused, check_next_edition
from campaign.services.editions import AlreadyMade
from campaign.services.organizing import Permission
from campaign.services.showing import Preview, preview_digest
from campaign.services.subscribing import count_active
from campaign.web.accounts import current_organizer
from campaign.web.context import campaign, reader_language
from campaign.web.mail_frame import mail_in_frame
from campaign.web.organizer_forms import OrganizerForm
from campaign.web.organizer_roles import needs
from campaign.web.organizer_words import FREQUENCIES

blueprint = Blueprint("digest", __name__, url_prefix="/p/<slug>/digest")


class SendForm(OrganizerForm):
    """``after`` is the last edition that the page knew of, 0 for none: a second click then asks for an old one."""

    after = IntegerField(validators=[InputRequired()])


def _sample(session: Session, petition: Petition, language: str) -> Preview:
    """What the sample reader who is asked for would get; ``language`` may be empty, for all."""
    if language not in ("", *petition.languages):
        raise NotFound("The digest is not written in this language.")
    frequency = request.args.get("frequency", ReaderFrequency.EACH, type=ReaderFrequency)
    languages = [language] if language else petition.languages
    return preview_digest(session, petition, campaign().links, languages=languages, frequency=frequency)


def _told(finding: Finding) -> str:
    """The problem in the organizer's language: plain text, since it may quote tags."""
    return reader_language().gettext(finding.problem.sentence) % finding.problem.values


def _page(petition: Petition, **told: object) -> str:
    language = request.args.get("language", "")
    with campaign().database.snapshots() as session:
        sample = _sample(session, petition, language)
        findings = check_next_edition(session, petition, campaign().links)
        return render_template(
            "organize/digest.html",
            petition=petition,
            findings=[(finding, _told(finding)) for finding in findings],
            sample=sample,
            news=sample.news,
            sample_language=language,
            frequencies=FREQUENCIES,
            readers=count_active(session, petition.id),
            after=sample.number - 1,
            **told,
        )


@blueprint.get("")
@needs(Permission.SEND)
def preview(petition: Petition) -> str:
    made, skipped = request.args.get("made", type=int), request.args.get("skipped") == "1"
    return _page(petition, made=made, skipped=skipped, late=False)


@blueprint.get("/<lang>/html")
@needs(Permission.SEND)
def html(petition: Petition, lang: str) -> Response:
    with campaign().database.snapshots() as session:
        return mail_in_frame(_sample(session, petition, lang).contents[lang].html)


@blueprint.post("/send")
@needs(Permission.SEND)
def send(petition: Petition) -> BaseResponse | tuple[str, int]:
    form = SendForm()
    form.require_valid()
    try:
        edition = _make(petition, after=form.after.data or 0)
    except AlreadyMade:
        return _page(petition, made=None, skipped=False, late=True), 409
    except LintRefused:
        return _page(petition, made=None, skipped=False, late=False), 422
    if edition.state is EditionState.SKIPPED:
        return redirect(url_for("organize.digest.preview", slug=petition.slug, skipped=1), 303)
    return redirect(url_for("organize.digest.preview", slug=petition.slug, made=edition.number), 303)


def _make(petition: Petition, *, after: int) -> Edition:
    now, actor = campaign().now(), current_organizer().email
    with campaign().database.sessions.begin() as session:
        return campaign().jobs.send_digest(session, petition, campaign().links, actor=actor, now=now, after=after)
