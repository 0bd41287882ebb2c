"""What an edition owes: a row of the ledger for each of its readers, written in the transaction that starts it."""

from datetime import datetime, time, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Table, case, func, insert, literal, null, select
from sqlalchemy.orm import Session

from campaign.models import Delivery, DeliveryKind, DeliveryState, Edition, Petition, Subscription, SubscriptionState
from campaign.services.digests.audiences import PAUSED, find_offer, list_refusals

# Mails in one job.
CHUNK = 50_000

# When the mails of readers who want one for all petitions go out: UTC, once a day, in the morning of Europe and at noon
# in Central Asia. What comes due in between is collected.
COLLECTED_AT = time(6, 0)


def next_collection(now: datetime) -> datetime:
    """The first moment of collecting later than ``now``."""
    today = datetime.combine(now.date(), COLLECTED_AT, tzinfo=now.tzinfo)
    return today if today > now else today + timedelta(days=1)


def enqueue_deliveries(session: Session, petition: Petition, edition: Edition, now: datetime) -> int:
    """One row for each active subscription; how many, which is what the ledger is balanced against.

    Who does not want this edition has a row too, suppressed from the start, with the reason: it can be told to them
    later (docs/decisions/0011). Who wants one mail for several campaigns is owed it at the next collection.
    """
    table = cast("Table", Delivery.__table__)
    reasons: list[tuple[ColumnElement[bool], str]] = [(Subscription.paused.is_(True), PAUSED)]
    reasons += [
        (Subscription.frequency == choice, reason)
        for choice, reason in list_refusals(find_offer(session, petition, edition)).items()
    ]
    refused = case(*((choice, literal(reason, table.c.reason.type)) for choice, reason in reasons), else_=null())
    several = (
        select(Subscription.fingerprint)
        .where(Subscription.merged, Subscription.state == SubscriptionState.ACTIVE)
        .group_by(Subscription.fingerprint)
        .having(func.count() > 1)
    )
    at_once, collected = literal(now, table.c.due_at.type), literal(next_collection(now), table.c.due_at.type)
    queued, suppressed = (
        literal(state, table.c.state.type) for state in (DeliveryState.QUEUED, DeliveryState.SUPPRESSED)
    )
    columns: dict[str, Any] = {
        "petition_id": literal(petition.id),
        "kind": literal(DeliveryKind.DIGEST, table.c.kind.type),
        "edition_id": literal(edition.id),
        "subscription_id": Subscription.id,
        "state": case((refused.is_(None), queued), else_=suppressed),
        "reason": refused,
        "attempts": literal(0),
        "queued_at": at_once,
        "due_at": case((Subscription.merged & Subscription.fingerprint.in_(several), collected), else_=at_once),
    }
    owed = select(*columns.values()).where(
        Subscription.petition_id == petition.id, Subscription.state == SubscriptionState.ACTIVE
    )
    result = session.execute(
        insert(table).from_select(list(columns), owed, include_defaults=False).execution_options(preserve_rowcount=True)
    )
    return cast("CursorResult[Any]", result).rowcount


def list_chunks(session: Session, edition: Edition) -> list[tuple[int, int]]:
    """The edition's deliveries as ranges of ids, each small enough for one job."""
    if not edition.candidates:
        return []
    ids = select(func.min(Delivery.id), func.max(Delivery.id)).where(
        Delivery.edition_id == edition.id, Delivery.kind == DeliveryKind.DIGEST
    )
    first, last = session.execute(ids).one()
    return [(start, min(start + CHUNK - 1, last)) for start in range(first, last + 1, CHUNK)]
