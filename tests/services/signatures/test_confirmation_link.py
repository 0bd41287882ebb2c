"""The buttons behind a confirmation link: who may press which, and that nothing is done to data nobody has seen."""

import pytest

from campaign.crypto.link_purposes import LinkPurpose
from campaign.errors import ProofNeeded
from campaign.installation.wiring import Campaign
from campaign.models import SignatureState
from campaign.services.signatures.confirm import Proof, get_linked_signature, shown_version
from campaign.services.signatures.confirmation_link import Pressed, count_for_signer, press
from campaign.text.email_address import parse_email_address
from tests.scenes.people import confirm, count, get_signature, get_signature_by_id, sign

ADDRESS = "aigerim@example.org"


def code(campaign: Campaign) -> str:
    """The code in the mail."""
    return campaign.vault.code(get_signature(campaign, ADDRESS).id)


def form_mark(campaign: Campaign) -> str:
    """The mark that the browser has in which the form was filled in."""
    signature = get_signature(campaign, ADDRESS)
    fingerprint = campaign.vault.fingerprint(parse_email_address(ADDRESS))
    return campaign.vault.browser_mark(signature.petition_id, fingerprint)


def pressed(campaign: Campaign, proof: Proof, *, disowns: bool = False, seen: str = "") -> Pressed | str:
    """Press a button as the page does, which commits; or the sentence that asks for a proof."""
    token = campaign.vault.token(LinkPurpose.CONFIRM, get_signature(campaign, ADDRESS).id)
    with campaign.database.sessions.begin() as session:
        signature = get_linked_signature(session, campaign.vault, token, now=campaign.now(), for_update=True)
        try:
            return press(session, campaign.vault, signature, proof, disowns=disowns, seen=seen, now=campaign.now())
        except ProofNeeded as needed:
            return needed.sentence


def test_the_code_or_the_browser_confirms_once(campaign: Campaign) -> None:
    sign(campaign, ADDRESS)
    proofs = Proof(code=code(campaign)), Proof((form_mark(campaign),))
    assert pressed(campaign, Proof()) == "Please type the six-character code from the mail."
    assert count(campaign) == 0
    for proof, outcome in zip(proofs, (Pressed.CONFIRMED, Pressed.CONFIRMED_BEFORE), strict=True):
        assert pressed(campaign, proof) is outcome
        assert count(campaign) == 1


def test_the_mark_of_the_form_alone_erases_no_signature_that_counts(campaign: Campaign) -> None:
    """The public form gives the mark to everybody who types the address."""
    sign(campaign, ADDRESS)
    mark, six = Proof((form_mark(campaign),)), Proof(code=code(campaign))
    confirm(campaign, ADDRESS)
    row_id = get_signature(campaign, ADDRESS).id
    assert isinstance(pressed(campaign, mark, disowns=True), str)
    assert count(campaign) == 1
    assert pressed(campaign, six, disowns=True) is Pressed.DISOWNED
    assert count(campaign) == 0
    assert get_signature_by_id(campaign, row_id).state is SignatureState.WITHDRAWN


def test_one_that_waits_is_disowned_by_the_browser_too(campaign: Campaign) -> None:
    sign(campaign, ADDRESS)
    row_id = get_signature(campaign, ADDRESS).id
    assert pressed(campaign, Proof((form_mark(campaign),)), disowns=True) is Pressed.DISOWNED
    assert get_signature_by_id(campaign, row_id).state is SignatureState.EXPIRED


def test_what_was_filled_in_again_is_not_confirmed_unseen(campaign: Campaign) -> None:
    sign(campaign, ADDRESS, name="Aigerim")
    seen = shown_version(get_signature(campaign, ADDRESS))
    sign(campaign, ADDRESS, name="Somebody else")
    proof = Proof(code=code(campaign))
    assert pressed(campaign, proof, seen=seen) is Pressed.CHANGED
    assert count(campaign) == 0
    assert pressed(campaign, proof, seen=shown_version(get_signature(campaign, ADDRESS))) is Pressed.CONFIRMED


def test_a_wrong_code_is_counted(campaign: Campaign) -> None:
    sign(campaign, ADDRESS)
    assert isinstance(pressed(campaign, Proof(code="000000")), str)
    assert get_signature(campaign, ADDRESS).wrong_codes == 1


@pytest.mark.parametrize(("state", "told"), [(SignatureState.CONFIRMED, 1), (SignatureState.QUARANTINED, 2)])
def test_whose_signature_waits_for_a_review_sees_it_counted(
    campaign: Campaign, state: SignatureState, told: int
) -> None:
    sign(campaign, ADDRESS)
    confirm(campaign, ADDRESS)
    signature = get_signature(campaign, ADDRESS)
    signature.state = state
    with campaign.database.snapshots() as session:
        assert count_for_signer(session, signature) == told
