"""The entry of a person who signed on paper, found by the code on the part of the line that they tore off."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug import Response
from wtforms import Field, StringField

from campaign.crypto.link_purposes import LinkPurpose
from campaign.crypto.paper_codes import read_code
from campaign.models import Petition
from campaign.services.signatures.paper import find_entry
from campaign.web.core.browser_marks import remember_mark
from campaign.web.core.context import installation, source_limit, texts_of
from campaign.web.core.forms import PublicForm, accepted
from campaign.web.core.security import Entry, entry
from campaign.web.public.petition import get_public

blueprint = Blueprint("paper", __name__)
N_ = str  # marks a sentence for the translators; the page translates it


class StubForm(PublicForm):
    """The code from paper."""

    TOO_MANY = N_("Very many requests came from where you are. Please send the form again in an hour.")
    # The same sentence if no sheet has the code, if its line is not entered yet, and if the signature was withdrawn.
    NO_ENTRY = N_(
        "There is no entry with this code. Perhaps the sheet is still on its way to the organizers: "
        "please try again in a few days."
    )

    code = StringField()

    _code: str

    def validate_code(self, field: Field) -> None:
        self._code = accepted(read_code, field)

    def read(self) -> str:
        """The code in the checked form."""
        return self._code


def _page(petition: Petition, form: StubForm) -> str:
    return render_template(
        "public/paper/show.html", petition=petition, texts=texts_of(petition), form=form, errors=form.first_errors()
    )


@blueprint.get("/<lang>/p/<slug>/paper")
@entry(Entry.PUBLIC)
def ask(lang: str, slug: str) -> str:
    with installation().database.snapshots() as session:
        return _page(get_public(session, slug, lang), StubForm(formdata=None))


@blueprint.post("/<lang>/p/<slug>/paper")
@entry(Entry.PUBLIC)
def look(lang: str, slug: str) -> Response | tuple[str, int]:
    """Lead to the signer's own page. Its buttons work in this browser, since a person with the code is the signer."""
    form, vault = StubForm(), installation().vault
    with installation().database.snapshots() as session:
        petition = get_public(session, slug, lang)
        # A guess counts in every spelling.
        if not source_limit().allows(request.remote_addr, installation().now()):
            form.form_errors.append(form.TOO_MANY)
            return _page(petition, form), 429
        if not form.validate():
            return _page(petition, form), 422
        signature = find_entry(session, vault, petition.id, form.read())
    if signature is None:
        form.code.errors = [form.NO_ENTRY]
        return _page(petition, form), 422
    answer = redirect(url_for("me.show", token=vault.token(LinkPurpose.SIGNER, signature.id)), 303)
    remember_mark(answer, vault.own_mark(signature.id))
    return answer
