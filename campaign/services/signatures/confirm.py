"""Confirming: a signature counts when its signer says so from the mail; disowning erases it."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy.orm import Session

from campaign.crypto.link_purposes import LinkPurpose
from campaign.crypto.sealed_rows import address_row
from campaign.crypto.vault import Vault
from campaign.errors import LinkExpired, ProofNeeded
from campaign.models import Petition, Signature, SignatureState, SuppressionReason
from campaign.periods import WRONG_CODES
from campaign.services.abuse.suspicions import is_suspected
from campaign.services.petitions.counts import take_number
from campaign.services.petitions.lifecycle import today_in
from campaign.services.petitions.referrals import count_sources
from campaign.services.signatures.erase import end_subscription, erase_signature
from campaign.services.signatures.sign import forget_allowance
from campaign.services.subscribers.subscriptions import begin_subscription, find_subscription
from campaign.services.subscribers.suppressions import suppress

N_ = str  # marks a sentence for the translators; the page translates it
TOO_MANY = N_("Too many wrong codes were typed. Please open the link in the browser in which you signed.")


@dataclass(frozen=True, slots=True)
class Proof:
    """What came with the click: the marks that the browser keeps, and the code that was typed."""

    browser_marks: tuple[str, ...] = ()
    code: str = ""


def get_followed(session: Session, vault: Vault, token: str, *, now: datetime, for_update: bool = False) -> Signature:
    """The signature that a confirmation link stands for, locked where it is about to change.

    Raises LinkUnknown for a link that is not ours, LinkExpired for one that came too late.
    """
    signature = session.get(Signature, vault.read_token(LinkPurpose.CONFIRM, token), with_for_update=for_update or None)
    if (
        signature is None
        or not (signature.state is SignatureState.PENDING or signature.state.is_standing)
        or (signature.expires_at is not None and signature.expires_at <= now)
    ):
        raise LinkExpired("This link is no longer valid.")
    return signature


def comes_from_signer(vault: Vault, signature: Signature, proof: Proof) -> bool:
    """Whether the browser is the one that posted the signature."""
    fingerprint = signature.fingerprint
    return fingerprint is not None and vault.browser_mark(signature.petition_id, fingerprint) in proof.browser_marks


def shown_version(signature: Signature) -> str:
    """Names what a page shows of a signature; another post of the same address changes it."""
    return sha256(signature.sealed_person or b"").hexdigest()[:32]


def check_proof(vault: Vault, signature: Signature, proof: Proof) -> None:
    """Tell a person from a mail scanner, which has the link and presses its buttons, but not the code beside it.

    Raises ProofNeeded; a wrong code has then been counted on ``signature``, so the caller commits all the same.
    """
    if not comes_from_signer(vault, signature, proof):
        check_code(vault, signature, proof.code, too_many=TOO_MANY)


def check_code(vault: Vault, signature: Signature, typed: str, *, too_many: str) -> None:
    """Raises ProofNeeded where ``typed`` is not the code; after many wrong ones with the sentence ``too_many``.

    A wrong code has then been counted on ``signature``, so the caller commits all the same.
    """
    if not typed.strip():
        raise ProofNeeded(N_("Please type the six-character code that stands in the mail."))
    if signature.wrong_codes >= WRONG_CODES:
        raise ProofNeeded(too_many)
    if not vault.code_matches(signature.id, typed):
        signature.wrong_codes += 1
        raise ProofNeeded(N_("This is not the code in the mail. Please compare the six characters once more."))


def confirm(session: Session, vault: Vault, signature: Signature, *, now: datetime) -> None:
    """Count the signature, forget its address, and begin the subscription its signer asked for. Repeatable.

    One that is under suspicion waits for a review instead: it is not counted, and keeps its address as long as a
    subscription may begin with it.
    """
    if signature.state is not SignatureState.PENDING:
        return
    fingerprint, sealed_address = signature.fingerprint, signature.sealed_address
    assert fingerprint is not None  # a pending signature has both
    assert sealed_address is not None
    petition = session.get_one(Petition, signature.petition_id)
    today = today_in(petition, now)
    if is_suspected(session, signature.id):
        forget_allowance(session, fingerprint)
        signature.state = SignatureState.QUARANTINED
        signature.signed_on = today
        signature.expires_at = None
        if not signature.wants_updates:
            signature.sealed_address = None
        return
    if signature.wants_updates:
        address = vault.open(sealed_address, row=address_row(signature.id))
        begin_subscription(session, vault, signature, address, day=today)
    # Locks are taken in the order in which signing takes them: signature, allowance, counter.
    forget_allowance(session, fingerprint)
    number = take_number(session, petition.id, today)
    if signature.source is not None:
        count_sources(session, petition.id, Counter([signature.source]))
        signature.source = None
    signature.state = SignatureState.CONFIRMED
    signature.number = number
    signature.signed_on = today
    signature.sealed_address = None
    signature.expires_at = None
    signature.wants_updates = False


def disown(session: Session, signature: Signature, *, now: datetime) -> None:
    """The owner of the address did not sign: erase what was typed, and send nothing to the address any more."""
    fingerprint = signature.fingerprint
    assert fingerprint is not None  # pending and confirmed signatures have one
    suppress(session, fingerprint, SuppressionReason.NOT_ME, now=now)
    forget_allowance(session, fingerprint)
    erase_signature(session, signature, now=now)
    subscription = find_subscription(session, signature.petition_id, fingerprint)
    if subscription is not None:
        end_subscription(session, subscription, now=now)
