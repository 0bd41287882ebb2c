"""Subscriptions: who gets a petition's digest, and the end of that."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.errors import LinkUnknown
from campaign.models import Subscription, SubscriptionState
from campaign.vault import Vault

PURPOSE = "unsubscribe"


def get_followed(session: Session, vault: Vault, token: str, *, for_update: bool = False) -> Subscription:
    """The subscription that an unsubscribe link stands for, ended or not. Raises LinkUnknown."""
    subscription = session.get(Subscription, vault.read_token(PURPOSE, token), with_for_update=for_update or None)
    if subscription is None:
        raise LinkUnknown("This link is not known here.")
    return subscription


def end_subscription(subscription: Subscription) -> None:
    """Send this reader no further digest, and forget their address. Repeatable (RFC 8058 asks for it)."""
    subscription.state = SubscriptionState.ENDED
    subscription.fingerprint = None
    subscription.sealed_address = None


def count_active(session: Session, petition_id: int) -> int:
    """How many readers the next digest has."""
    return session.scalars(
        select(func.count()).where(
            Subscription.petition_id == petition_id, Subscription.state == SubscriptionState.ACTIVE
        )
    ).one()
