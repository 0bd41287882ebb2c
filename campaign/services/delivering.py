"""Sending what the ledger owes: claim many, hand them over one by one, record them with the next claim.

No transaction is open while the network is waited for. What the server was given since the last commit stands in the
journal, so a sender that is killed leaves at most one mail in doubt for each connection it had.
"""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from limits import RateLimitItem
from sqlalchemy import func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from campaign.mail.message import Message
from campaign.mail.transport import Answer, Later, Outcome, Transport
from campaign.models import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Edition,
    EditionState,
    Subscription,
    SubscriptionState,
)
from campaign.services.journal import Journal
from campaign.services.ledger import (
    claim_all,
    defer_unwritable,
    move_all,
    record_answers,
    settle_claims,
)
from campaign.services.mailing import NotWanted, Post, Prepared, Writer
from campaign.services.pacing import AHEAD, find_interval, find_turn, take_turns
from campaign.services.steering import list_sendable, may_send_now

_log = logging.getLogger(__name__)

WAITING = (DeliveryState.QUEUED, DeliveryState.DEFERRED)
CHUNK = 50_000
_FEWEST, _MOST = 16, 256
# In seconds. Consent and suppression are looked at when mails are claimed, and none begins later than this after;
# whether its edition goes on is looked at more often.
_STALE_AFTER = 2.0
_LOOK_EVERY = 0.05


# The readers who want one mail for all campaigns are `campaign.services.collecting`'s.
_LEFT_TO_COLLECTING = (
    select(Subscription.id)
    .where(
        Subscription.id == Delivery.subscription_id,
        Subscription.merged,
        Subscription.state == SubscriptionState.ACTIVE,
    )
    .exists()
)


@dataclass(frozen=True)
class Sender:
    """What is needed to send, by one thread.

    ``claimant`` is in every claim and no other living thread uses it, so what is found claimed by it is a dead one's.
    ``rate`` holds over all senders.
    """

    sessions: sessionmaker[Session]
    snapshots: sessionmaker[Session]
    post: Post
    transport: Transport
    claimant: str
    journals: Path
    now: Callable[[], datetime]
    rate: Sequence[RateLimitItem] = ()


@dataclass(frozen=True)
class Batch:
    """Which waiting mails to take: of a kind, in some of the waiting states, or of a part of an edition.

    ``overdue`` leaves those alone that have not waited so long beyond their time.
    """

    kind: DeliveryKind
    states: tuple[DeliveryState, ...] = WAITING
    overdue: timedelta = timedelta()
    edition_id: int | None = None
    first: int = 0
    last: int = 0


def send_waiting(
    sender: Sender, batch: Batch, *, stopping: Callable[[], bool] = lambda: False, most: int | None = None
) -> Counter[DeliveryState]:
    """Send what waits and is due: all of it, ``most`` at most, or until ``stopping``.

    Gives how many reached which state. Ends where the server cannot be used: what it was not given is back in
    ``queued``, and the caller tries again later.
    """
    run = _Run(sender, batch, stopping, most)
    sender.transport.deliver(run)
    run.finish()
    return run.tally


