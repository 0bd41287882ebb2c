"""The buttons behind a confirmation link: who may press them, and what each one does."""

from datetime import datetime
from enum import Enum, auto

from sqlalchemy.orm import Session

from campaign.crypto.link_purposes import LinkPurpose
from campaign.crypto.vault import Vault
from campaign.errors import ProofNeeded
from campaign.models import Signature, SignatureState
from campaign.services.petitions.counts import count_confirmed
from campaign.services.signatures.confirm import Proof, check_proof, confirm, disown, shown_version
from campaign.services.signatures.self_service import check_owner


class Pressed(Enum):
    """What became of the button."""

    CONFIRMED_BEFORE = auto()
    CONFIRMED = auto()  # by this press, or by an earlier one with the same content
    DISOWNED = auto()
    CHANGED = auto()  # the form was filled in again for the address after the page was opened; nothing was done


def press(
    session: Session,
    vault: Vault,
    signature: Signature,
    proof: Proof,
    *,
    disowns: bool,
    seen: str,
    now: datetime,
) -> Pressed:
    """Confirm the signature, or erase it if its address ``disowns`` it.

    ``seen`` is the version of the personal data that the page showed, or empty: a person confirms what they have seen.
    Raises ProofNeeded. If the code was wrong, it was counted on ``signature``, so the caller must commit nevertheless.
    """
    if signature.state.is_standing and not disowns:
        return Pressed.CONFIRMED if _is_pressed_again(vault, signature, proof, seen) else Pressed.CONFIRMED_BEFORE
    # The public form marks every browser that sends the address. The mark confirms what that browser sent, no more.
    check = check_owner if signature.state.is_standing else check_proof
    check(vault, signature, proof)
    if disowns:
        disown(session, signature, now=now)
        return Pressed.DISOWNED
    if seen not in ("", shown_version(signature)):
        return Pressed.CHANGED
    confirm(session, vault, signature, now=now)
    session.flush()
    return Pressed.CONFIRMED


def _is_pressed_again(vault: Vault, signature: Signature, proof: Proof, seen: str) -> bool:
    """Whether this is a second click on the button, or a reload of the answer: the same proof, from the same page.

    Some browsers send both clicks of a double click and show the second answer alone. ``seen`` stood only on the page
    with the button, while the signature was pending, so a person who gets the link later cannot repeat the press.
    """
    if seen != shown_version(signature):
        return False
    try:
        check_proof(vault, signature, proof)
    except ProofNeeded:
        return False
    return True


def find_erased(session: Session, vault: Vault, token: str) -> Signature | None:
    """The signature of a confirmation link if it was disowned, withdrawn, or not confirmed in time; else None."""
    signature = session.get(Signature, vault.read_token(LinkPurpose.CONFIRM, token))
    erased = (SignatureState.EXPIRED, SignatureState.WITHDRAWN)
    return signature if signature is not None and signature.state in erased else None


def count_for_signer(session: Session, signature: Signature) -> int:
    """The public count as the signer is told it.

    A signature that waits for a review is told as counted; else a forger would learn which signatures we notice.
    """
    return count_confirmed(session, signature.petition_id) + (signature.state is SignatureState.QUARANTINED)
