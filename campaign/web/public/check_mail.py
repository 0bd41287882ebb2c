"""The page after signing: where the mail goes, what it looks like, and how to get it again."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from campaign.models import Petition
from campaign.services.signatures.sign import send_again
from campaign.web.core.context import installation, source_limit, texts_of
from campaign.web.core.forms import PublicForm
from campaign.web.core.locked_mode import keyless
from campaign.web.core.security import Entry, entry
from campaign.web.core.typed_address import find_address
from campaign.web.public.petition import get_public, outbox_address

blueprint = Blueprint("check_mail", __name__)
N_ = str  # marks a sentence for the translators; the page translates it


class SendAgainForm(PublicForm):
    """A button alone: the address is in the cookie."""

    TOO_MANY = N_("Very many requests came from where you are. Please send the form again in an hour.")


def _page(petition: Petition, form: SendAgainForm | None) -> Response:
    page = render_template(
        "public/petition/check_mail.html",
        petition=petition,
        texts=texts_of(petition),
        typed=find_address(petition.id),
        form=form,
        again="again" in request.args and request.method != "POST",
        outbox=outbox_address(),
    )
    answer = make_response(page)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/<lang>/p/<slug>/check-your-mail")
@entry(Entry.PUBLIC)
def show(lang: str, slug: str) -> Response:
    with installation().database.snapshots() as session:
        petition = get_public(session, slug, lang)
    return _page(petition, None if keyless() else SendAgainForm(formdata=None))


@blueprint.post("/<lang>/p/<slug>/check-your-mail")
@entry(Entry.PUBLIC)
def send(lang: str, slug: str) -> Response | tuple[Response, int]:
    """Send the mail again. Every address gets the same answer."""
    form, now = SendAgainForm(), installation().now()
    with installation().database.snapshots() as session:
        petition = get_public(session, slug, lang)
    if not form.validate():
        return _page(petition, form), 422
    if not source_limit().allows(request.remote_addr, now):
        form.form_errors.append(form.TOO_MANY)
        return _page(petition, form), 429
    typed = find_address(petition.id)
    if typed is None:  # the hour is over, or the browser keeps no cookies
        return redirect(url_for("petition.show", lang=lang, slug=slug, _anchor="sign"), 303)
    with installation().database.sessions.begin() as session:
        send_again(session, petition.id, installation().vault.fingerprint(typed.address), now=now)
    return redirect(url_for("check_mail.show", lang=lang, slug=slug, again=1, _anchor="content"), 303)
