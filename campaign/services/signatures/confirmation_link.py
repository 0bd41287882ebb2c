"""The buttons behind a confirmation link: who may press them, and what each one does."""

from datetime import datetime
from enum import Enum, auto

from sqlalchemy.orm import Session

from campaign.crypto.vault import Vault
from campaign.models import Signature, SignatureState
from campaign.services.petitions.counts import count_confirmed
from campaign.services.signatures.confirm import Proof, check_proof, confirm, disown, shown_version
from campaign.services.signatures.self_service import check_owner


class Pressed(Enum):
    """What became of the button."""

    CONFIRMED_BEFORE = auto()
    CONFIRMED = auto()
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
        return Pressed.CONFIRMED_BEFORE
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


def count_for_signer(session: Session, signature: Signature) -> int:
    """The public count as the signer is told it.

    A signature that waits for a review is told as counted; else a forger would learn which signatures we notice.
    """
    return count_confirmed(session, signature.petition_id) + (signature.state is SignatureState.QUARANTINED)
