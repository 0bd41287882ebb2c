"""Sending what the ledger owes: claim many, hand them over one by one, record them with the next claim.

No transaction is open while the network is waited for. What the server was given since the last commit stands in the
journal, so a sender that is killed leaves at most one mail in doubt for each connection it had.
"""

import logging
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from itertools import islice

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from campaign.mail.message import Message
from campaign.mail.smtp.transport import Answer, Later, Outcome
from campaign.models import Delivery, DeliveryKind, DeliveryState, Edition
from campaign.services.delivery.claims import Batch, Claimer, Outcomes, Sender
from campaign.services.delivery.eligibility import list_sendable
from campaign.services.delivery.journal import Journal
from campaign.services.delivery.ledger import settle_claims
from campaign.services.delivery.writer import Prepared, Writer

_log = logging.getLogger(__name__)

CHUNK = 50_000
_FEWEST, _MOST = 16, 1024
# In seconds. Consent and suppression are looked at when mails are claimed, and none begins later than this after;
# whether its edition goes on is looked at more often.
_STALE_AFTER = 2.0
_LOOK_EVERY = 0.05


def send_waiting(
    sender: Sender, batch: Batch, *, stopping: Callable[[], bool] = lambda: False, most: int | None = None
) -> Counter[DeliveryState]:
    """Send what waits and is due: all of it, ``most`` at most, or until ``stopping``.

    Gives how many reached which state. Ends where the server cannot be used: what it was not given is back in
    ``queued``, and the caller tries again later.
    """
    run = _Run(sender, batch, stopping, most)
    try:
        sender.transport.deliver(run)
        run.finish()
    finally:
        run.close()
    return run.tally


class _Run:
    """What one call of ``send_waiting`` has claimed, given to the transport and heard back of."""

    def __init__(self, sender: Sender, batch: Batch, stopping: Callable[[], bool], most: int | None) -> None:
        self.tally: Counter[DeliveryState] = Counter()
        self._sender = sender
        self._batch = batch
        self._stopping = stopping
        self._writer = Writer(sender.post)
        self._claimer = Claimer(sender, batch, self._writer, most)
        dkim = sender.post.dkim
        self._pool = open_pool() if dkim is not None and dkim.is_slow else None
        # Those claimed and not yet begun, each with its turn, and their messages in this order.
        self._waiting: deque[tuple[int, datetime | None]] = deque()
        self._written: Iterator[Written] = iter(())
        self._answers: dict[int, Answer] = {}
        self._unwritable: dict[int, Exception] = {}
        self._size = _FEWEST
        self._claimed_at = 0.0
        self._looked_at = 0.0
        self._ended = False
        self._journal = Journal(sender.journals, sender.claimant)
        with sender.sessions.begin() as session:
            settle_claims(session, sender.claimant, sender.journals, now=sender.now())
        self._journal.begin()

    def next(self) -> tuple[int, Message] | Later | None:
        while True:
            moment = time.monotonic()
            if self._ended or self._stopping() or (moment - self._looked_at > _LOOK_EVERY and self._is_halted()):
                self._flush()
                return None
            if not self._waiting or moment - self._claimed_at > _STALE_AFTER:
                later = self._claim()
                if later is not None:
                    return later
                continue
            number, turn = self._waiting[0]
            if turn is not None and turn > (now := self._sender.now()):
                self._flush()
                return Later((turn - now).total_seconds())
            self._waiting.popleft()
            written = next(self._written)
            if isinstance(written, Message):
                return number, written
            self._unwritable[number] = written

    def _is_halted(self) -> bool:
        """Whether the edition was paused or cancelled since its mails were claimed."""
        edition_id = self._batch.edition_id
        if edition_id is None or not self._waiting:
            return False
        try:
            with self._sender.snapshots() as session:
                self._ended = edition_id not in list_sendable(session, self._sender.guard, self._sender.now())
        except SQLAlchemyError:
            _log.exception("The database cannot be used; sending ends")
            self._ended = True
        self._looked_at = time.monotonic()
        return self._ended

    def start(self, numbers: Sequence[int]) -> None:
        self._journal.start(numbers)

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
        except OSError:
            # The answers are kept here, and committed with the others.
            _log.exception("The journal cannot be written")

    def _outcomes(self) -> Outcomes:
        return Outcomes(self._answers, self._unwritable, [number for number, _ in self._waiting])

    def _claim(self) -> Later | None:
        """Record what is known, and claim the next mails: more at a time as long as they go out quickly."""
        quick = not self._waiting and time.monotonic() - self._claimed_at < _STALE_AFTER / 2
        self._size = min(_MOST, self._size * 2) if quick else max(_FEWEST, self._size // 2)
        try:
            claimed = self._claimer.record_and_claim(self._outcomes(), self._size)
        except SQLAlchemyError:
            # What is under way is still heard; `finish` tries to record once more.
            _log.exception("The database cannot be used; sending ends")
            self._ended = True
            return None
        self._committed(claimed.tally)
        drafts = [draft for _, draft, _ in claimed.drafts]
        write = self._writer.write
        self._written = write_all(write, drafts) if self._pool is None else write_ahead(self._pool, write, drafts)
        self._waiting.extend((number, turn) for number, _, turn in claimed.drafts)
        self._claimed_at = self._looked_at = time.monotonic()
        self._ended = claimed.later is None and not drafts
        try:
            self._journal.begin()
        except OSError:
            # The old one stays: what is under way is in it, and of what was just claimed nothing is given out.
            _log.exception("The journal cannot be written; sending ends")
            self._ended = True
        return claimed.later

    def _committed(self, tally: Counter[DeliveryState]) -> None:
        self.tally += tally
        self._waiting.clear()
        self._answers.clear()
        self._unwritable.clear()

    def finish(self) -> None:
        """Record the last answers, and put back what was not given out."""
        self._committed(self._claimer.record(self._outcomes()))
        self._journal.close()

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def list_chunks(session: Session, edition: Edition) -> list[tuple[int, int]]:
    """The edition's deliveries as ranges of ids, each small enough for one job."""
    if not edition.candidates:
        return []
    ids = select(func.min(Delivery.id), func.max(Delivery.id)).where(
        Delivery.edition_id == edition.id, Delivery.kind == DeliveryKind.DIGEST
    )
    first, last = session.execute(ids).one()
    return [(start, min(start + CHUNK - 1, last)) for start in range(first, last + 1, CHUNK)]


Written = Message | Exception
_BLOCK = 8  # to hand over a single one would cost as much as to write it
_BLOCKS_AHEAD = 12


def write_all(write: Callable[[Prepared], Message], drafts: Sequence[Prepared]) -> Iterator[Written]:
    """The messages of ``drafts`` in their order, or why one has none."""
    for draft in drafts:
        try:
            yield write(draft)
        except Exception as error:  # noqa: BLE001 (whatever it is, it must not hold up the mails behind)
            yield error


def open_pool() -> ThreadPoolExecutor:
    """Threads to write ahead with: one for each processor."""
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="write")


def write_ahead(
    pool: ThreadPoolExecutor, write: Callable[[Prepared], Message], drafts: Sequence[Prepared]
) -> Iterator[Written]:
    """The same, a few blocks ahead of who takes them."""
    blocks = (drafts[start : start + _BLOCK] for start in range(0, len(drafts), _BLOCK))
    begun: deque[Future[list[Written]]] = deque()

    def begin(count: int) -> None:
        begun.extend(pool.submit(lambda block: list(write_all(write, block)), block) for block in islice(blocks, count))

    begin(_BLOCKS_AHEAD)
    while begun:
        written = begun.popleft().result()
        begin(1)
        yield from written
