"""Erases personal data, and adds the tombstones by which the data is erased again after a backup was restored."""

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from campaign.crypto.vault import Vault
from campaign.db import upsert
from campaign.models import (
    CommentState,
    Display,
    Erased,
    PaperLine,
    Signature,
    SignatureState,
    Subscription,
    SubscriptionState,
    Suspicion,
    Tombstone,
)
from campaign.services.petitions.counts import uncount
from campaign.services.subscribers.subscriptions import list_linked_subscriptions

# The values of the columns with personal data after a signature is erased.
_ERASED = {
    "fingerprint": None,
    "sealed_person": None,
    "sealed_address": None,
    "country": None,
    "source": None,
    "wants_updates": False,
    "expires_at": None,
    "comment_state": CommentState.PRIVATE,
}
# The columns about what is shown, for a signature without a name that still counts.
_NAMELESS = {"display": Display.HIDDEN, "comment_state": CommentState.PRIVATE}


def erase_signature(session: Session, signature: Signature, *, now: datetime) -> None:
    """Erase the signature: it no longer counts, and nothing personal of it is left. It can be repeated.

    The caller must have locked the row. Locks are taken in one order everywhere: signature, allowance, counter.
    """
    match signature.state:
        case SignatureState.CONFIRMED:
            assert signature.signed_on is not None  # the table checks it
            uncount(session, signature.petition_id, signature.signed_on)
            signature.state = SignatureState.WITHDRAWN
        case SignatureState.QUARANTINED | SignatureState.INVALIDATED:
            signature.state = SignatureState.WITHDRAWN
        case SignatureState.PENDING:
            signature.state = SignatureState.EXPIRED
        case SignatureState.WITHDRAWN | SignatureState.EXPIRED:
            pass
    for column, value in _ERASED.items():
        setattr(signature, column, value)
    forget_suspicions(session, [signature.id])
    forget_paper(session, [signature.id])
    add_tombstones(session, Erased.SIGNATURE, [signature.id], on=now.date())


def erase_person(session: Session, signature_ids: Collection[int], *, now: datetime) -> None:
    """Erase the personal data of signatures, but keep the signatures: their states stay, and they still count."""
    session.execute(
        update(Signature)
        .where(Signature.id.in_(signature_ids), Signature.state != SignatureState.PENDING)
        .values(**{**_ERASED, **_NAMELESS})
        .execution_options(synchronize_session=False)
    )
    forget_suspicions(session, signature_ids)
    forget_paper(session, signature_ids)
    add_tombstones(session, Erased.PERSON, signature_ids, on=now.date())


def erase_names(session: Session, signature_ids: Collection[int], *, now: datetime) -> None:
    """Erase names, comments and countries. The fingerprint of the address stays, so that nobody can sign twice."""
    session.execute(
        update(Signature)
        .where(Signature.id.in_(signature_ids))
        .values(sealed_person=None, country=None, **_NAMELESS)
        .execution_options(synchronize_session=False)
    )
    add_tombstones(session, Erased.NAME, signature_ids, on=now.date())


def expire_pending(session: Session, *, now: datetime) -> int:
    """Erase the data of signatures that were not confirmed in time; returns their number."""
    expired = session.scalars(
        update(Signature)
        .where(Signature.state == SignatureState.PENDING, Signature.expires_at <= now)
        .values(state=SignatureState.EXPIRED, **_ERASED)
        .returning(Signature.id)
        .execution_options(synchronize_session=False)
    ).all()
    forget_suspicions(session, expired)
    add_tombstones(session, Erased.SIGNATURE, expired, on=now.date())
    return len(expired)


def end_subscription(session: Session, subscription: Subscription, *, now: datetime) -> None:
    """Send this reader no further digest, and erase the address. It can be repeated (RFC 8058 requires this)."""
    if subscription.state is SubscriptionState.ENDED:
        return
    subscription.state = SubscriptionState.ENDED
    subscription.fingerprint = None
    subscription.sealed_address = None
    add_tombstones(session, Erased.SUBSCRIPTION, [subscription.id], on=now.date())


def end_linked_subscriptions(session: Session, vault: Vault, token: str, *, now: datetime) -> list[Subscription]:
    """End every subscription of an unsubscribe link; it can be repeated. Raises LinkUnknown."""
    linked = list_linked_subscriptions(session, vault, token, for_update=True)
    for subscription in linked:
        end_subscription(session, subscription, now=now)
    return linked


def forget_suspicions(session: Session, signature_ids: Collection[int]) -> None:
    """Delete the suspicions about the signatures."""
    if signature_ids:
        session.execute(delete(Suspicion).where(Suspicion.signature_id.in_(signature_ids)))


def forget_paper(session: Session, signature_ids: Collection[int]) -> None:
    """Delete the lines of paper sheets from which the signatures were entered, so they cannot be entered again."""
    if signature_ids:
        session.execute(delete(PaperLine).where(PaperLine.signature_id.in_(signature_ids)))


def add_tombstones(session: Session, kind: Erased, row_ids: Collection[int], *, on: date) -> None:
    """Add a tombstone for each row: its kind, its id and the day, and nothing else."""
    if row_ids:
        rows = [{"kind": kind, "row_id": row_id, "erased_on": on} for row_id in row_ids]
        session.execute(upsert(session, Tombstone).on_conflict_do_nothing(), rows)
