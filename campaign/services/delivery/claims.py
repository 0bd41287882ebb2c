"""The ledger's side of sending: record in one transaction what became of mails, and claim the next ones.

A mail is one message, and one row of the ledger, or several rows for one mail about several petitions.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Row
from sqlalchemy.orm import Session, sessionmaker

from campaign.mail.smtp.transport import Answer, Later, Transport
from campaign.models import Delivery, DeliveryKind, DeliveryState
from campaign.services.delivery.eligibility import NotEligible, list_sendable, select_due
from campaign.services.delivery.envelope import MailIdentity
from campaign.services.delivery.journal import Rows
from campaign.services.delivery.ledger import claim_all, defer_unwritable, move_all, record_answers, start_terms
from campaign.services.delivery.throttle import AHEAD, find_interval, find_turn, take_turns
from campaign.services.delivery.writer import Prepared, Writer
from campaign.services.digests.restore_guard import RestoreGuard
from campaign.text.rates import Rate


@dataclass(frozen=True)
class Sender:
    """Everything that one thread needs for sending.

    Every claim contains ``claimant``. No other living thread uses the same one, so claims that are found under it are
    those of a sender that died. ``rate`` holds over all senders.
    """

    sessions: sessionmaker[Session]
    snapshots: sessionmaker[Session]
    guard: RestoreGuard
    identity: MailIdentity
    transport: Transport
    claimant: str
    journals: Path
    now: Callable[[], datetime]
    rate: Sequence[Rate] = ()


@dataclass(frozen=True)
class Batch:
    """Which waiting mails to send: those of a kind, in some of the waiting states, or in a part of an edition.

    With ``overdue`` only mails are taken whose time came so long ago. With ``edition_id`` only its deliveries with the
    ids from ``first`` to ``last`` are taken.
    """

    kind: DeliveryKind
    states: tuple[DeliveryState, ...] = DeliveryState.waiting()
    overdue: timedelta = timedelta()
    edition_id: int | None = None
    first: int = 0
    last: int = 0


class Mail(NamedTuple):
    """A claimed mail: its rows, what is written into it, and the moment before which it must not be sent."""

    rows: Rows
    draft: Prepared
    turn: datetime | None


@dataclass(frozen=True)
class Outcomes:
    """What became of claimed mails: their answers, the mails that could not be written, those not given to a server."""

    answers: Mapping[Rows, Answer] = field(default_factory=dict)
    unwritable: Mapping[Rows, Exception] = field(default_factory=dict)
    untouched: Sequence[Rows] = ()


class Claimed(NamedTuple):
    """The mails to send now. ``later`` says when to ask again. ``tally`` counts the rows recorded, by state."""

    mails: list[Mail]
    later: Later | None
    tally: Counter[DeliveryState]


class Claimer:
    """Claims the mails of one batch in their order, at most ``most`` in all. One thread at a time uses it."""

    # So many mails at most are claimed at once.
    most_at_once = 1024

    def __init__(self, sender: Sender, batch: Batch, most: int | None = None) -> None:
        self.writer = Writer(sender.identity)
        self._sender = sender
        self._batch = batch
        self._left = most
        self._interval = find_interval(sender.rate)
        self._cursor = batch.first

    def may_go_on(self) -> bool:
        """Whether the edition is still being sent: False after a pause or a cancellation. Raises SQLAlchemyError."""
        if self._batch.edition_id is None:
            return True
        with self._sender.snapshots() as session:
            return self._batch.edition_id in list_sendable(session, self._sender.guard, self._sender.now())

    def record(self, outcomes: Outcomes) -> Counter[DeliveryState]:
        """Record what became of mails. Returns how many rows reached which state."""
        with self._sender.sessions.begin() as session:
            return self._record(session, outcomes, self._sender.now())

    def record_and_claim(self, outcomes: Outcomes, count: int) -> Claimed:
        """Record what became of mails, and claim at most ``count`` of the next.

        Consent and suppression are checked in the same transaction.
        """
        now = self._sender.now()
        with self._sender.sessions.begin() as session:
            tally = self._record(session, outcomes, now)
            turn = None if self._interval is None else find_turn(session, now=now)
            if turn is not None and turn > now + AHEAD:
                return Claimed([], Later((turn - now).total_seconds()), tally)
            return Claimed(self._claim(session, turn, now, count, tally), None, tally)

    def _record(self, session: Session, outcomes: Outcomes, now: datetime) -> Counter[DeliveryState]:
        claimant = self._sender.claimant
        tally = record_answers(session, outcomes.answers, claimant, now=now)
        for rows, error in outcomes.unwritable.items():
            tally += defer_unwritable(session, rows, error, now=now)
        if untouched := outcomes.untouched:
            ids = [number for rows in untouched for number in rows]
            move_all(session, ids, claimant, DeliveryState.QUEUED, None, attempted=False)
            self._cursor = min(self._cursor, *ids)
            if self._left is not None:
                self._left += len(untouched)
        session.flush()
        self._start_terms(session, [number for rows in outcomes.answers for number in rows], now)
        return tally

    def _start_terms(self, session: Session, ids: Sequence[int], now: datetime) -> None:
        if self._batch.kind is DeliveryKind.CONFIRMATION and ids:
            start_terms(session, ids, now=now)

    def _claim(
        self, session: Session, turn: datetime | None, now: datetime, count: int, tally: Counter[DeliveryState]
    ) -> list[Mail]:
        """Claim until some of the claimed mails are eligible. The others are settled here."""
        if self._interval is not None:
            count = min(count, max(1, AHEAD // self._interval))
        while rows := self._lock_next(session, now, count if self._left is None else min(count, self._left)):
            ids = [row[0] for row in rows]
            claim_all(session, ids, self._sender.claimant, now=now)
            self._cursor = max(ids) + 1
            drafts = self._make_drafts(session, rows, now, tally)
            session.flush()
            if drafts and turn is not None and self._interval is not None:
                turns = take_turns(session, turn, len(drafts), self._interval)
                return [Mail(*draft, own) for draft, own in zip(drafts, turns, strict=True)]
            if drafts:
                return [Mail(*draft, None) for draft in drafts]
        return []

    def _lock_next(self, session: Session, now: datetime, count: int) -> Sequence[Sequence[Any]]:
        """Lock the next rows of the batch, at most ``count``, and count them as claimed."""
        batch = self._batch
        due = select_due(
            session, self._sender.guard, batch.kind, now=now, overdue=batch.overdue, edition_id=batch.edition_id
        )
        if batch.edition_id is not None:
            # In the order of ids, from the end of the last claim: rows of mails that were sent are not read again.
            due = due.where(Delivery.id.between(self._cursor, batch.last)).order_by(Delivery.id)
        else:
            due = due.order_by(Delivery.due_at, Delivery.id)
        rows: list[Row[Any]] = []
        for state in batch.states:
            if len(rows) < count:
                waiting = due.where(Delivery.state == state).limit(count - len(rows))
                # By the connection: the session would do for each row what only entities need.
                rows += session.connection().execute(waiting.with_for_update(of=Delivery, skip_locked=True))
        if self._left is not None:
            self._left -= len(rows)
        return rows

    def _make_drafts(
        self, session: Session, rows: Sequence[Sequence[Any]], now: datetime, tally: Counter[DeliveryState]
    ) -> list[tuple[Rows, Prepared]]:
        """The drafts of the claimed rows that are eligible. The other rows are settled."""
        return [((number,), draft) for number, draft in self._list_eligible(session, rows, now, tally)]

    def _list_eligible(
        self, session: Session, rows: Sequence[Sequence[Any]], now: datetime, tally: Counter[DeliveryState]
    ) -> list[tuple[int, Prepared]]:
        eligible: list[tuple[int, Prepared]] = []
        refused: list[tuple[Rows, Exception]] = []
        for number, draft in self.writer.list_drafts(session, self._batch.kind, rows, now=now):
            if isinstance(draft, Exception):
                refused.append(((number,), draft))
            else:
                eligible.append((number, draft))
        self._settle(session, refused, now, tally)
        return eligible

    def _settle(
        self,
        session: Session,
        refused: Iterable[tuple[Rows, Exception]],
        now: datetime,
        tally: Counter[DeliveryState],
    ) -> None:
        """Suppress the rows that are not eligible, and defer those that cannot be written."""
        suppressed: dict[str, list[int]] = {}
        for rows, error in refused:
            if isinstance(error, NotEligible):
                suppressed.setdefault(str(error), []).extend(rows)
            else:
                tally += defer_unwritable(session, rows, error, now=now)
        for reason, ids in suppressed.items():
            move_all(session, ids, self._sender.claimant, DeliveryState.SUPPRESSED, reason, attempted=False)
            tally[DeliveryState.SUPPRESSED] += len(ids)
            self._start_terms(session, ids, now)