class _Run:
    """What one call of ``send_waiting`` has claimed, given to the transport and heard back of."""

    def __init__(self, sender: Sender, batch: Batch, stopping: Callable[[], bool], most: int | None) -> None:
        self.tally: Counter[DeliveryState] = Counter()
        self._sender = sender
        self._batch = batch
        self._stopping = stopping
        self._left = most
        self._writer = Writer(sender.post)
        self._interval = find_interval(sender.rate)
        self._waiting: deque[tuple[int, Prepared, datetime | None]] = deque()
        self._answers: dict[int, Answer] = {}
        self._unwritable: dict[int, Exception] = {}
        self._size = _FEWEST
        self._claimed_at = 0.0
        self._looked_at = 0.0
        self._cursor = batch.first
        self._ended = False
        self._journal = Journal(sender.journals, sender.claimant)
        with sender.sessions.begin() as session:
            settle_claims(session, sender.claimant, sender.journals, now=sender.now())
        self._journal.begin()

    def next(self) -> tuple[int, Message] | Later | None:
        while True:
            if self._ended or self._stopping() or self._is_halted():
                self._flush()
                return None
            if not self._waiting or time.monotonic() - self._claimed_at > _STALE_AFTER:
                later = self._claim()
                if later is not None:
                    return later
                continue
            number, prepared, turn = self._waiting[0]
            if turn is not None and turn > (now := self._sender.now()):
                self._flush()
                return Later((turn - now).total_seconds())
            self._waiting.popleft()
            try:
                return number, self._writer.write(prepared)
            except Exception as error:  # noqa: BLE001 (whatever it is, it must not hold up the mails behind)
                self._unwritable[number] = error

    def _is_halted(self) -> bool:
        """Whether the edition was paused or cancelled since its mails were claimed."""
        edition_id = self._batch.edition_id
        if edition_id is None or not self._waiting or time.monotonic() - self._looked_at < _LOOK_EVERY:
            return False
        try:
            with self._sender.snapshots() as session:
                self._ended = not may_send_now(session, edition_id, self._sender.now())
        except SQLAlchemyError:
            _log.exception("The database cannot be used; sending ends")
            self._ended = True
        self._looked_at = time.monotonic()
        return self._ended

    def start(self, number: int) -> None:
        self._journal.start(number)

    def end(self, number: int, answer: Answer) -> None:
        self._answers[number] = answer
        if answer.outcome is Outcome.NOT_TRIED:
            self._ended = True
        self._journal.end(number, answer)
        if self._ended:
            self._flush()

    def _flush(self) -> None:
        try:
            self._journal.flush()
        except OSError as error:
            # The answers are kept here, and committed with the others.
            _log.error("The journal cannot be written (%s)", error)

    def _claim(self) -> Later | None:
        """Record what is known, and claim the next mails: more at a time as long as they go out quickly."""
        quick = not self._waiting and time.monotonic() - self._claimed_at < _STALE_AFTER / 2
        self._size = min(_MOST, self._size * 2) if quick else max(_FEWEST, self._size // 2)
        now = self._sender.now()
        try:
            with self._sender.sessions.begin() as session:
                tally = self._record(session, now)
                turn = None if self._interval is None else find_turn(session, now=now)
                if turn is not None and turn > now + AHEAD:
                    later, claimed = Later((turn - now).total_seconds()), []
                else:
                    later, claimed = None, self._claim_wanted(session, turn, now, tally)
        except SQLAlchemyError:
            # What is under way is still heard; `finish` tries to record once more.
            _log.exception("The database cannot be used; sending ends")
            self._ended = True
            return None
        self._committed(tally)
        self._waiting.extend(claimed)
        try:
            self._journal.begin()
        except OSError as error:
            # The old one stays: what is under way is in it, and of what was just claimed nothing is given out.
            _log.error("The journal cannot be written (%s); sending ends", error)
            self._ended = True
            return None
        self._ended = later is None and not claimed
        self._claimed_at = self._looked_at = time.monotonic()
        return later

    def _record(self, session: Session, now: datetime) -> Counter[DeliveryState]:
        """Write down the answers, and put back what was claimed and not given out."""
        claimant = self._sender.claimant
        tally = record_answers(session, self._answers, claimant, now=now)
        for number, error in self._unwritable.items():
            defer_unwritable(session, number, error, now=now)
            tally[DeliveryState.DEFERRED] += 1
        if self._waiting:
            ids = [number for number, _, _ in self._waiting]
            move_all(session, ids, claimant, DeliveryState.QUEUED, None, attempted=False)
            self._cursor = min(self._cursor, *ids)
            if self._left is not None:
                self._left += len(ids)
        session.flush()
        return tally

    def _committed(self, tally: Counter[DeliveryState]) -> None:
        self.tally += tally
        self._waiting.clear()
        self._answers.clear()
        self._unwritable.clear()

    def _claim_wanted(
        self, session: Session, turn: datetime | None, now: datetime, tally: Counter[DeliveryState]
    ) -> list[tuple[int, Prepared, datetime | None]]:
        """Claim until some of the claimed are still wanted; those that are not are settled on the way."""
        while ids := self._lock_next(session, now):
            claim_all(session, ids, self._sender.claimant, now=now)
            self._cursor = max(ids) + 1
            if self._left is not None:
                self._left -= len(ids)
            drafts = self._list_wanted(session, ids, now, tally)
            if drafts and turn is not None and self._interval is not None:
                turns = take_turns(session, turn, len(drafts), self._interval)
                return [(*draft, own) for draft, own in zip(drafts, turns, strict=True)]
            if drafts:
                return [(*draft, None) for draft in drafts]
        return []

    def _lock_next(self, session: Session, now: datetime) -> list[int]:
        batch, count = self._batch, self._size
        if self._interval is not None:
            count = min(count, max(1, AHEAD // self._interval))
        if self._left is not None:
            count = min(count, self._left)
        due = select(Delivery.id).where(Delivery.due_at <= now - batch.overdue)
        going = list_sendable(session, now) if batch.kind is DeliveryKind.DIGEST else []
        if batch.edition_id is not None:
            if batch.edition_id not in going:
                return []
            # In the order of ids, from where the last claim ended: what was sent is not looked at again.
            due = due.where(Delivery.edition_id == batch.edition_id, Delivery.id.between(self._cursor, batch.last))
            due = due.order_by(Delivery.id)
        else:
            due = due.where(Delivery.kind == batch.kind).order_by(Delivery.due_at, Delivery.id)
            if batch.kind is DeliveryKind.DIGEST:
                due = due.where(Delivery.edition_id.in_(going))
        if batch.kind is DeliveryKind.DIGEST:
            due = due.where(Delivery.kind == DeliveryKind.DIGEST, ~_LEFT_TO_COLLECTING)
        ids: list[int] = []
        for state in batch.states:
            if len(ids) < count:
                waiting = due.where(Delivery.state == state).limit(count - len(ids)).with_for_update(skip_locked=True)
                ids += session.scalars(waiting)
        return ids

    def _list_wanted(
        self, session: Session, ids: list[int], now: datetime, tally: Counter[DeliveryState]
    ) -> list[tuple[int, Prepared]]:
        wanted: list[tuple[int, Prepared]] = []
        unwanted: dict[str, list[int]] = {}
        for number, draft in list(self._writer.list_drafts(session, self._batch.kind, ids, now=now)):
            if isinstance(draft, NotWanted):
                unwanted.setdefault(str(draft), []).append(number)
            elif not isinstance(draft, Exception):
                wanted.append((number, draft))
            else:
                defer_unwritable(session, number, draft, now=now)
                tally[DeliveryState.DEFERRED] += 1
        for reason, unwanted_ids in unwanted.items():
            move_all(session, unwanted_ids, self._sender.claimant, DeliveryState.SUPPRESSED, reason, attempted=False)
            tally[DeliveryState.SUPPRESSED] += len(unwanted_ids)
        session.flush()
        return wanted

    def finish(self) -> None:
        """Record the last answers, and put back what was not given out."""
        with self._sender.sessions.begin() as session:
            tally = self._record(session, self._sender.now())
        self._committed(tally)
        self._journal.close()


def list_chunks(session: Session, edition: Edition) -> list[tuple[int, int]]:
    """The edition's deliveries as ranges of ids, each small enough for one job."""
    if not edition.candidates:
        return []
    ids = select(func.min(Delivery.id), func.max(Delivery.id)).where(
        Delivery.edition_id == edition.id, Delivery.kind == DeliveryKind.DIGEST
    )
    first, last = session.execute(ids).one()
    return [(start, min(start + CHUNK - 1, last)) for start in range(first, last + 1, CHUNK)]


def finish_editions(session: Session) -> None:
    """Mark the editions of which no mail waits any more as sent."""
    waiting = (
        select(Delivery.id)
        .where(
            Delivery.edition_id == Edition.id,
            Delivery.kind == DeliveryKind.DIGEST,
            Delivery.state.in_((*WAITING, DeliveryState.SENDING)),
        )
        .exists()
    )
    session.execute(
        update(Edition)
        .where(Edition.state == EditionState.SENDING, ~waiting)
        .values(state=EditionState.SENT)
        .execution_options(synchronize_session=False)
    )
