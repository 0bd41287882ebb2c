"""What an edition owes: a delivery for each of its readers, written in the transaction that starts it."""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Table, insert, literal, select
from sqlalchemy.orm import Session

from campaign.models import Delivery, DeliveryKind, DeliveryState, Subscription, SubscriptionState


def owe_deliveries(session: Session, petition_id: int, edition_id: int, now: datetime) -> int:
    """One queued delivery for each active subscription; how many."""
    table = cast("Table", Delivery.__table__)
    columns: dict[str, Any] = {
        "petition_id": literal(petition_id),
        "kind": literal(DeliveryKind.DIGEST, table.c.kind.type),
        "edition_id": literal(edition_id),
        "subscription_id": Subscription.id,
        "state": literal(DeliveryState.QUEUED, table.c.state.type),
        "attempts": literal(0),
        "queued_at": literal(now, table.c.queued_at.type),
        "due_at": literal(now, table.c.due_at.type),
    }
    owed = select(*columns.values()).where(
        Subscription.petition_id == petition_id, Subscription.state == SubscriptionState.ACTIVE
    )
    result = session.execute(
        insert(table).from_select(list(columns), owed, include_defaults=False).execution_options(preserve_rowcount=True)
    )
    return cast("CursorResult[Any]", result).rowcount
