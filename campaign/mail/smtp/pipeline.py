"""Sends many messages over a few connections, and decides the outcome of a message when its connection breaks."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from smtplib import SMTPAuthenticationError, SMTPHeloError

from campaign.mail.smtp.behaviour import Behaviour
from campaign.mail.smtp.connection import Connection
from campaign.mail.smtp.envelope import Next, judge, note_taken, take_recipient_reply, take_sender_reply
from campaign.mail.smtp.held_refusals import HeldRefusals
from campaign.mail.smtp.pool import ConnectionPool, Limits
from campaign.mail.smtp.protocol import CLOSING, ConnectionLost, Item, Reply, read_answer
from campaign.mail.smtp.refusals import Refusal
from campaign.mail.smtp.supply import Supply
from campaign.mail.smtp.transport import Answer, Mails, Outcome

_POLL_SECONDS = 0.02
_SILENCE_CHECK_SECONDS = 0.1
_MAX_BREAKS = 3
_REFUSED = (Outcome.REJECTED, Outcome.DEFERRED)


class Pipeline:
    """One run: it takes messages from ``mails`` until no message is left or the server cannot be used.

    A connection that breaks, or that has worked and takes no further mail, is replaced. The run ends if no connection
    can be opened, if several connections break in a row with nothing accepted in between, if the server says that it is
    closing (421), or if it refuses us. Then every message that was not given to the server ends as not tried.
    """

    def __init__(
        self,
        mails: Mails,
        kept: list[Connection],
        open_connection: Callable[[], "Future[Connection]"],
        limits: Limits,
        behaviour: Behaviour,
    ) -> None:
        self._mails = mails
        self._behaviour = behaviour
        self._pool = ConnectionPool(kept, open_connection, limits, behaviour)
        self._supply = Supply(mails, limits.per_domain)
        self._held = HeldRefusals(mails, behaviour)
        self._silence_check_at = 0.0
        self._to_start: list[tuple[Connection, Item]] = []
        # Why the server can be used no more; messages that were not given to it end so.
        self._unusable: Answer | None = None
        self._works = False
        self._breaks = 0

    def run(self) -> None:
        """Send, until every message that was taken from ``mails`` has its outcome."""
        while True:
            if self._pool.opening and (error := self._pool.take_opened()) is not None:
                self._give_up(_cannot_be_used(type(error).__name__, _judge_error(error)))
            self._assign_messages()
            if self._unusable is not None:
                self._supply.end_all(self._unusable)
            if self._is_done:
                self._held.finish()
                return
            self._wait()

    def leave(self) -> list[Connection]:
        """End the run: returns the connections that may be used again, and closes the others."""
        return self._pool.leave()

    @property
    def _is_done(self) -> bool:
        return (self._unusable is not None or self._supply.is_empty) and self._pool.is_idle

    def _give_up(self, answer: Answer) -> None:
        self._unusable = self._unusable or answer

    def _assign_messages(self) -> None:
        for connection in [*self._pool.idle]:
            if self._pool.is_spent(connection):
                self._pool.detach(connection)
                connection.say_goodbye()
            elif self._behaviour.is_refusing_us and not self._pool.is_idle:
                return  # the answer to the message in flight shows whether the server takes others
            elif (item := self._next_item()) is not None:
                self._assign(connection, item)
                self._flush(connection)
        for _ in range(self._pool.missing):
            if self._supply.ready <= self._pool.opening:
                item = self._next_item()
                if item is None:
                    return
                self._supply.keep(item)
            self._pool.open()

    def _next_item(self) -> Item | None:
        return None if self._unusable is not None else self._supply.next()

    def _assign(self, connection: Connection, item: Item) -> None:
        if connection.can_take(item):
            self._supply.occupy(item)
            connection.queue_envelope(item, data_waits=self._behaviour.refuses_often)
            self._pool.idle.discard(connection)
        else:
            self._mails.end(item.number, Answer(Outcome.REJECTED, "recipient: the mail server has no SMTPUTF8"))

    def _wait(self) -> None:
        longest = _POLL_SECONDS if self._pool.opening else _SILENCE_CHECK_SECONDS
        ready = self._pool.wait(self._supply.wait(time.monotonic(), longest))
        for connection, is_readable in ready:
            if is_readable:
                self._read(connection)
        self._start()
        for connection, _ in ready:
            if connection in self._pool:
                self._flush(connection)
        now = time.monotonic()
        if now < self._silence_check_at:
            return
        self._silence_check_at = now + _SILENCE_CHECK_SECONDS
        self._held.end_old(now)
        for connection in self._pool.list_silent(now):
            if connection.waits_behind_dot:
                self._behaviour.note_silence_behind_dot()
                self._replace(connection)
            else:
                self._lost(connection, "TimeoutError")

    def _read(self, connection: Connection) -> None:
        lost = None
        try:
            connection.read()
        except ConnectionLost as error:
            lost = str(error)
        if lost is None and (usual := connection.usual_replies()) is not None:
            taken, line, following = usual
            note_taken(following, self._behaviour)
            self._behaviour.note_recipient(refused=False)
            self._end(connection, taken, read_answer("message", 250, line))
            following.answered = True
            self._send(connection, following)
            return
        try:
            for kind, item, code, line in connection.replies():
                if code == 250 and kind is Reply.MAIL:
                    item.answered = True
                    note_taken(item, self._behaviour)
                elif code == 250 and kind is Reply.RCPT:
                    item.answered = True
                    self._behaviour.note_recipient(refused=False)
                else:
                    self._take_reply(connection, kind, item, code, line)
                if connection not in self._pool:
                    return
        except ConnectionLost as error:
            lost = str(error)
        if lost is not None:
            self._lost(connection, lost)

    def _start(self) -> None:
        """Record the start of the messages whose content is written next, once for all connections."""
        starting = {connection: item for connection, item in self._to_start if connection in self._pool}
        self._to_start.clear()
        if not starting:
            return
        try:
            self._mails.start([item.number for item in starting.values()])
        except OSError as error:
            for connection in starting:
                self._drop(connection, f"what is sent cannot be noted ({type(error).__name__})")

    def _drop(self, connection: Connection, why: str) -> None:
        """Close the connection before the final dot: the server has no complete message."""
        self._pool.detach(connection)
        connection.sock.close()
        for item in connection.items:
            self._end_lost(item, Answer(Outcome.NOT_TRIED, why))

    def _flush(self, connection: Connection) -> None:
        try:
            connection.flush()
        except ConnectionLost as error:
            self._lost(connection, str(error))
        else:
            self._pool.watch(connection)

    def _take_reply(self, connection: Connection, kind: Reply, item: Item, code: int, line: bytes) -> None:
        following = Next.GO_ON
        if kind is Reply.MAIL:
            following = take_sender_reply(connection, item, code, line, self._behaviour)
        elif kind is Reply.RCPT:
            following = take_recipient_reply(connection, item, code, line, self._behaviour)
        elif kind is Reply.DATA:
            self._take_data_reply(connection, item, code, line)
        elif kind is Reply.DOT:
            judge(item, code, line)
            self._end(connection, item, read_answer("message", code, line))
        elif kind is Reply.EMPTY_DOT:
            assert item.answer is not None  # it holds the reason why nothing was sent
            self._end(connection, item, item.answer)
        if following is Next.REPLACE:
            self._replace(connection)
        elif following is Next.END or code == CLOSING:
            self._lost(connection, "the server is closing")
        elif item.answer is not None and kind in (Reply.MAIL, Reply.RCPT) and connection.cancel(item):
            self._end(connection, item, item.answer)

    def _take_data_reply(self, connection: Connection, item: Item, code: int, line: bytes) -> None:
        if code != 354:
            connection.require_reset()
            if item.answer is None:
                item.answer = read_answer("DATA", code, line)
                judge(item, code, line)
            self._end(connection, item, item.answer)
        elif item.answer is not None:
            connection.queue_empty_dot(item)
        else:
            self._send(connection, item)

    def _send(self, connection: Connection, item: Item) -> None:
        """Queue the content, and the next message's envelope if the server takes it in the same write.

        They are written after the start was recorded.
        """
        item.refusals_before = self._held.count
        connection.queue_content(item)
        self._to_start.append((connection, item))
        behaviour = self._behaviour
        if behaviour.takes_envelope_with_dot is False or behaviour.is_refusing_us or self._pool.is_spent(connection):
            return
        if (following := self._next_item()) is not None:
            self._assign(connection, following)

    def _end(self, connection: Connection, item: Item, answer: Answer) -> None:
        """End a message by its answer. A refusal may be held until it is clear what it means."""
        connection.used = True
        self._supply.free(item)
        if answer.outcome is Outcome.BROKEN_OFF:
            self._give_up(Answer(Outcome.NOT_TRIED, "the mail server is closing"))
        else:
            self._works = True
            self._breaks = 0
        if answer.outcome in _REFUSED:
            self._end_refused(item, answer)
            return
        if answer.outcome is Outcome.ACCEPTED:
            self._held.note_accepted(item)
        self._mails.end(item.number, answer)

    def _end_refused(self, item: Item, answer: Answer) -> None:
        if (blamed := self._held.take(item, answer, time.monotonic())) is not None:
            self._give_up(_refuses_us(blamed))

    def _replace(self, connection: Connection) -> None:
        """Close a connection that takes no further mail. The message that it was given is given to another one."""
        self._pool.detach(connection)
        connection.close()
        for item in connection.items:
            item.renew()
            self._supply.put_back(item)

    def _lost(self, connection: Connection, why: str) -> None:
        """End the messages in flight on a lost connection; those whose envelope got no reply are tried again."""
        self._pool.detach(connection)
        connection.sock.close()
        items = connection.items
        for item in items:
            if connection.is_final_dot_sent(item):
                reason = f"the connection broke before the server's answer ({why})"
                self._end_lost(item, Answer(Outcome.IN_DOUBT, reason))
            elif item.answer is not None and item.answer.outcome in _REFUSED:
                self._supply.free(item)
                self._end_refused(item, item.answer)
            elif item.answer is not None:
                self._end_lost(item, item.answer)
            elif item.answered:
                reason = f"the connection broke before the message was complete ({why})"
                self._end_lost(item, Answer(Outcome.BROKEN_OFF, reason))
            elif connection.used or self._works:
                self._supply.put_back(item)
            else:
                self._end_lost(item, _cannot_be_used(why))
        self._breaks += bool(items)
        if self._breaks >= _MAX_BREAKS:
            self._give_up(_cannot_be_used(why))

    def _end_lost(self, item: Item, answer: Answer) -> None:
        self._supply.free(item)
        if answer.outcome is Outcome.NOT_TRIED:
            self._give_up(answer)
        elif answer.outcome is Outcome.REFUSED_US:
            self._behaviour.is_refusing_us = True
            self._give_up(_refuses_us(answer))
        self._mails.end(item.number, answer)


def _cannot_be_used(why: str, refusal: Refusal | None = None) -> Answer:
    return Answer(Outcome.NOT_TRIED, f"the mail server cannot be used ({why})", refusal)


def _refuses_us(answer: Answer) -> Answer:
    return Answer(Outcome.NOT_TRIED, f"the mail server refuses this server's mails ({answer.reason})", answer.refusal)


def _judge_error(error: Exception) -> Refusal | None:
    """What a refusal before the first message is about; None if the server was not reached."""
    if isinstance(error, SMTPHeloError):
        return Refusal.HELO
    return Refusal.LOGIN if isinstance(error, SMTPAuthenticationError) else None
