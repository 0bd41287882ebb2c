"""Subscriptions: who gets a petition's digest."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.crypto.link_purposes import LinkPurpose
from campaign.crypto.randomness import random_id
from campaign.crypto.sealed_rows import address_row
from campaign.crypto.vault import Vault
from campaign.errors import InvalidInput, LinkUnknown
from campaign.models import Petition, ReaderFrequency, Signature, Subscription, SubscriptionState

SEPARATOR = "."  # between the tokens of a link that ends several subscriptions; no token contains it


def get_linked_subscription(
    session: Session, vault: Vault, token: str, *, purpose: str = LinkPurpose.UNSUBSCRIBE, for_update: bool = False
) -> Subscription:
    """The subscription of a link for ``purpose``, active or ended. Raises LinkUnknown."""
    subscription = session.get(Subscription, vault.read_token(purpose, token), with_for_update=for_update or None)
    if subscription is None:
        raise LinkUnknown("This link is not known here.")
    return subscription


def list_linked_subscriptions(
    session: Session, vault: Vault, tokens: str, *, for_update: bool = False
) -> list[Subscription]:
    """The subscriptions of an unsubscribe link; several if its mail was about several petitions. Raises LinkUnknown."""
    ids = {vault.read_token(LinkPurpose.UNSUBSCRIBE, token): token for token in tokens.split(SEPARATOR)}
    # Rows are always locked in the same order, and returned in the order of the mail.
    found = {
        row_id: get_linked_subscription(session, vault, ids[row_id], for_update=for_update) for row_id in sorted(ids)
    }
    return [found[row_id] for row_id in ids]


def find_subscription(session: Session, petition_id: int, fingerprint: bytes) -> Subscription | None:
    """The active subscription of an address to a petition's digest; None if there is none."""
    return session.scalars(
        select(Subscription).where(Subscription.petition_id == petition_id, Subscription.fingerprint == fingerprint)
    ).one_or_none()


def list_subscriptions(session: Session, fingerprint: bytes) -> list[Subscription]:
    """The active subscriptions of an address on this server, sorted by petition."""
    return list(
        session.scalars(
            select(Subscription)
            # The index has the petition before the fingerprint; there are few petitions.
            .where(Subscription.petition_id.in_(select(Petition.id)), Subscription.fingerprint == fingerprint)
            .order_by(Subscription.petition_id)
        )
    )


def start_subscription(session: Session, vault: Vault, signature: Signature, address: bytes, *, day: date) -> None:
    """Send the digest to the signer's address from now on. An active subscription of the address is not changed."""
    assert signature.fingerprint is not None  # a signature that is being confirmed has a fingerprint
    if find_subscription(session, signature.petition_id, signature.fingerprint) is not None:
        return
    row_id = random_id()
    session.add(
        Subscription(
            id=row_id,
            petition_id=signature.petition_id,
            state=SubscriptionState.ACTIVE,
            language=signature.language,
            fingerprint=signature.fingerprint,
            sealed_address=vault.seal(address, row=address_row(row_id)),
            since_on=day,
            # The choice of one mail for all petitions holds for a new subscription too.
            merged=any(other.merged for other in list_subscriptions(session, signature.fingerprint)),
        )
    )


def count_active(session: Session, petition_id: int) -> int:
    """The number of active subscriptions to the petition's digest."""
    return session.scalars(
        select(func.count()).where(
            Subscription.petition_id == petition_id, Subscription.state == SubscriptionState.ACTIVE
        )
    ).one()


N_ = str  # marks a sentence for the translators; the page translates it


@dataclass(frozen=True)
class Choices:
    """A reader's choices. ``merged`` holds for all petitions that the reader follows here; None leaves it unchanged."""

    language: str
    frequency: ReaderFrequency
    paused: bool
    merged: bool | None = None


def change_choices(session: Session, petition: Petition, subscription: Subscription, choices: Choices) -> None:
    """Store a reader's choices. They hold for mails that are queued already too, since they are checked at sending.

    Raises InvalidInput if the petition does not have the language.
    """
    if choices.language not in petition.languages:
        raise InvalidInput("language", N_("Please choose one of the languages."))
    subscription.language = choices.language
    subscription.frequency = choices.frequency
    subscription.paused = choices.paused
    if choices.merged is not None and subscription.fingerprint is not None:
        for found in list_subscriptions(session, subscription.fingerprint):
            found.merged = choices.merged
