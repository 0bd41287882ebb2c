"""Sending: claim many mails, give them to the transport one by one, record their answers with the next claim.

No transaction is open while a server is waited for. The journal has what the server was given since the last commit, so
a sender that is killed leaves in doubt at most one mail for each of its connections.
"""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from campaign.mail.message import Message
from campaign.mail.smtp.transport import Answer, Later, Outcome
from campaign.models import DeliveryState
from campaign.services.delivery.claims import Batch, Claimer, Outcomes, Sender
from campaign.services.delivery.journal import Journal, Rows
from campaign.services.delivery.ledger import settle_claims
from campaign.services.delivery.writer import Written, open_pool, write_ahead, write_all

_log = logging.getLogger(__name__)

_FEWEST = 16
# Seconds. Consent and suppression are checked when mails are claimed, and no mail is started later than this after the
# check. Whether the edition is still being sent is checked more often.
_STALE_AFTER = 2.0
_CHECK_EVERY = 0.05
# Seconds. However far off a turn is, the sender looks again after this time whether it must stop.
_ASK_AGAIN = 5.0


def send_waiting(
    sender: Sender, batch: Batch, *, stopping: Callable[[], bool] = lambda: False, most: int | None = None
) -> Counter[DeliveryState]:
    """Send the waiting mails of a batch that are due: all of them, at most ``most``, or until ``stopping``.

    Returns how many rows reached which state. Ends if the server cannot be used: the mails that were not given to it
    are in ``queued`` again, and the caller tries again later.
    """
    return send_claimed(sender, Claimer(sender, batch, most), stopping=stopping)


def send_claimed(
    sender: Sender,
    claimer: Claimer,
    *,
    stopping: Callable[[], bool] = lambda: False,
    patience: timedelta | None = None,
) -> Counter[DeliveryState]:
    """Send the mails that ``claimer`` claims. It ends also if the next turn is further off than ``patience``."""
    run = _Run(sender, claimer, stopping, patience)
    try:
        sender.transport.deliver(run)
        run.finish()
    finally:
        run.close()
    return run.tally


class _Run:
    """The mails of one run: claimed, given to the transport, answered."""

    def __init__(
        self, sender: Sender, claimer: Claimer, stopping: Callable[[], bool], patience: timedelta | None
    ) -> None:
        self.tally: Counter[DeliveryState] = Counter()
        self._sender = sender
        self._claimer = claimer
        self._stopping = stopping
        self._patience = patience
        dkim = sender.identity.dkim
        self._pool = open_pool() if dkim is not None and dkim.is_slow else None
        # The claimed mails that are not started, each with its turn, and their messages in the same order.
        self._waiting: deque[tuple[Rows, datetime | None]] = deque()
        self._written: Iterator[Written] = iter(())
        # The transport knows a mail by the first of its rows.
        self._given: dict[int, Rows] = {}
        self._answers: dict[Rows, Answer] = {}
        self._unwritable: dict[Rows, Exception] = {}
        self._size = _FEWEST
        self._claimed_at = 0.0
        self._checked_at = 0.0
        self._ended = False
        self._journal = Journal(sender.journals, sender.claimant)
        with sender.sessions.begin() as session:
            settle_claims(session, sender.claimant, sender.journals, now=sender.now())
        self._journal.begin()

    def next(self) -> tuple[int, Message] | Later | None:
        while True:
            moment = time.monotonic()
            if self._ended or self._stopping() or (moment - self._checked_at > _CHECK_EVERY and self._is_halted()):
                self._flush()
                return None
            if not self._waiting or moment - self._claimed_at > _STALE_AFTER:
                later = self._claim()
                if later is not None:
                    return later
                continue
            rows, turn = self._waiting[0]
            if turn is not None and turn > (now := self._sender.now()):
                self._flush()
                return Later((turn - now).total_seconds())
            self._waiting.popleft()
            written = next(self._written)
            if isinstance(written, Message):
                self._given[rows[0]] = rows
                return rows[0], written
            self._unwritable[rows] = written

    def _is_halted(self) -> bool:
        """Whether the edition was paused or cancelled since its mails were claimed."""
        if not self._waiting:
            return False
        try:
            self._ended = not self._claimer.may_go_on()
        except SQLAlchemyError:
            _log.exception("The database cannot be used; sending ends")
            self._ended = True
        self._checked_at = time.monotonic()
        return self._ended

    def start(self, numbers: Sequence[int]) -> None:
        self._journal.start([self._given[number] for number in numbers])

    def hold(self, number: int, answer: Answer) -> None:
        self._journal.end(self._given[number], answer)

    def end(self, number: int, answer: Answer) -> None:
        rows = self._given.pop(number)
        self._answers[rows] = answer
        if answer.outcome is Outcome.NOT_TRIED:
            self._ended = True
        self._journal.end(rows, answer)
        if self._ended:
            self._flush()

    def _flush(self) -> None:
        try:
            self._journal.flush()
        except OSError:
            # The answers are kept here, and committed with the others.
            _log.exception("The journal cannot be written")

    def _outcomes(self) -> Outcomes:
        return Outcomes(self._answers, self._unwritable, [rows for rows, _ in self._waiting])

    def _claim(self) -> Later | None:
        """Record the answers and claim the next mails: more at a time as long as they go out quickly."""
        quick = not self._waiting and time.monotonic() - self._claimed_at < _STALE_AFTER / 2
        most = self._claimer.most_at_once
        self._size = min(most, self._size * 2) if quick else min(most, max(_FEWEST, self._size // 2))
        try:
            claimed = self._claimer.record_and_claim(self._outcomes(), self._size)
        except SQLAlchemyError:
            # The answers of mails that are being sent still come; `finish` tries once more to record them.
            _log.exception("The database cannot be used; sending ends")
            self._ended = True
            return None
        self._committed(claimed.tally)
        drafts = [mail.draft for mail in claimed.mails]
        write = self._claimer.writer.write
        self._written = write_all(write, drafts) if self._pool is None else write_ahead(self._pool, write, drafts)
        self._waiting.extend((mail.rows, mail.turn) for mail in claimed.mails)
        self._claimed_at = self._checked_at = time.monotonic()
        self._ended = not drafts if claimed.later is None else self._is_too_far_off(claimed.later)
        try:
            self._journal.begin()
        except OSError:
            # The old journal stays, with the mails that are being sent. Of the mails just claimed none is given out.
            _log.exception("The journal cannot be written; sending ends")
            self._ended = True
        return None if claimed.later is None or self._ended else Later(min(claimed.later.seconds, _ASK_AGAIN))

    def _is_too_far_off(self, later: Later) -> bool:
        return self._patience is not None and later.seconds > self._patience.total_seconds()

    def _committed(self, tally: Counter[DeliveryState]) -> None:
        self.tally += tally
        self._waiting.clear()
        self._answers.clear()
        self._unwritable.clear()

    def finish(self) -> None:
        """Record the last answers, and put back the mails that were not given out."""
        self._committed(self._claimer.record(self._outcomes()))
        self._journal.close()

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
