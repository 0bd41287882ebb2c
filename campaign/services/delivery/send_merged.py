"""Sending one mail for all campaigns: what is due for a reader is claimed together, sent once, recorded alike.

The ledger keeps a row for each edition. A worker that is killed leaves all rows of the mail in doubt, and none of them
is sent again.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import TypeVar

from jinja2 import TemplateError
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from campaign.errors import CampaignError
from campaign.mail.message import Content, Message
from campaign.mail.smtp.transport import Answer, Outcome, deliver_one
from campaign.models import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Petition,
    Subscription,
    SubscriptionState,
)
from campaign.services.delivery.claims import Sender
from campaign.services.delivery.eligibility import NotWanted, list_sendable, open_reader, read_digest
from campaign.services.delivery.ledger import defer, move, record_answers, settle_claims
from campaign.services.delivery.merged_content import write_merged
from campaign.services.delivery.throttle import wait_for_turn
from campaign.services.delivery.writer import write_message

Result = TypeVar("Result")
_log = logging.getLogger(__name__)

# The link that ends all of them holds a token of 32 characters for each, in a header line of 998 at most.
MOST_SECTIONS = 20


def _due(session: Session, sender: Sender) -> Select[Delivery]:
    return (
        select(Delivery)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .where(
            Delivery.kind == DeliveryKind.DIGEST,
            Delivery.state.in_(DeliveryState.waiting()),
            Delivery.due_at <= sender.now(),
            Delivery.edition_id.in_(list_sendable(session, sender.guard, sender.now())),
            Subscription.merged,
            Subscription.state == SubscriptionState.ACTIVE,
        )
    )


def list_merged_due(session: Session, sender: Sender, *, most: int | None = None) -> list[bytes]:
    """The readers, by fingerprint, who want one mail for all campaigns and for whom any is due."""
    readers = _due(session, sender).with_only_columns(Subscription.fingerprint).distinct().limit(most)
    return [fingerprint for fingerprint in session.scalars(readers) if fingerprint is not None]


def _claim_reader(
    session: Session, sender: Sender, fingerprint: bytes, tally: Counter[DeliveryState]
) -> tuple[list[int], Message] | None:
    """Claim all that is due for the reader and still wanted, with its message; None where nothing is."""
    # Two workers that come for one reader go one after the other, so that neither takes a part of the mail.
    session.scalars(
        select(Subscription.id)
        .where(Subscription.petition_id.in_(select(Petition.id)), Subscription.fingerprint == fingerprint)
        .order_by(Subscription.id)
        .with_for_update()
    ).all()
    due = (
        _due(session, sender)
        .where(Subscription.fingerprint == fingerprint)
        .order_by(Delivery.id)
        .limit(MOST_SECTIONS)
        .with_for_update(of=Delivery, skip_locked=True)
    )
    claimed = []
    for delivery in session.scalars(due).all():
        move(delivery, DeliveryState.SENDING)
        delivery.claimed_by, delivery.claimed_at = sender.claimant, sender.now()
        if _try(sender, [delivery], partial(_check, session, sender, delivery)):
            claimed.append(delivery)
        else:
            tally[delivery.state] += 1
    message = _try(sender, claimed, partial(_write, session, sender, claimed)) if claimed else None
    if message is None:
        tally.update(delivery.state for delivery in claimed)
        return None
    return [delivery.id for delivery in claimed], message


def _try(sender: Sender, deliveries: Sequence[Delivery], step: Callable[[], Result]) -> Result | None:
    """What ``step`` gives; None where it cannot be done, and then the mails it was for are settled or put off."""
    try:
        return step()
    except NotWanted as reason:
        for delivery in deliveries:
            move(delivery, DeliveryState.SUPPRESSED, str(reason))
    except (CampaignError, ValueError, LookupError, TemplateError) as error:
        _log.error("A mail cannot be written", extra={"delivery": deliveries[0].id, "error": type(error).__name__})
        for delivery in deliveries:
            delivery.attempts += 1
            defer(delivery, f"the message cannot be written ({type(error).__name__})", sender.now())
    return None


def _check(session: Session, sender: Sender, delivery: Delivery) -> Content:
    subscription = session.get_one(Subscription, delivery.subscription_id)
    open_reader(session, sender.post.vault, subscription)
    return read_digest(session, sender.post.links, delivery, subscription)


def _write(session: Session, sender: Sender, deliveries: Sequence[Delivery]) -> Message:
    if len(deliveries) == 1:
        return write_message(session, sender.post, deliveries[0], now=sender.now())
    return write_merged(session, sender.post, deliveries)


def _record(session: Session, sender: Sender, ids: Sequence[int], answer: Answer) -> Counter[DeliveryState]:
    """The same outcome for all; what waits after it goes on waiting together."""
    tally = record_answers(session, dict.fromkeys(ids, answer), sender.claimant, now=sender.now())
    session.flush()
    session.expire_all()  # those that were accepted were changed past the session
    deliveries = [session.get_one(Delivery, delivery_id) for delivery_id in ids]
    waiting = [delivery for delivery in deliveries if delivery.state.is_waiting]
    for delivery in waiting:
        delivery.due_at = max(other.due_at for other in waiting)
    return tally


def send_merged(
    sender: Sender,
    *,
    stopping: Callable[[], bool] = lambda: False,
    most: int | None = None,
    patience: timedelta | None = None,
) -> Counter[DeliveryState]:
    """Send to each reader who wants one mail for all campaigns what is due for them, ``most`` readers at most.

    Gives how many rows reached which state. Ends at the first mail for which the server cannot be used, or whose turn
    is further off than ``patience``.
    """
    tally: Counter[DeliveryState] = Counter()
    with sender.sessions.begin() as session:
        settle_claims(session, sender.claimant, sender.journals, now=sender.now())
        readers = list_merged_due(session, sender, most=most)
    for fingerprint in readers:
        if stopping() or not wait_for_turn(sender.sessions, sender.rate, sender.now, sender.sleep, longest=patience):
            break
        with sender.sessions.begin() as session:
            claimed = _claim_reader(session, sender, fingerprint, tally)
        if claimed is None:
            continue
        ids, message = claimed
        answer = deliver_one(sender.transport, message)
        with sender.sessions.begin() as session:
            tally += _record(session, sender, ids, answer)
        if answer.outcome in (Outcome.NOT_TRIED, Outcome.BROKEN_OFF):
            break
    return tally
