"""The ledger's transitions, all taken here: claim mails, record what became of them, settle a dead sender's claims."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from campaign.mail.smtp.transport import Answer, Outcome
from campaign.models import Delivery, DeliveryKind, DeliveryState
from campaign.models.delivery import TRANSITIONS
from campaign.periods import CLAIM_LASTS, FIRST_RETRY, GIVE_UP_AFTER, LONGEST_RETRY
from campaign.services.bounces.intake import note_refusal
from campaign.services.delivery.journal import Findings, Journal

_log = logging.getLogger(__name__)

N_ = str  # marks a sentence for the translators; the page translates it

ENDED_WHILE_SENDING = N_("the worker ended while sending")


# All kinds by name, since the index of what is under way begins with them: without it the whole ledger would be read.
_SENDING = Delivery.kind.in_(tuple(DeliveryKind)) & (Delivery.state == DeliveryState.SENDING)


def _check(before: DeliveryState, after: DeliveryState) -> None:
    if after not in TRANSITIONS[before]:
        raise ValueError(f"A delivery does not go from {before} to {after}.")


def move(delivery: Delivery, state: DeliveryState, reason: str | None = None) -> None:
    """Change the state of one delivery. Raises ValueError for a step the ledger does not have."""
    _check(delivery.state, state)
    delivery.state = state
    delivery.reason = reason
    delivery.claimed_by = None
    delivery.claimed_at = None


def claim_all(session: Session, ids: Sequence[int], claimant: str, *, now: datetime) -> None:
    """Put waiting deliveries, which the caller has locked, into ``sending``."""
    for before in (DeliveryState.QUEUED, DeliveryState.DEFERRED):
        _check(before, DeliveryState.SENDING)
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(ids), Delivery.state.in_((DeliveryState.QUEUED, DeliveryState.DEFERRED)))
        .values(state=DeliveryState.SENDING, reason=None, claimed_by=claimant, claimed_at=now)
        .execution_options(synchronize_session=False)
    )


def move_all(
    session: Session, ids: Sequence[int], claimant: str, state: DeliveryState, reason: str | None, *, attempted: bool
) -> None:
    """Put many that ``claimant`` was sending into ``state``; ``attempted``: it was an attempt of the recipient's."""
    _check(DeliveryState.SENDING, state)
    changed = session.execute(
        update(Delivery)
        .where(Delivery.id.in_(ids), Delivery.state == DeliveryState.SENDING, Delivery.claimed_by == claimant)
        .values(
            state=state,
            reason=reason,
            claimed_by=None,
            claimed_at=None,
            attempts=Delivery.attempts + int(attempted),
        )
        .execution_options(synchronize_session=False)
    )
    if (count := getattr(changed, "rowcount", len(ids))) != len(ids):
        _log.error("Deliveries were settled by another worker while they were sent", extra={"count": len(ids) - count})


def record_answers(
    session: Session, answers: Mapping[int, Answer], claimant: str, *, now: datetime
) -> Counter[DeliveryState]:
    """Write down what became of mails that ``claimant`` was sending; how many reached which state."""
    accepted: dict[str, list[int]] = {}
    others: dict[int, Answer] = {}
    for number, answer in answers.items():
        if answer.outcome is Outcome.ACCEPTED:
            accepted.setdefault(answer.reason, []).append(number)
        else:
            others[number] = answer
    tally: Counter[DeliveryState] = Counter()
    for reason, ids in accepted.items():
        move_all(session, ids, claimant, DeliveryState.ACCEPTED, reason, attempted=True)
        tally[DeliveryState.ACCEPTED] += len(ids)
    for delivery in _list_locked(session, Delivery.id.in_(others)) if others else []:
        if delivery.claimed_by != claimant:
            _log.error("A delivery was settled by another worker while it was sent", extra={"delivery": delivery.id})
        else:
            record(session, delivery, others[delivery.id], now=now)
        tally[delivery.state] += 1
    return tally


