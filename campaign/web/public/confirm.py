"""The link from the confirmation mail: see the signature, confirm it, or say that somebody else typed the address."""

from flask import Blueprint, make_response, render_template, request
from werkzeug import Response

from campaign.errors import LinkExpired, ProofNeeded
from campaign.models import Petition, Signature
from campaign.services.petitions.store import get_petition_by_id
from campaign.services.signatures.confirm import Proof, comes_from_signer, get_linked_signature, shown_version
from campaign.services.signatures.confirmation_link import Pressed, count_for_signer, find_erased, press
from campaign.services.signatures.sign import open_person
from campaign.web.core.browser_marks import browser_marks, remember_mark
from campaign.web.core.context import installation, texts_of, use_language
from campaign.web.core.security import Entry, entry
from campaign.web.core.typed_address import forget_address

blueprint = Blueprint("confirm", __name__)
N_ = str  # marks a sentence for the translators; the page translates it

CHANGED = N_("The form was filled in again for your address after this page was opened. Please look at it once more.")


def _page(signature: Signature, petition: Petition, *, needs_code: bool, error: str | None = None) -> str:
    return render_template(
        "public/confirm/show.html",
        signature=signature,
        person=open_person(installation().vault, signature),
        petition=petition,
        texts=texts_of(petition),
        demands=signature.text_version.demands,
        seen=shown_version(signature),
        needs_code=needs_code,
        error=error,
    )


@blueprint.get("/confirm/<token>")
@entry(Entry.LINK)
def show(token: str) -> str:
    vault = installation().vault
    with installation().database.snapshots() as session:
        signature = get_linked_signature(session, vault, token, now=installation().now())
        petition = get_petition_by_id(session, signature.petition_id)
        use_language(signature.language)
        if signature.state.is_standing:
            return _confirmed(petition, count_for_signer(session, signature))
        known = comes_from_signer(vault, signature, Proof(browser_marks()))
        return _page(signature, petition, needs_code=not known)


def _confirmed(petition: Petition, total: int, own_page: str | None = None) -> str:
    """The thank-you page. Only the answer to the button has ``own_page``; a person who opens the link later has not.

    It has no links to other sites: its address is a secret, and some browsers tell it to the site of a link.
    """
    return render_template(
        "public/confirm/confirmed.html", petition=petition, texts=texts_of(petition), confirmed=total, own_page=own_page
    )


def _disowned(signature: Signature, *, is_first: bool) -> str:
    """The page after “this was not me”; a second click gets it too. The first press also stopped the mails."""
    use_language(signature.language)
    return render_template("public/confirm/disowned.html", is_first=is_first)


@blueprint.post("/confirm/<token>")
@entry(Entry.LINK)
def answer(token: str) -> str | tuple[str, int] | Response:
    vault, now = installation().vault, installation().now()
    proof = Proof(browser_marks(), request.form.get("code", ""))
    disowns = request.form.get("action") == "not-me"
    with installation().database.sessions.begin() as session:
        try:
            signature = get_linked_signature(session, vault, token, now=now, for_update=True)
        except LinkExpired:
            erased = find_erased(session, vault, token) if disowns else None
            if erased is None:
                raise
            return _disowned(erased, is_first=False)
        petition = get_petition_by_id(session, signature.petition_id)
        use_language(signature.language)
        try:
            pressed = press(
                session,
                vault,
                signature,
                proof,
                disowns=disowns,
                seen=request.form.get("seen", ""),
                now=now,
            )
        except ProofNeeded as needed:
            # The block ends without an error, so that the count of wrong codes is committed.
            return _page(signature, petition, needs_code=True, error=needed.sentence), 422
        match pressed:
            case Pressed.CONFIRMED_BEFORE:
                return _confirmed(petition, count_for_signer(session, signature))
            case Pressed.DISOWNED:
                return _disowned(signature, is_first=True)
            case Pressed.CHANGED:
                needs_code = not comes_from_signer(vault, signature, proof)
                return _page(signature, petition, needs_code=needs_code, error=CHANGED), 422
            case Pressed.CONFIRMED:
                own_page = installation().links.own_page(signature.id)
                thanks = make_response(_confirmed(petition, count_for_signer(session, signature), own_page))
                remember_mark(thanks, vault.own_mark(signature.id))
                forget_address(thanks)
                return thanks
