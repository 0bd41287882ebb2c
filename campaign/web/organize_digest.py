"""The next edition of a petition's digest: see it as readers will, and send it by hand."""

from flask import Blueprint, Response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse
from wtforms import IntegerField
from wtforms.validators import InputRequired

from campaign.errors import NotFound
from campaign.mail.message import Content
from campaign.models import Edition, EditionState, Petition
from campaign.services.digesting import MARKS, compose_digest, find_last_edition, gather_news, preview_digest
from campaign.services.editions import AlreadyMade
from campaign.services.organizing import Permission
from campaign.services.subscribing import count_active
from campaign.web.accounts import current_organizer
from campaign.web.context import campaign
from campaign.web.mail_frame import mail_in_frame
from campaign.web.organizer_forms import OrganizerForm
from campaign.web.organizer_roles import needs

blueprint = Blueprint("digest", __name__, url_prefix="/p/<slug>/digest")


class SendForm(OrganizerForm):
    """``after`` is the last edition that the page knew of, 0 for none: a second click then asks for an old one."""

    after = IntegerField(validators=[InputRequired()])


def _without_link(content: Content) -> Content:
    """Each reader's own links are made when the mail is sent; a preview has none to follow."""
    text, html = content.text, content.html
    for mark in MARKS:
        text, html = text.replace(mark, "…"), html.replace(f'href="{mark}"', "").replace(mark, "…")
    return Content(content.subject, text, html)


def _page(petition: Petition, **told: object) -> str:
    with campaign().database.snapshots() as session:
        contents = preview_digest(session, petition, campaign().links)
        return render_template(
            "organize/digest.html",
            petition=petition,
            contents={code: _without_link(content) for code, content in contents.items()},
            news=gather_news(session, petition),
            readers=count_active(session, petition.id),
            after=_last_number(session, petition),
            **told,
        )


def _last_number(session: Session, petition: Petition) -> int:
    last = find_last_edition(session, petition.id)
    return (last.number or 0) if last else 0


@blueprint.get("")
@needs(Permission.SEND)
def preview(petition: Petition) -> str:
    made, skipped = request.args.get("made", type=int), request.args.get("skipped") == "1"
    return _page(petition, made=made, skipped=skipped, late=False)


@blueprint.get("/<lang>/html")
@needs(Permission.SEND)
def html(petition: Petition, lang: str) -> Response:
    if lang not in petition.languages:
        raise NotFound("The digest is not written in this language.")
    with campaign().database.snapshots() as session:
        content = compose_digest(petition, gather_news(session, petition), lang, campaign().links)
    return mail_in_frame(_without_link(content).html)


@blueprint.post("/send")
@needs(Permission.SEND)
def send(petition: Petition) -> BaseResponse | tuple[str, int]:
    form = SendForm()
    form.require_valid()
    try:
        edition = _make(petition, after=form.after.data or 0)
    except AlreadyMade:
        return _page(petition, made=None, skipped=False, late=True), 409
    if edition.state is EditionState.SKIPPED:
        return redirect(url_for("organize.digest.preview", slug=petition.slug, skipped=1), 303)
    return redirect(url_for("organize.digest.preview", slug=petition.slug, made=edition.number), 303)


def _make(petition: Petition, *, after: int) -> Edition:
    now, actor = campaign().now(), current_organizer().email
    with campaign().database.sessions.begin() as session:
        return campaign().jobs.send_digest(session, petition, campaign().links, actor=actor, now=now, after=after)
