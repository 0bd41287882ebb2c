"""The ledger's side of sending: in one transaction write down what became of mails, and claim the next."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Row
from sqlalchemy.orm import Session, sessionmaker

from campaign.mail.smtp.transport import Answer, Later, Transport
from campaign.models import Delivery, DeliveryKind, DeliveryState, Subscription, SubscriptionState
from campaign.services.delivery.eligibility import NotWanted, list_sendable, select_owed
from campaign.services.delivery.envelope import Post
from campaign.services.delivery.ledger import claim_all, defer_unwritable, move_all, record_answers
from campaign.services.delivery.throttle import AHEAD, find_interval, find_turn, take_turns
from campaign.services.delivery.writer import Prepared, Writer
from campaign.services.digests.restore_guard import RestoreGuard
from campaign.text.rates import Rate

# In seconds, however far a turn is off: the sender may be told to stop meanwhile.
_ASK_AGAIN = 5.0


@dataclass(frozen=True)
class Sender:
    """What is needed to send, by one thread.

    ``claimant`` is in every claim and no other living thread uses it, so what is found claimed by it is a dead one's.
    ``rate`` holds over all senders. ``sleep`` waits, by the clock that ``now`` reads, for the seconds it is given.
    """

    sessions: sessionmaker[Session]
    snapshots: sessionmaker[Session]
    guard: RestoreGuard
    post: Post
    transport: Transport
    claimant: str
    journals: Path
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    rate: Sequence[Rate] = ()


@dataclass(frozen=True)
class Batch:
    """Which waiting mails to take: of a kind, in some of the waiting states, or of a part of an edition.

    ``overdue`` leaves those alone that have not waited so long beyond their time.
    """

    kind: DeliveryKind
    states: tuple[DeliveryState, ...] = DeliveryState.waiting()
    overdue: timedelta = timedelta()
    edition_id: int | None = None
    first: int = 0
    last: int = 0


@dataclass(frozen=True)
class Outcomes:
    """What became of claimed mails: the answers, those that could not be written, those that were not begun."""

    answers: Mapping[int, Answer] = field(default_factory=dict)
    unwritable: Mapping[int, Exception] = field(default_factory=dict)
    untouched: Sequence[int] = ()


class Claimed(NamedTuple):
    """What is to be sent now, each from its turn on; ``later``: when to ask again. ``tally``: what was written down."""

    drafts: list[tuple[int, Prepared, datetime | None]]
    later: Later | None
    tally: Counter[DeliveryState]


class Claimer:
    """Claims mails of one batch, ``most`` in all, in the order of the batch. Used by one thread at a time."""

    def __init__(self, sender: Sender, batch: Batch, writer: Writer, most: int | None) -> None:
        self._sender = sender
        self._batch = batch
        self._writer = writer
        self._left = most
        self._interval = find_interval(sender.rate)
        self._cursor = batch.first

    def record(self, outcomes: Outcomes) -> Counter[DeliveryState]:
        """Write down what became of mails; how many reached which state."""
        with self._sender.sessions.begin() as session:
            return self._record(session, outcomes, self._sender.now())

    def record_and_claim(self, outcomes: Outcomes, count: int) -> Claimed:
        """The same, and ``count`` of the next. Consent and suppression are looked at in the same transaction."""
        now = self._sender.now()
        with self._sender.sessions.begin() as session:
            tally = self._record(session, outcomes, now)
            turn = None if self._interval is None else find_turn(session, now=now)
            if turn is not None and turn > now + AHEAD:
                return Claimed([], Later(min((turn - now).total_seconds(), _ASK_AGAIN)), tally)
            return Claimed(self._claim_wanted(session, turn, now, count, tally), None, tally)

    def _record(self, session: Session, outcomes: Outcomes, now: datetime) -> Counter[DeliveryState]:
        claimant = self._sender.claimant
        tally = record_answers(session, outcomes.answers, claimant, now=now)
        for number, error in outcomes.unwritable.items():
            defer_unwritable(session, number, error, now=now)
            tally[DeliveryState.DEFERRED] += 1
        if ids := outcomes.untouched:
            move_all(session, ids, claimant, DeliveryState.QUEUED, None, attempted=False)
            self._cursor = min(self._cursor, *ids)
            if self._left is not None:
                self._left += len(ids)
        session.flush()
        return tally

    def _claim_wanted(
        self, session: Session, turn: datetime | None, now: datetime, count: int, tally: Counter[DeliveryState]
    ) -> list[tuple[int, Prepared, datetime | None]]:
        """Claim until some of the claimed are still wanted; those that are not are settled on the way."""
        while rows := self._lock_next(session, now, count):
            ids = [row[0] for row in rows]
            claim_all(session, ids, self._sender.claimant, now=now)
            self._cursor = max(ids) + 1
            if self._left is not None:
                self._left -= len(ids)
            drafts = self._list_wanted(session, rows, now, tally)
            if drafts and turn is not None and self._interval is not None:
                turns = take_turns(session, turn, len(drafts), self._interval)
                return [(*draft, own) for draft, own in zip(drafts, turns, strict=True)]
            if drafts:
                return [(*draft, None) for draft in drafts]
        return []

    def _lock_next(self, session: Session, now: datetime, count: int) -> list[Row[Any]]:
        batch = self._batch
        if self._interval is not None:
            count = min(count, max(1, AHEAD // self._interval))
        if self._left is not None:
            count = min(count, self._left)
        due = select_owed(batch.kind).where(Delivery.due_at <= now - batch.overdue)
        if batch.edition_id is not None:
            if batch.edition_id not in list_sendable(session, self._sender.guard, now):
                return []
            # In the order of ids, from where the last claim ended: what was sent is not looked at again.
            due = due.where(Delivery.edition_id == batch.edition_id, Delivery.id.between(self._cursor, batch.last))
            due = due.order_by(Delivery.id)
        else:
            due = due.order_by(Delivery.due_at, Delivery.id)
            if batch.kind is DeliveryKind.DIGEST:
                due = due.where(Delivery.edition_id.in_(list_sendable(session, self._sender.guard, now)))
        if batch.kind is DeliveryKind.DIGEST:
            # The readers who want one mail for all campaigns are `campaign.services.delivery.send_merged`'s.
            due = due.where(~(Subscription.merged & (Subscription.state == SubscriptionState.ACTIVE)))
        rows: list[Row[Any]] = []
        for state in batch.states:
            if len(rows) < count:
                waiting = due.where(Delivery.kind == batch.kind, Delivery.state == state).limit(count - len(rows))
                # By the connection: the session would do for each row what only entities need.
                rows += session.connection().execute(waiting.with_for_update(of=Delivery, skip_locked=True))
        return rows

    def _list_wanted(
        self, session: Session, rows: list[Row[Any]], now: datetime, tally: Counter[DeliveryState]
    ) -> list[tuple[int, Prepared]]:
        wanted: list[tuple[int, Prepared]] = []
        unwanted: dict[str, list[int]] = {}
        for number, draft in self._writer.list_drafts(session, self._batch.kind, rows, now=now):
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
