"""Confirming: a signature counts after its signer confirmed it by the mail; disowning erases it."""

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
from campaign.services.signatures.mail_turns import forget_allowance, release_waiting
from campaign.services.subscribers.subscriptions import find_subscription, start_subscription
from campaign.services.subscribers.suppressions import suppress

N_ = str  # marks a sentence for the translators; the page translates it
TOO_MANY = N_("Too many wrong codes were typed. Please open the link in the browser in which you signed.")


@dataclass(frozen=True, slots=True)
class Proof:
    """The evidence of who clicked: the marks in the browser's cookies, and the code that was typed."""

    browser_marks: tuple[str, ...] = ()
    code: str = ""


def get_linked_signature(
    session: Session, vault: Vault, token: str, *, now: datetime, for_update: bool = False
) -> Signature:
    """The signature of a confirmation link; ``for_update`` locks its row.

    Raises LinkUnknown if the link is not ours, and LinkExpired if it is no longer valid.
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
    """Whether the browser is the one in which the form was filled in."""
    fingerprint = signature.fingerprint
    return fingerprint is not None and vault.browser_mark(signature.petition_id, fingerprint) in proof.browser_marks


def shown_version(signature: Signature) -> str:
    """A hash of the personal data that a page shows of a signature; it changes if the same address signs again."""
    return sha256(signature.sealed_person or b"").hexdigest()[:32]


def check_proof(vault: Vault, signature: Signature, proof: Proof) -> None:
    """Distinguish a person from a mail scanner: it follows the link and presses the buttons, but does not type the
    code.

    Raises ProofNeeded. If the code was wrong, it was counted on ``signature``, so the caller must commit nevertheless.
    """
    if not comes_from_signer(vault, signature, proof):
        check_code(vault, signature, proof.code, too_many=TOO_MANY)


def check_code(vault: Vault, signature: Signature, typed: str, *, too_many: str) -> None:
    """Raises ProofNeeded if ``typed`` is not the code; after too many wrong codes with the sentence ``too_many``.

    A wrong code is counted on ``signature``, so the caller must commit nevertheless.
    """
    if not typed.strip():
        raise ProofNeeded(N_("Please type the six-character code from the mail."))
    if signature.wrong_codes >= WRONG_CODES:
        raise ProofNeeded(too_many)
    if not vault.code_matches(signature.id, typed):
        signature.wrong_codes += 1
        raise ProofNeeded(N_("This is not the code in the mail. Please check the six characters again."))


def confirm(session: Session, vault: Vault, signature: Signature, *, now: datetime) -> None:
    """Count the signature, erase its address, and start the subscription if the signer asked for it. It can be
    repeated.

    A suspicious signature waits for a review instead: it is not counted, and it keeps its address as long as a
    subscription may start with it.
    """
    if signature.state is not SignatureState.PENDING:
        return
    sealed_address = signature.sealed_address
    assert sealed_address is not None  # a pending signature has one
    petition = session.get_one(Petition, signature.petition_id)
    today = today_in(petition, now)
    if is_suspected(session, signature.id):
        release_waiting(session, signature, now=now)
        signature.state = SignatureState.QUARANTINED
        signature.signed_on = today
        signature.expires_at = None
        if not signature.wants_updates:
            signature.sealed_address = None
        return
    if signature.wants_updates:
        address = vault.open(sealed_address, row=address_row(signature.id))
        start_subscription(session, vault, signature, address, day=today)
    # Locks are taken in the order in which signing takes them: signature, allowance, counter.
    release_waiting(session, signature, now=now)
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
    """Erase the signature and suppress the address, because the owner of the address did not sign."""
    fingerprint = signature.fingerprint
    assert fingerprint is not None  # pending and confirmed signatures have one
    suppress(session, fingerprint, SuppressionReason.NOT_ME, now=now)
    forget_allowance(session, fingerprint)
    erase_signature(session, signature, now=now)
    subscription = find_subscription(session, signature.petition_id, fingerprint)
    if subscription is not None:
        end_subscription(session, subscription, now=now)
