"""Changes on a signer's own page: their details, and whether they get updates."""

from flask import Blueprint, make_response, redirect, render_template, url_for
from werkzeug import Response

from campaign.errors import InvalidInput, ProofNeeded
from campaign.services.signatures.confirm import Proof
from campaign.services.signatures.self_service import (
    PersonalData,
    change_details,
    check_owner,
    get_personal_data,
    is_owner,
    start_updates,
)
from campaign.web.core.browser_marks import browser_marks, remember_mark
from campaign.web.core.context import installation, texts_of, use_language
from campaign.web.core.security import Entry, entry
from campaign.web.self_service.forms import DetailsForm, UpdatesForm
from campaign.web.self_service.views import confirm_first, own_page

blueprint = Blueprint("me_changes", __name__)

Answer = str | Response | tuple[str, int]


@blueprint.post("/me/<token>/details")
@entry(Entry.LINK)
def change(token: str) -> Answer:
    """It needs the code, or a browser in which it was typed: a scanner that sends every form must not rename people."""
    vault = installation().vault
    with installation().database.sessions.begin() as session:
        kept = get_personal_data(session, vault, token, for_update=True)
        use_language(kept.language)
        if kept.is_pending:
            return confirm_first(kept)
        if not kept.may_change or kept.signature is None:
            return own_page(session, kept), 410
        form, signature_id = DetailsForm.posted(kept), kept.signature.id
        valid = form.validate()
        try:
            check_owner(vault, kept.signature, form.proof())
        except ProofNeeded as needed:
            # The block ends without an error, so that the count of wrong codes is committed.
            form.refuse("code", needed.sentence)
            valid = False
        if not valid:
            return own_page(session, kept, details=form), 422
        change_details(vault, kept, form.details())
    return _saved(token, signature_id)


def _updates_page(kept: PersonalData, form: UpdatesForm) -> str:
    assert kept.signature is not None  # there is an address to send updates to
    return render_template(
        "self_service/updates.html",
        kept=kept,
        petition=kept.petition,
        texts=texts_of(kept.petition),
        form=form,
        needs_code=not is_owner(installation().vault, kept.signature, Proof(browser_marks())),
    )


@blueprint.get("/me/<token>/updates")
@entry(Entry.LINK)
def ask_address(token: str) -> Answer:
    with installation().database.snapshots() as session:
        kept = get_personal_data(session, installation().vault, token)
        use_language(kept.language)
        if kept.is_pending:
            return confirm_first(kept)
        if not kept.may_change or kept.reader is not None:
            return redirect(url_for("me.show", token=token), 303)
        return _updates_page(kept, UpdatesForm(formdata=None))


@blueprint.post("/me/<token>/updates")
@entry(Entry.LINK)
def start(token: str) -> Answer:
    vault = installation().vault
    with installation().database.sessions.begin() as session:
        kept = get_personal_data(session, vault, token, for_update=True)
        use_language(kept.language)
        if kept.is_pending:
            return confirm_first(kept)
        if not kept.may_change or kept.signature is None:
            return own_page(session, kept), 410
        if kept.reader is not None:  # pressed twice
            return redirect(url_for("me.show", token=token, saved=1), 303)
        form, signature_id = UpdatesForm(), kept.signature.id
        valid = form.validate()
        try:
            # The address is compared only after the code is right: the link alone tells nobody whose link it is.
            check_owner(vault, kept.signature, form.proof())
            if valid:
                start_updates(session, vault, kept, form.address(), now=installation().now())
        except ProofNeeded as needed:
            # The block ends without an error, so that the count of wrong codes is committed.
            form.refuse("code", needed.sentence)
        except InvalidInput as refusal:
            form.refuse(refusal.field, refusal.sentence)
        if form.first_errors():
            return _updates_page(kept, form), 422
    return _saved(token, signature_id)


def _saved(token: str, signature_id: int) -> Response:
    """Lead back to the page, and do not ask this browser for the code again for a while."""
    answer = make_response(redirect(url_for("me.show", token=token, saved=1), 303))
    remember_mark(answer, installation().vault.own_mark(signature_id))
    return answer