def record(session: Session, delivery: Delivery, answer: Answer, *, now: datetime) -> None:
    """Write down what became of one mail."""
    outcome, reason = answer.outcome, answer.reason
    if outcome in (Outcome.NOT_TRIED, Outcome.BROKEN_OFF):
        move(delivery, DeliveryState.QUEUED, reason)
        if outcome is Outcome.BROKEN_OFF:
            delivery.due_at = now + FIRST_RETRY
        return
    delivery.attempts += 1
    if outcome is Outcome.ACCEPTED:
        move(delivery, DeliveryState.ACCEPTED, reason)
    elif outcome is Outcome.REJECTED:
        move(delivery, DeliveryState.REJECTED, reason)
        note_refusal(session, delivery, reason, now=now)
    elif outcome is Outcome.IN_DOUBT and delivery.kind is DeliveryKind.DIGEST:
        move(delivery, DeliveryState.IN_DOUBT, reason)
    else:
        delivery.first_deferred_at = delivery.first_deferred_at or now
        if now - delivery.first_deferred_at >= GIVE_UP_AFTER:
            move(delivery, DeliveryState.REJECTED, f"given up after 72 hours; {reason}")
        else:
            defer(delivery, reason, now)


def defer_unwritable(session: Session, delivery_id: int, error: Exception, *, now: datetime) -> None:
    """Put off a mail that cannot be written, without an end: what is wrong (the keyring, say) is ours."""
    _log.error("A mail cannot be written", extra={"delivery": delivery_id, "error": type(error).__name__})
    delivery = session.get_one(Delivery, delivery_id, with_for_update=True)
    delivery.attempts += 1
    defer(delivery, f"the message cannot be written ({type(error).__name__})", now)


def defer(delivery: Delivery, reason: str, now: datetime) -> None:
    """Try the mail again later, each time twice as much later."""
    move(delivery, DeliveryState.DEFERRED, reason)
    delivery.due_at = now + min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(delivery.attempts - 1, 10))


def _list_locked(session: Session, condition: ColumnElement[bool], *, skip: bool = False) -> Sequence[Delivery]:
    return session.scalars(select(Delivery).where(condition).with_for_update(skip_locked=skip)).all()


def settle_claims(session: Session, claimant: str, journals: Path, *, now: datetime) -> Counter[DeliveryState]:
    """Settle what ``claimant``, or a part of it (``claimant/…``), had claimed when it was killed.

    By its journal in the folder ``journals``: what had been answered is recorded; what had been begun may have been
    sent or not, so a digest stays in doubt and is never sent again, and a confirmation goes back to the queue; what had
    not been begun goes back to the queue. Without a journal everything counts as begun.
    """
    claimed = (Delivery.claimed_by == claimant) | Delivery.claimed_by.startswith(f"{claimant}/", autoescape=True)
    found = _list_locked(session, _SENDING & claimed, skip=True)
    findings = {part: Journal(journals, part).find() for part in {delivery.claimed_by or "" for delivery in found}}
    tally: Counter[DeliveryState] = Counter()
    for delivery in found:
        _settle(session, delivery, findings[delivery.claimed_by or ""], now)
        tally[delivery.state] += 1
    return tally


def settle_old_claims(session: Session, *, now: datetime) -> Counter[DeliveryState]:
    """Settle in the same way what anybody claimed longer ago than sending can take: its machine is gone."""
    tally: Counter[DeliveryState] = Counter()
    for delivery in _list_locked(session, _SENDING & (Delivery.claimed_at <= now - CLAIM_LASTS), skip=True):
        _settle(session, delivery, None, now)
        tally[delivery.state] += 1
    return tally


def _settle(session: Session, delivery: Delivery, findings: Findings | None, now: datetime) -> None:
    if findings is not None and (answer := findings.answers.get(delivery.id)) is not None:
        record(session, delivery, answer, now=now)
    elif delivery.kind is DeliveryKind.DIGEST and (findings is None or delivery.id in findings.begun):
        move(delivery, DeliveryState.IN_DOUBT, ENDED_WHILE_SENDING)
    else:
        move(delivery, DeliveryState.QUEUED, ENDED_WHILE_SENDING)
