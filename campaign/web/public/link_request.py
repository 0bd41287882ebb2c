"""A request for the lost link to one's own page, by address. Every address gets the same answer."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response

from campaign.models import Petition
from campaign.services.signatures.link_requests import request_link
from campaign.web.core.context import installation, source_limit, texts_of
from campaign.web.core.forms import PublicForm, SignedAddress
from campaign.web.core.security import Entry, entry
from campaign.web.public.petition import get_public, outbox_address

blueprint = Blueprint("lost_link", __name__)
N_ = str  # marks a sentence for the translators; the page translates it


class LostLinkForm(SignedAddress, PublicForm):
    """The address with which the person signed."""

    TOO_MANY = N_("Very many requests came from where you are. Please send the form again in an hour.")


def _page(petition: Petition, form: LostLinkForm) -> str:
    return render_template(
        "public/petition/my_link.html",
        petition=petition,
        texts=texts_of(petition),
        form=form,
        errors=form.first_errors(),
        asked="asked" in request.args and request.method != "POST",
        outbox=outbox_address(),
    )


@blueprint.get("/<lang>/p/<slug>/my-link")
@entry(Entry.PUBLIC)
def ask(lang: str, slug: str) -> str:
    with installation().database.snapshots() as session:
        return _page(get_public(session, slug, lang), LostLinkForm(formdata=None))


@blueprint.post("/<lang>/p/<slug>/my-link")
@entry(Entry.PUBLIC)
def send(lang: str, slug: str) -> Response | tuple[str, int]:
    form, now = LostLinkForm(), installation().now()
    with installation().database.snapshots() as session:
        petition = get_public(session, slug, lang)
    if not form.validate():
        return _page(petition, form), 422
    if not source_limit().allows(request.remote_addr, now):
        form.form_errors.append(form.TOO_MANY)
        return _page(petition, form), 429
    with installation().database.sessions.begin() as session:
        request_link(session, installation().vault, petition.id, form.address(), lang, now=now)
    return redirect(url_for("lost_link.ask", lang=lang, slug=slug, asked=1, _anchor="content"), 303)
