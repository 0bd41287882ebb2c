"""The buttons behind a confirmation link: who may press which, and that nothing is done to data nobody has seen."""

import pytest

from campaign.crypto.link_purposes import LinkPurpose
from campaign.errors import ProofNeeded
from campaign.installation.wiring import Installation
from campaign.models import SignatureState
from campaign.services.signatures.confirm import Proof, get_linked_signature, shown_version
from campaign.services.signatures.confirmation_link import Pressed, count_for_signer, press
from campaign.text.email_address import parse_email_address
from tests.scenes.people import confirm, count, get_signature, get_signature_by_id, sign

ADDRESS = "aigerim@example.org"


def code(installation: Installation) -> str:
    """The code in the mail."""
    return installation.vault.code(get_signature(installation, ADDRESS).id)


def form_mark(installation: Installation) -> str:
    """The mark that the browser has in which the form was filled in."""
    signature = get_signature(installation, ADDRESS)
    fingerprint = installation.vault.fingerprint(parse_email_address(ADDRESS))
    return installation.vault.browser_mark(signature.petition_id, fingerprint)


def pressed(installation: Installation, proof: Proof, *, disowns: bool = False, seen: str = "") -> Pressed | str:
    """Press a button as the page does, which commits; or the sentence that asks for a proof."""
    token = installation.vault.token(LinkPurpose.CONFIRM, get_signature(installation, ADDRESS).id)
    with installation.database.sessions.begin() as session:
        signature = get_linked_signature(session, installation.vault, token, now=installation.now(), for_update=True)
        try:
            return press(
                session, installation.vault, signature, proof, disowns=disowns, seen=seen, now=installation.now()
            )
        except ProofNeeded as needed:
            return needed.sentence


def test_the_code_or_the_browser_confirms_once(installation: Installation) -> None:
    sign(installation, ADDRESS)
    proofs = Proof(code=code(installation)), Proof((form_mark(installation),))
    assert pressed(installation, Proof()) == "Please type the six-character code from the mail."
    assert count(installation) == 0
    for proof, outcome in zip(proofs, (Pressed.CONFIRMED, Pressed.CONFIRMED_BEFORE), strict=True):
        assert pressed(installation, proof) is outcome
        assert count(installation) == 1


def test_the_mark_of_the_form_alone_erases_no_signature_that_counts(installation: Installation) -> None:
    """The public form gives the mark to everybody who types the address."""
    sign(installation, ADDRESS)
    mark, six = Proof((form_mark(installation),)), Proof(code=code(installation))
    confirm(installation, ADDRESS)
    row_id = get_signature(installation, ADDRESS).id
    assert isinstance(pressed(installation, mark, disowns=True), str)
    assert count(installation) == 1
    assert pressed(installation, six, disowns=True) is Pressed.DISOWNED
    assert count(installation) == 0
    assert get_signature_by_id(installation, row_id).state is SignatureState.WITHDRAWN


def test_one_that_waits_is_disowned_by_the_browser_too(installation: Installation) -> None:
    sign(installation, ADDRESS)
    row_id = get_signature(installation, ADDRESS).id
    assert pressed(installation, Proof((form_mark(installation),)), disowns=True) is Pressed.DISOWNED
    assert get_signature_by_id(installation, row_id).state is SignatureState.EXPIRED


def test_what_was_filled_in_again_is_not_confirmed_unseen(installation: Installation) -> None:
    sign(installation, ADDRESS, name="Aigerim")
    seen = shown_version(get_signature(installation, ADDRESS))
    sign(installation, ADDRESS, name="aigerim", comment="Words of somebody else")
    proof = Proof(code=code(installation))
    assert pressed(installation, proof, seen=seen) is Pressed.CHANGED
    assert count(installation) == 0
    assert pressed(installation, proof, seen=shown_version(get_signature(installation, ADDRESS))) is Pressed.CONFIRMED


def test_a_wrong_code_is_counted(installation: Installation) -> None:
    sign(installation, ADDRESS)
    assert isinstance(pressed(installation, Proof(code="000000")), str)
    assert get_signature(installation, ADDRESS).wrong_codes == 1


@pytest.mark.parametrize(("state", "told"), [(SignatureState.CONFIRMED, 1), (SignatureState.QUARANTINED, 2)])
def test_whose_signature_waits_for_a_review_sees_it_counted(
    installation: Installation, state: SignatureState, told: int
) -> None:
    sign(installation, ADDRESS)
    confirm(installation, ADDRESS)
    signature = get_signature(installation, ADDRESS)
    signature.state = state
    with installation.database.snapshots() as session:
        assert count_for_signer(session, signature) == told
