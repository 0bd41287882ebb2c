"""A person's own page: whom its link stands for, what is kept of them, and what its owner may change."""

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
from campaign.services.signatures.public_names import shown_name
from campaign.services.signatures.sign import Person, find_signature, forget_allowance, open_person
from campaign.services.subscribers.subscriptions import begin_subscription, find_subscription, get_followed
from campaign.services.subscribers.suppressions import find_suppression
from campaign.text.email_address import EmailAddress

N_ = str  # marks a sentence for the translators; the page translates it

TOO_MANY = N_("Too many wrong codes were typed. Please have a new mail sent to you: after that the code works again.")


@dataclass(frozen=True)
class Kept:
    """What is kept of a person under one petition. ``person`` is None where it cannot be read, or was erased.

    ``erased_on`` is the day on which all of the signature was erased, ``names_erased_on`` that on which its name was.
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
        """The subscription while it lasts."""
        active = self.subscription is not None and self.subscription.state is SubscriptionState.ACTIVE
        return self.subscription if active else None

    @property
    def may_change(self) -> bool:
        """Whether there is a signature whose signer may change what it says of them."""
        state = self.signature.state if self.signature is not None else None
        return state in (SignatureState.CONFIRMED, SignatureState.QUARANTINED) and self.names_erased_on is None

    @property
    def language(self) -> str:
        """The language in which the page speaks."""
        owner = self.reader or self.signature or self.subscription
        assert owner is not None  # a link stands for one of the two
        return owner.language


def get_kept(session: Session, vault: Vault, token: str, *, for_update: bool = False) -> Kept:
    """What is kept of the person whose link has ``token``: the signer's own, or that of a digest's reader.

    Raises LinkUnknown for a link that is not ours, LinkExpired for a signature that was never confirmed.
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
        subscription = get_followed(session, vault, token, purpose=LinkPurpose.READER)
        signature = None
        if subscription.fingerprint is not None:
            signature = find_signature(session, subscription.petition_id, subscription.fingerprint)
        if signature is not None and for_update:
            session.refresh(signature, with_for_update=True)
    if subscription is not None and for_update:
        session.refresh(subscription, with_for_update=True)
    if signature is not None and signature.state is SignatureState.EXPIRED:
        raise LinkExpired("This link is no longer valid.")
    return _tell(session, vault, signature, subscription)


def _tell(session: Session, vault: Vault, signature: Signature | None, subscription: Subscription | None) -> Kept:
    owner = signature or subscription
    assert owner is not None  # a link stands for one of the two
    graves: dict[Erased, date] = {}
    if signature is not None:
        kinds = (Erased.SIGNATURE, Erased.PERSON, Erased.NAME)
        of_it = Tombstone.kind.in_(kinds) & (Tombstone.row_id == signature.id)
        graves = dict(session.execute(select(Tombstone.kind, Tombstone.erased_on).where(of_it)).all())
    return Kept(
        petition=session.get_one(Petition, owner.petition_id),
        signature=signature,
        subscription=subscription,
        person=open_person(vault, signature) if signature is not None else None,
        suppression=find_suppression(session, owner.fingerprint) if owner.fingerprint is not None else None,
        erased_on=graves.get(Erased.SIGNATURE),
        names_erased_on=graves.get(Erased.NAME) or graves.get(Erased.PERSON),
    )


def is_owner(vault: Vault, signature: Signature, proof: Proof) -> bool:
    """Whether the browser has shown the mail's code, or confirmed.

    The mark that a browser has from filling in the form is not enough here: anybody gets it who types the address.
    """
    return vault.own_mark(signature.id) in proof.browser_marks


def check_owner(vault: Vault, signature: Signature, proof: Proof) -> None:
    """Tell the mail's owner from a scanner, and from whoever was handed the link. Raises ProofNeeded.

    A wrong code has then been counted on ``signature``, so the caller commits all the same.
    """
    if not is_owner(vault, signature, proof):
        check_code(vault, signature, proof.code, too_many=TOO_MANY)


@dataclass(frozen=True)
class Details:
    """What a signer wants to be kept of them. No ``name``: what cannot be read back stays as it is sealed."""

    name: str | None
    comment: str | None
    country: str | None
    display: Display
    offers_comment: bool = False
    language: str | None = None


def change_details(vault: Vault, kept: Kept, details: Details) -> None:
    """Keep ``details`` of a signature that may be changed, instead of what was typed before."""
    signature = kept.signature
    assert signature is not None  # the caller has asked may_change
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


def _comment_state(kept: Kept, details: Details, display: Display) -> CommentState:
    """Whoever decided about a comment has read it, and the name beside it: what is new in either is read again."""
    signature, before = kept.signature, kept.person
    assert signature is not None  # the caller has asked may_change
    if not (details.offers_comment and details.name and details.comment and kept.petition.shows_people):
        return CommentState.PRIVATE
    shown = shown_name(Person(details.name), display)
    known = before is not None and shown in (None, shown_name(before, signature.display))
    decided = signature.comment_state in CommentState.decided()
    if decided and known and before is not None and before.comment == details.comment:
        return signature.comment_state
    return CommentState.OFFERED


def start_updates(session: Session, vault: Vault, kept: Kept, address: EmailAddress, *, now: datetime) -> None:
    """Send the digest to the signer at ``address`` from now on. Raises InvalidInput for another than they signed with.

    No address is kept of a signer, so it has to be typed, and is compared by its fingerprint.
    """
    signature = kept.signature
    assert signature is not None  # the caller has asked may_change
    if vault.fingerprint(address) != signature.fingerprint:
        raise InvalidInput(
            "email", N_("You signed with another address. Updates can only go to the one that you confirmed.")
        )
    if kept.suppression is not None:
        raise InvalidInput("email", N_("This server does not write to this address any more, so it sends no updates."))
    day = today_in(kept.petition, now)
    begin_subscription(session, vault, signature, str(address).encode(), day=day)


def withdraw(session: Session, kept: Kept, *, now: datetime) -> None:
    """Erase all that is kept of the person under the petition; the signature counts no longer. Repeatable.

    ``kept`` was read for an update. One act: a withdrawn signature needs nothing of the person, so it keeps nothing.
    """
    signature = kept.signature
    assert signature is not None  # without one there is the link to unsubscribe
    # Locks are taken in one order everywhere: signature, allowance, counter.
    if signature.fingerprint is not None:
        forget_allowance(session, signature.fingerprint)
        asked = (LinkRequest.petition_id == signature.petition_id) & (LinkRequest.fingerprint == signature.fingerprint)
        session.execute(delete(LinkRequest).where(asked))
    if kept.subscription is not None:
        end_subscription(session, kept.subscription, now=now)
    erase_signature(session, signature, now=now)
