"""A person's own page: finds the person of a link and the personal data, and changes it for its owner."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from campaign.crypto.link_purposes import LinkPurpose
from campaign.crypto.vault import Vault
from campaign.errors import InvalidInput, LinkExpired, LinkUnknown
from campaign.models import (
    CommentState,
    Display,
    Erased,
    LinkRequest,
    Petition,
    Signature,
    SignatureState,
    Subscription,
    SubscriptionState,
    Suppression,
    Tombstone,
)
from campaign.services.petitions.lifecycle import today_in
from campaign.services.signatures.confirm import Proof, check_code
from campaign.services.signatures.erase import end_subscription, erase_signature
from campaign.services.signatures.mail_turns import forget_allowance
from campaign.services.signatures.public_names import shown_name
from campaign.services.signatures.sign import Person, find_signature, open_person
from campaign.services.subscribers.subscriptions import find_subscription, get_linked_subscription, start_subscription
from campaign.services.subscribers.suppressions import find_suppression
from campaign.text.email_address import EmailAddress

N_ = str  # marks a sentence for the translators; the page translates it

TOO_MANY = N_("Too many wrong codes were typed. Please request a new mail: after that the code works again.")


@dataclass(frozen=True)
class PersonalData:
    """The personal data of one person under one petition. ``person`` is None if it cannot be read, or was erased.

    ``erased_on`` is the day on which the whole signature was erased, ``names_erased_on`` the day of erasing the name.
    """

    petition: Petition
    signature: Signature | None
    subscription: Subscription | None
    person: Person | None
    suppression: Suppression | None
    erased_on: date | None
    names_erased_on: date | None

    @property
    def is_pending(self) -> bool:
        return self.signature is not None and self.signature.state is SignatureState.PENDING

    @property
    def reader(self) -> Subscription | None:
        """The subscription if it is active, otherwise None."""
        active = self.subscription is not None and self.subscription.state is SubscriptionState.ACTIVE
        return self.subscription if active else None

    @property
    def may_change(self) -> bool:
        """Whether there is a signature whose data the signer may change."""
        state = self.signature.state if self.signature is not None else None
        return state in (SignatureState.CONFIRMED, SignatureState.QUARANTINED) and self.names_erased_on is None

    @property
    def language(self) -> str:
        """The language of the page."""
        owner = self.reader or self.signature or self.subscription
        assert owner is not None  # a link belongs to a signature or to a subscription
        return owner.language


def get_personal_data(session: Session, vault: Vault, token: str, *, for_update: bool = False) -> PersonalData:
    """The personal data of the person whose link has ``token``: a signer's link, or the link in a digest.

    Raises LinkUnknown if the link is not ours, and LinkExpired if the signature was never confirmed.
    """
    lock = for_update or None
    signature: Signature | None
    subscription: Subscription | None
    try:
        signature = session.get(Signature, vault.read_token(LinkPurpose.SIGNER, token), with_for_update=lock)
        if signature is None:
            raise LinkExpired("This link is no longer valid.")
        subscription = None
        if signature.fingerprint is not None:
            subscription = find_subscription(session, signature.petition_id, signature.fingerprint)
    except LinkUnknown:
        subscription = get_linked_subscription(session, vault, token, purpose=LinkPurpose.READER)
        signature = None
        if subscription.fingerprint is not None:
            signature = find_signature(session, subscription.petition_id, subscription.fingerprint)
        if signature is not None and for_update:
            session.refresh(signature, with_for_update=True)
    if subscription is not None and for_update:
        session.refresh(subscription, with_for_update=True)
    if signature is not None and signature.state is SignatureState.EXPIRED:
        raise LinkExpired("This link is no longer valid.")
    return _collect(session, vault, signature, subscription)


def _collect(
    session: Session, vault: Vault, signature: Signature | None, subscription: Subscription | None
) -> PersonalData:
    owner = signature or subscription
    assert owner is not None  # a link belongs to a signature or to a subscription
    erased: dict[Erased, date] = {}
    if signature is not None:
        kinds = (Erased.SIGNATURE, Erased.PERSON, Erased.NAME)
        of_it = Tombstone.kind.in_(kinds) & (Tombstone.row_id == signature.id)
        erased = dict(session.execute(select(Tombstone.kind, Tombstone.erased_on).where(of_it)).all())
    return PersonalData(
        petition=session.get_one(Petition, owner.petition_id),
        signature=signature,
        subscription=subscription,
        person=open_person(vault, signature) if signature is not None else None,
        suppression=find_suppression(session, owner.fingerprint) if owner.fingerprint is not None else None,
        erased_on=erased.get(Erased.SIGNATURE),
        names_erased_on=erased.get(Erased.NAME) or erased.get(Erased.PERSON),
    )


def is_owner(vault: Vault, signature: Signature, proof: Proof) -> bool:
    """Whether this browser has already confirmed, or was used to type the code from the mail.

    The mark from filling in the form is not enough here, since anybody who types the address gets it.
    """
    return vault.own_mark(signature.id) in proof.browser_marks


def check_owner(vault: Vault, signature: Signature, proof: Proof) -> None:
    """Distinguish the owner of the mail from a scanner, and from a person who got only the link. Raises ProofNeeded.

    A wrong code is counted on ``signature``, so the caller must commit nevertheless.
    """
    if not is_owner(vault, signature, proof):
        check_code(vault, signature, proof.code, too_many=TOO_MANY)


@dataclass(frozen=True)
class Details:
    """The data that a signer wants to be stored. If ``name`` is None, the sealed person stays as it is, because the
    server cannot read it back."""

    name: str | None
    comment: str | None
    country: str | None
    display: Display
    offers_comment: bool = False
    language: str | None = None


def change_details(vault: Vault, kept: PersonalData, details: Details) -> None:
    """Replace the data of a signature that may be changed by ``details``."""
    signature = kept.signature
    assert signature is not None  # the caller has checked may_change
    # A name that cannot be read back cannot be shown.
    readable = not kept.petition.sealed_to and (details.name is not None or kept.person is not None)
    display = details.display if readable else Display.HIDDEN
    signature.comment_state = _comment_state(kept, details, display)
    if details.name is not None:
        place = kept.person.place if kept.person is not None else None
        person = Person(details.name, place, details.comment)
        signature.sealed_person = person.seal(vault, signature.id, sealed_to=kept.petition.sealed_to)
    signature.country = details.country
    signature.display = display
    if details.language is not None:
        signature.language = details.language


def _comment_state(kept: PersonalData, details: Details, display: Display) -> CommentState:
    """The comment's state after the change. An organizer has approved the comment with the name beside it, so a change
    of either needs a new decision."""
    signature, before = kept.signature, kept.person
    assert signature is not None  # the caller has checked may_change
    if not (details.offers_comment and details.name and details.comment and kept.petition.shows_people):
        return CommentState.PRIVATE
    shown = shown_name(Person(details.name), display)
    known = before is not None and shown in (None, shown_name(before, signature.display))
    decided = signature.comment_state in CommentState.decided()
    if decided and known and before is not None and before.comment == details.comment:
        return signature.comment_state
    return CommentState.OFFERED


def start_updates(session: Session, vault: Vault, kept: PersonalData, address: EmailAddress, *, now: datetime) -> None:
    """Send the digest to the signer at ``address`` from now on.

    The address of a confirmed signature is not stored, so the signer has to type it; it is compared by its fingerprint.
    Raises InvalidInput if the address is another one than that of the signature, or if it is suppressed.
    """
    signature = kept.signature
    assert signature is not None  # the caller has checked may_change
    if vault.fingerprint(address) != signature.fingerprint:
        raise InvalidInput(
            "email", N_("You signed with another address. Updates can only be sent to the address that you confirmed.")
        )
    if kept.suppression is not None:
        raise InvalidInput("email", N_("This server does not write to this address any more, so it sends no updates."))
    day = today_in(kept.petition, now)
    start_subscription(session, vault, signature, str(address).encode(), day=day)


def withdraw(session: Session, kept: PersonalData, *, now: datetime) -> None:
    """Withdraw the signature, and erase all personal data under the petition. It can be repeated.

    ``kept`` was read ``for_update``. Withdrawing and erasing are one act, since a withdrawn signature needs no personal
    data.
    """
    signature = kept.signature
    assert signature is not None  # a reader without a signature uses the link to unsubscribe
    # Locks are taken in one order everywhere: signature, allowance, counter.
    if signature.fingerprint is not None:
        forget_allowance(session, signature.fingerprint)
        asked = (LinkRequest.petition_id == signature.petition_id) & (LinkRequest.fingerprint == signature.fingerprint)
        session.execute(delete(LinkRequest).where(asked))
    if kept.subscription is not None:
        end_subscription(session, kept.subscription, now=now)
    erase_signature(session, signature, now=now)
