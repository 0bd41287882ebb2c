"""Rows of the ledger, to look at and to leave as a killed worker leaves them."""

from collections.abc import Callable

from sqlalchemy import select

from campaign.installation.wiring import Installation
from campaign.models import Delivery, DeliveryKind, DeliveryState
from campaign.services.delivery.ledger import move
from tests.scenes.people import list_deliveries


def digests(installation: Installation) -> list[Delivery]:
    return [item for item in list_deliveries(installation) if item.kind is DeliveryKind.DIGEST]


def claim(installation: Installation, claimant: str, pick: Callable[[Delivery], bool] = lambda _: True) -> None:
    """What a worker leaves that is killed between claim and record."""
    with installation.database.sessions.begin() as session:
        found = next(
            item
            for item in session.scalars(select(Delivery).where(Delivery.state == DeliveryState.QUEUED))
            if pick(item)
        )
        move(found, DeliveryState.SENDING)
        found.claimed_by = claimant
