"""All transitions of the ledger: claim mails, record what became of them, settle the claims of a dead sender."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.orm import Session, aliased

from campaign.mail.smtp.transport import Answer, Outcome
from campaign.models import Delivery, DeliveryKind, DeliveryState, Signature, SignatureState
from campaign.models.delivery import TRANSITIONS
from campaign.periods import CLAIM_LASTS, CONFIRM_WITHIN, FIRST_RETRY, GIVE_UP_AFTER, LONGEST_RETRY
from campaign.services.bounces.intake import note_refusal
from campaign.services.delivery.journal import Findings, Journal, Rows

_log = logging.getLogger(__name__)

N_ = str  # marks a sentence for the translators; the page translates it

ENDED_WHILE_SENDING = N_("the worker ended while sending")

# The states of a mail whose outcome is still open.
_UNSETTLED = (*DeliveryState.waiting(), DeliveryState.SENDING)
# All kinds by name, since the index of the mails being sent begins with the kind: without it, the whole ledger is read.
_SENDING = Delivery.kind.in_(tuple(DeliveryKind)) & (Delivery.state == DeliveryState.SENDING)


def _check(before: DeliveryState, after: DeliveryState) -> None:
    if after not in TRANSITIONS[before]:
        raise ValueError(f"A delivery does not go from {before} to {after}.")


def move(delivery: Delivery, state: DeliveryState, reason: str | None = None) -> None:
    """Change the state of one delivery. Raises ValueError if ``TRANSITIONS`` does not allow this."""
    _check(delivery.state, state)
    delivery.state = state
    delivery.reason = reason
    delivery.claimed_by = None
    delivery.claimed_at = None


def claim_all(session: Session, ids: Sequence[int], claimant: str, *, now: datetime) -> None:
    """Move waiting deliveries, which the caller has locked, to ``sending``."""
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
    """Move many deliveries that ``claimant`` was sending to ``state``.

    With ``attempted`` this counts as an attempt to reach their recipients.
    """
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
    session: Session, answers: Mapping[Rows, Answer], claimant: str, *, now: datetime
) -> Counter[DeliveryState]:
    """Record what became of mails that ``claimant`` was sending. Returns how many rows reached which state."""
    accepted: dict[str, list[int]] = {}
    others: dict[int, Answer] = {}
    merged: list[Rows] = []
    for rows, answer in answers.items():
        if answer.outcome is Outcome.ACCEPTED:
            accepted.setdefault(answer.reason, []).extend(rows)
            continue
        others.update(dict.fromkeys(rows, answer))
        if len(rows) > 1:
            merged.append(rows)
    tally: Counter[DeliveryState] = Counter()
    for reason, ids in accepted.items():
        move_all(session, ids, claimant, DeliveryState.ACCEPTED, reason, attempted=True)
        tally[DeliveryState.ACCEPTED] += len(ids)
    found = {delivery.id: delivery for delivery in _list_locked(session, Delivery.id.in_(others))} if others else {}
    for delivery in found.values():
        if delivery.claimed_by != claimant:
            _log.error("A delivery was settled by another worker while it was sent", extra={"delivery": delivery.id})
        else:
            record(session, delivery, others[delivery.id], now=now)
        tally[delivery.state] += 1
    for rows in merged:
        _wait_together([found[number] for number in rows if number in found])
    return tally


def _wait_together(deliveries: Sequence[Delivery]) -> None:
    """Give the waiting rows of one mail the same time, the latest of theirs, so that they stay one mail."""
    waiting = [delivery for delivery in deliveries if delivery.state.is_waiting]
    for delivery in waiting:
        delivery.due_at = max(other.due_at for other in waiting)


def record(session: Session, delivery: Delivery, answer: Answer, *, now: datetime) -> None:
    """Record what became of one delivery."""
    outcome, reason = answer.outcome, answer.reason
    if outcome in (Outcome.NOT_TRIED, Outcome.REFUSED_US, Outcome.BROKEN_OFF):
        move(delivery, DeliveryState.QUEUED, reason)
        if outcome is Outcome.BROKEN_OFF:
            delivery.due_at = now + FIRST_RETRY
        elif outcome is Outcome.REFUSED_US:
            delivery.due_at = now  # behind all that waits: if the server refuses this mail alone, others go first
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


def defer_unwritable(session: Session, rows: Rows, error: Exception, *, now: datetime) -> Counter[DeliveryState]:
    """Defer a mail that cannot be written, without limit: the cause, for example the keyring, is ours to repair."""
    _log.error("A mail cannot be written", extra={"delivery": rows[0], "error": type(error).__name__})
    deliveries = [session.get_one(Delivery, number, with_for_update=True) for number in rows]
    for delivery in deliveries:
        delivery.attempts += 1
        defer(delivery, f"the message cannot be written ({type(error).__name__})", now)
    _wait_together(deliveries)
    return Counter({DeliveryState.DEFERRED: len(rows)})


def defer(delivery: Delivery, reason: str, now: datetime) -> None:
    """Put the delivery off: each time it waits twice as long as the time before, up to a longest time."""
    move(delivery, DeliveryState.DEFERRED, reason)
    delivery.due_at = now + min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(delivery.attempts - 1, 10))


def _list_locked(session: Session, condition: ColumnElement[bool], *, skip: bool = False) -> Sequence[Delivery]:
    return session.scalars(select(Delivery).where(condition).with_for_update(skip_locked=skip)).all()


def start_terms(session: Session, ids: Sequence[int], *, now: datetime) -> None:
    """Start the time of the links in the confirmation mails among ``ids`` that are settled now.

    Until then a signature waits with its mail: a link must not end while its mail is still on our side.
    """
    other = aliased(Delivery)
    waits = exists().where(other.signature_id == Signature.id, other.state.in_(_UNSETTLED))
    mailed = select(Delivery.signature_id).where(Delivery.id.in_(ids), Delivery.kind == DeliveryKind.CONFIRMATION)
    pending = (Signature.state == SignatureState.PENDING) & (Signature.expires_at > now)
    # Rows are locked in one order, since other workers record too.
    found = session.scalars(
        select(Signature.id).where(Signature.id.in_(mailed), pending, ~waits).order_by(Signature.id).with_for_update()
    ).all()
    session.execute(
        update(Signature)
        .where(Signature.id.in_(found), Signature.state == SignatureState.PENDING)
        .values(expires_at=now + CONFIRM_WITHIN)
        .execution_options(synchronize_session=False)
    )


def settle_claims(session: Session, claimant: str, journals: Path, *, now: datetime) -> Counter[DeliveryState]:
    """Settle the claims that ``claimant``, or a part of it (``claimant/…``), had when it was killed.

    Its journal in the folder ``journals`` decides. An answer in it is recorded. If sending had started without an
    answer, nobody knows whether the mail was sent: a digest stays in doubt and is never sent again, a confirmation goes
    back to the queue. If sending had not started, the mail goes back to the queue. Without a journal, sending counts as
    started for all mails.
    """
    claimed = (Delivery.claimed_by == claimant) | Delivery.claimed_by.startswith(f"{claimant}/", autoescape=True)
    found = _list_locked(session, _SENDING & claimed, skip=True)
    findings = {part: Journal(journals, part).find() for part in {delivery.claimed_by or "" for delivery in found}}
    tally: Counter[DeliveryState] = Counter()
    for delivery in found:
        _settle(session, delivery, findings[delivery.claimed_by or ""], now)
        tally[delivery.state] += 1
    start_terms(session, [delivery.id for delivery in found], now=now)
    return tally


def settle_old_claims(session: Session, *, now: datetime) -> Counter[DeliveryState]:
    """Settle the claims that are older than sending can take, in the same way: their machine is gone."""
    tally: Counter[DeliveryState] = Counter()
    for delivery in _list_locked(session, _SENDING & (Delivery.claimed_at <= now - CLAIM_LASTS), skip=True):
        _settle(session, delivery, None, now)
        tally[delivery.state] += 1
    return tally


def _settle(session: Session, delivery: Delivery, findings: Findings | None, now: datetime) -> None:
    if findings is not None and (answer := findings.answers.get(delivery.id)) is not None:
        record(session, delivery, answer, now=now)
    elif delivery.kind is DeliveryKind.DIGEST and (findings is None or delivery.id in findings.started):
        move(delivery, DeliveryState.IN_DOUBT, ENDED_WHILE_SENDING)
    else:
        move(delivery, DeliveryState.QUEUED, ENDED_WHILE_SENDING)
