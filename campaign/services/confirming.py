"""Confirming: a signature counts when its signer says so from the mail; disowning and expiring erase it."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlalchemy.orm import Session

from campaign.errors import LinkExpired, ProofNeeded
from campaign.models import Petition, Signature, SignatureState, SuppressionReason
from campaign.services.counting import take_number, uncount
from campaign.services.signing import forget_allowance
from campaign.services.subscribing import begin_subscription, end_subscription, find_subscription
from campaign.services.suppressing import suppress
from campaign.vault import Vault

PURPOSE = "confirm"
WRONG_CODES = 10
# What is left of a signature in the columns that say something of a person.
_ERASED = {
    "fingerprint": None,
    "sealed_person": None,
    "sealed_address": None,
    "country": None,
    "wants_updates": False,
    "expires_at": None,
}
N_ = str  # marks a sentence for the translators; the page translates it


@dataclass(frozen=True, slots=True)
class Proof:
    """What came with the click: the marks that the browser keeps, and the code that was typed."""

    browser_marks: tuple[str, ...] = ()
    code: str = ""


def get_followed(session: Session, vault: Vault, token: str, *, now: datetime, for_update: bool = False) -> Signature:
    """The signature that a confirmation link stands for, locked where it is about to change.

    Raises LinkUnknown for a link that is not ours, LinkExpired for one that came too late.
    """
    signature = session.get(Signature, vault.read_token(PURPOSE, token), with_for_update=for_update or None)
    if (
        signature is None
        or signature.state not in (SignatureState.PENDING, SignatureState.CONFIRMED)
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
    if comes_from_signer(vault, signature, proof):
        return
    if not proof.code.strip():
        raise ProofNeeded(N_("Please type the six-character code that stands in the mail."))
    if signature.wrong_codes >= WRONG_CODES:
        raise ProofNeeded(
            N_("Too many wrong codes were typed. Please open the link in the browser in which you signed.")
        )
    if not vault.code_matches(signature.id, proof.code):
        signature.wrong_codes += 1
        raise ProofNeeded(N_("This is not the code in the mail. Please compare the six characters once more."))


def confirm(session: Session, vault: Vault, signature: Signature, *, now: datetime) -> None:
    """Count the signature, forget its address, and begin the subscription its signer asked for. Repeatable."""
    if signature.state is not SignatureState.PENDING:
        return
    fingerprint, sealed_address = signature.fingerprint, signature.sealed_address
    assert fingerprint is not None  # a pending signature has both
    assert sealed_address is not None
    petition = session.get_one(Petition, signature.petition_id)
    today = now.astimezone(ZoneInfo(petition.timezone)).date()
    if signature.wants_updates:
        address = vault.open(sealed_address, row=f"address:{signature.id}")
        begin_subscription(session, vault, signature, address, day=today)
    # Locks are taken in the order in which signing takes them: signature, allowance, counter.
    forget_allowance(session, fingerprint)
    number = take_number(session, petition.id, today)
    signature.state = SignatureState.CONFIRMED
    signature.number = number
    signature.signed_on = today
    signature.sealed_address = None
    signature.expires_at = None
    signature.wants_updates = False


def disown(session: Session, signature: Signature, *, now: datetime) -> None:
    """The owner of the address did not sign: erase what was typed, and send nothing to the address any more."""
    fingerprint, number, day = signature.fingerprint, signature.number, signature.signed_on
    assert fingerprint is not None  # pending and confirmed signatures have one
    suppress(session, fingerprint, SuppressionReason.NOT_ME, now=now)
    forget_allowance(session, fingerprint)
    if day is not None and number is not None:
        uncount(session, signature.petition_id, day)
        _erase(signature, SignatureState.WITHDRAWN)
    else:
        _erase(signature, SignatureState.EXPIRED)
    subscription = find_subscription(session, signature.petition_id, fingerprint)
    if subscription is not None:
        end_subscription(subscription)


def _erase(signature: Signature, state: SignatureState) -> None:
    signature.state = state
    for column, value in _ERASED.items():
        setattr(signature, column, value)


def expire_pending(session: Session, *, now: datetime) -> int:
    """Erase what was typed in signatures that nobody confirmed in time; how many there were."""
    expired = session.execute(
        update(Signature)
        .where(Signature.state == SignatureState.PENDING, Signature.expires_at <= now)
        .values(state=SignatureState.EXPIRED, **_ERASED)
        .returning(Signature.id)
        .execution_options(synchronize_session=False)
    )
    return len(expired.all())
