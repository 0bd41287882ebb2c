"""Withdrawing a signature: the question, the erasure, and its receipt."""

from flask import Blueprint, Response, redirect, render_template, url_for
from werkzeug import Response as BaseResponse

from campaign.crypto.link_purposes import LinkPurpose
from campaign.errors import LinkExpired, ProofNeeded
from campaign.services.privacy.receipts import Receipt, write_receipt
from campaign.services.signatures.confirm import Proof
from campaign.services.signatures.self_service import PersonalData, check_owner, get_personal_data, is_owner, withdraw
from campaign.web.core.browser_marks import browser_marks
from campaign.web.core.context import installation, texts_of, use_language
from campaign.web.core.security import Entry, entry
from campaign.web.self_service.forms import OwnForm
from campaign.web.self_service.views import confirm_first

blueprint = Blueprint("withdrawing", __name__)

Answer = str | BaseResponse | tuple[str, int]


def _page(kept: PersonalData, error: str | None = None) -> str:
    assert kept.signature is not None  # there is something to withdraw
    return render_template(
        "self_service/withdraw.html",
        kept=kept,
        petition=kept.petition,
        texts=texts_of(kept.petition),
        needs_code=not is_owner(installation().vault, kept.signature, Proof(browser_marks())),
        error=error,
    )


def _elsewhere(kept: PersonalData) -> BaseResponse | None:
    """The page to go to instead, if there is nothing to withdraw here, or not yet."""
    if kept.is_pending:
        return confirm_first(kept)
    if kept.signature is None:
        raise LinkExpired("There is no signature behind this link any more.")
    return _to_receipt(kept) if kept.erased_on else None


def _to_receipt(kept: PersonalData) -> BaseResponse:
    # A reader's link does not lead to the signature any more.
    assert kept.signature is not None  # the signature was erased; its row stays
    return redirect(
        url_for("withdrawing.receipt", token=installation().vault.token(LinkPurpose.SIGNER, kept.signature.id)), 303
    )


@blueprint.get("/me/<token>/withdraw")
@entry(Entry.LINK)
def ask(token: str) -> Answer:
    with installation().database.snapshots() as session:
        kept = get_personal_data(session, installation().vault, token)
        use_language(kept.language)
        return _elsewhere(kept) or _page(kept)


@blueprint.post("/me/<token>/withdraw")
@entry(Entry.LINK)
def answer(token: str) -> Answer:
    """It needs the code, or a browser in which it was typed: a scanner may press this button too."""
    vault, form = installation().vault, OwnForm()
    with installation().database.sessions.begin() as session:
        kept = get_personal_data(session, vault, token, for_update=True)
        use_language(kept.language)
        if (elsewhere := _elsewhere(kept)) is not None or kept.signature is None:
            return elsewhere or _page(kept)
        try:
            check_owner(vault, kept.signature, form.proof())
        except ProofNeeded as needed:
            # The block ends without an error, so that the count of wrong codes is committed.
            return _page(kept, needed.sentence), 422
        withdraw(session, kept, now=installation().now())
        return _to_receipt(kept)


def _receipt(token: str) -> tuple[PersonalData, str]:
    with installation().database.snapshots() as session:
        kept = get_personal_data(session, installation().vault, token)
        use_language(kept.language)
    if kept.erased_on is None:
        raise LinkExpired("Nothing was erased here that there could be a receipt for.")
    return kept, write_receipt(installation().vault, Receipt(kept.petition.id, kept.erased_on))


@blueprint.get("/me/<token>/receipt")
@entry(Entry.LINK)
def receipt(token: str) -> str:
    kept, code = _receipt(token)
    return render_template("self_service/receipt.html", kept=kept, texts=texts_of(kept.petition), code=code)


@blueprint.get("/me/<token>/receipt.txt")
@entry(Entry.LINK)
def receipt_file(token: str) -> Response:
    kept, code = _receipt(token)
    text = render_template("self_service/receipt.txt", kept=kept, texts=texts_of(kept.petition), code=code)
    answer = Response(text, content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{kept.petition.slug}-receipt.txt"'
    return answer
