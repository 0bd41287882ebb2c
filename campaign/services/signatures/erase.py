"""Erasing what is kept of a person, and the tombstones by which a restored backup erases it again."""

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

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

# What is left of a signature in the columns that say something of a person.
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
# Where a name is gone that still counts, nothing is left to be shown.
_NAMELESS = {"display": Display.HIDDEN, "comment_state": CommentState.PRIVATE}


def erase_signature(session: Session, signature: Signature, *, now: datetime) -> None:
    """Erase the signature: it counts no longer, and nothing personal is left of it. Repeatable.

    The caller has locked it. Locks are taken in one order everywhere: signature, allowance, counter.
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
    bury(session, Erased.SIGNATURE, [signature.id], on=now.date())


def erase_person(session: Session, signature_ids: Collection[int], *, now: datetime) -> None:
    """Erase who signed, and keep that somebody did: the signatures stay as they are, and those counted still count."""
    session.execute(
        update(Signature)
        .where(Signature.id.in_(signature_ids), Signature.state != SignatureState.PENDING)
        .values(**{**_ERASED, **_NAMELESS})
        .execution_options(synchronize_session=False)
    )
    forget_suspicions(session, signature_ids)
    forget_paper(session, signature_ids)
    bury(session, Erased.PERSON, signature_ids, on=now.date())


def erase_names(session: Session, signature_ids: Collection[int], *, now: datetime) -> None:
    """Erase names, comments and countries, and keep by what an address is recognised, so that nobody counts twice."""
    session.execute(
        update(Signature)
        .where(Signature.id.in_(signature_ids))
        .values(sealed_person=None, country=None, **_NAMELESS)
        .execution_options(synchronize_session=False)
    )
    bury(session, Erased.NAME, signature_ids, on=now.date())


def expire_pending(session: Session, *, now: datetime) -> int:
    """Erase what was typed in signatures that nobody confirmed in time; how many there were."""
    expired = session.scalars(
        update(Signature)
        .where(Signature.state == SignatureState.PENDING, Signature.expires_at <= now)
        .values(state=SignatureState.EXPIRED, **_ERASED)
        .returning(Signature.id)
        .execution_options(synchronize_session=False)
    ).all()
    forget_suspicions(session, expired)
    bury(session, Erased.SIGNATURE, expired, on=now.date())
    return len(expired)


def end_subscription(session: Session, subscription: Subscription, *, now: datetime) -> None:
    """Send this reader no further digest, and forget their address. Repeatable (RFC 8058 asks for it)."""
    if subscription.state is SubscriptionState.ENDED:
        return
    subscription.state = SubscriptionState.ENDED
    subscription.fingerprint = None
    subscription.sealed_address = None
    bury(session, Erased.SUBSCRIPTION, [subscription.id], on=now.date())


def forget_suspicions(session: Session, signature_ids: Collection[int]) -> None:
    """Forget why the signatures were looked at."""
    if signature_ids:
        session.execute(delete(Suspicion).where(Suspicion.signature_id.in_(signature_ids)))


def forget_paper(session: Session, signature_ids: Collection[int]) -> None:
    """Forget from which lines of paper sheets the signatures were entered. The lines are not entered again."""
    if signature_ids:
        session.execute(delete(PaperLine).where(PaperLine.signature_id.in_(signature_ids)))


def bury(session: Session, kind: Erased, row_ids: Collection[int], *, on: date) -> None:
    """Leave a tombstone for each row: its id and the day, nothing else."""
    if row_ids:
        rows = [{"kind": kind, "row_id": row_id, "erased_on": on} for row_id in row_ids]
        session.execute(upsert(session, Tombstone).on_conflict_do_nothing(), rows)
