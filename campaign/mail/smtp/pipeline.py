"""Sends many messages over a few connections, and decides the outcome of a message when its connection breaks."""

import select
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from smtplib import SMTPException

from campaign.mail.smtp.behaviour import Behaviour
from campaign.mail.smtp.connection import CLOSING, Connection, ConnectionLost, Item, Reply, read_answer
from campaign.mail.smtp.held_refusals import HeldRefusals, refuse_us
from campaign.mail.smtp.refusals import Refusal, is_enough_for_connection, judge_refusal, judge_sender_refusal
from campaign.mail.smtp.supply import Supply
from campaign.mail.smtp.transport import Answer, Mails, Outcome

_POLL_SECONDS = 0.02
_SILENCE_CHECK_SECONDS = 0.1
_REOPEN_SECONDS = 5.0
# A server that has answered a final dot and says nothing of the envelope behind it will say nothing.
_ENVELOPE_SECONDS = 5.0
_MAX_BREAKS = 3


@dataclass(frozen=True)
class Limits:
    """Limits of one run.

    ``silence``: seconds without a reply after which a connection counts as lost; ``per_domain``: messages in flight to
    one recipient domain, 0 for no limit.
    """

    silence: float
    connections: int = 1
    messages_per_connection: int = 500
    per_domain: int = 0


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
        self._held = HeldRefusals(mails, behaviour)
        self._supply = Supply(mails, limits.per_domain)
        self._open = open_connection
        self._limits = limits
        self._poll = select.poll()
        self._watched: dict[int, Connection] = {}
        self._idle: set[Connection] = set()
        self._deadlines: dict[Connection, float] = {}
        self._opening: list[Future[Connection]] = []
        self._open_at = 0.0
        self._silence_check_at = 0.0
        self._to_start: list[tuple[Connection, Item]] = []
        self._unusable: str | None = None
        self._works = False
        self._breaks = 0
        for connection in kept:
            self._attach(connection)

    def run(self) -> None:
        """Send, until every message that was taken from ``mails`` has its outcome."""
        while True:
            if self._opening:
                self._attach_opened()
            self._assign_messages()
            if self._unusable is not None:
                self._supply.end_all(Answer(Outcome.NOT_TRIED, self._unusable))
            if self._is_done:
                self._held.finish()
                return
            self._wait()

    def leave(self) -> list[Connection]:
        """End the run: returns the connections that may be used again, and closes the others."""
        for future in self._opening:
            future.add_done_callback(_discard)
        kept = [connection for connection in self._deadlines if connection.is_idle]
        for connection in self._deadlines:
            if not connection.is_idle:
                connection.sock.close()
        return kept

    @property
    def _is_done(self) -> bool:
        nothing_left = self._unusable is not None or self._supply.is_empty
        return nothing_left and all(connection.is_idle for connection in self._deadlines)

    @property
    def _most(self) -> int:
        """The number of messages that a connection carries."""
        return min(self._limits.messages_per_connection, self._behaviour.mails_per_connection or 1 << 30)

    def _attach(self, connection: Connection) -> None:
        if connection.mail_max is not None:
            self._behaviour.note_limit(connection.mail_max)
        self._poll.register(connection.sock, select.POLLIN)
        self._watched[connection.sock.fileno()] = connection
        self._deadlines[connection] = time.monotonic() + self._limits.silence
        self._idle.add(connection)

    def _detach(self, connection: Connection) -> None:
        self._poll.unregister(connection.sock)
        del self._watched[connection.sock.fileno()]
        del self._deadlines[connection]
        self._idle.discard(connection)

    def _attach_opened(self) -> None:
        for future in [future for future in self._opening if future.done()]:
            self._opening.remove(future)
            try:
                self._attach(future.result())
            except (OSError, SMTPException) as error:
                self._open_at = time.monotonic() + _REOPEN_SECONDS
                if not self._deadlines and not self._opening:
                    self._unusable = f"the mail server cannot be used ({type(error).__name__})"

    def _assign_messages(self) -> None:
        doubted = self._behaviour.is_refusing_us
        for connection in [*self._idle]:
            if connection.is_spent(self._most):
                self._detach(connection)
                connection.say_goodbye()
            elif doubted and len(self._idle) < len(self._deadlines):
                return  # one message is in flight; its answer shows whether the server takes others
            elif (item := self._next_item()) is not None:
                self._assign(connection, item)
                self._flush(connection)
        missing = (1 if doubted else self._limits.connections) - len(self._deadlines) - len(self._opening)
        if missing <= 0 or time.monotonic() < self._open_at:
            return
        for _ in range(missing):
            if self._supply.ready <= len(self._opening):
                item = self._next_item()
                if item is None:
                    return
                self._supply.keep(item)
            self._opening.append(self._open())

    def _next_item(self) -> Item | None:
        return None if self._unusable is not None else self._supply.next()

    def _assign(self, connection: Connection, item: Item) -> None:
        if connection.can_take(item):
            self._supply.occupy(item)
            connection.queue_envelope(item, data_waits=self._behaviour.refuses_often)
            self._idle.discard(connection)
        else:
            self._mails.end(item.number, Answer(Outcome.REJECTED, "recipient: the mail server has no SMTPUTF8"))

    def _wait(self) -> None:
        now = time.monotonic()
        wait = self._supply.wait(now, _POLL_SECONDS if self._opening else _SILENCE_CHECK_SECONDS)
        ready = [(self._watched[number], events) for number, events in self._poll.poll(wait * 1000)]
        now = time.monotonic()
        for connection, events in ready:
            if events != select.POLLOUT:
                self._deadlines[connection] = now + self._limits.silence
                self._read(connection)
        self._start()
        for connection, _ in ready:
            if connection in self._deadlines:
                self._flush(connection)
        if now < self._silence_check_at:
            return
        self._silence_check_at = now + _SILENCE_CHECK_SECONDS
        self._held.end_old(now)
        for connection, deadline in list(self._deadlines.items()):
            if connection.is_idle:
                continue
            if connection.waits_behind_dot and deadline - self._limits.silence + self._envelope_patience <= now:
                # The server drops what comes behind a dot, as Courier does. If that was seen otherwise before, another
                # server may have taken the place of that one.
                self._behaviour.takes_envelope_with_dot = None if self._behaviour.takes_envelope_with_dot else False
                self._replace(connection)
            elif deadline <= now:
                self._lost(connection, "TimeoutError")

    @property
    def _envelope_patience(self) -> float:
        silence = self._limits.silence
        return silence if self._behaviour.takes_envelope_with_dot else min(_ENVELOPE_SECONDS, silence)

    def _read(self, connection: Connection) -> None:
        lost = None
        try:
            connection.read()
        except ConnectionLost as error:
            lost = str(error)
        if lost is None and (usual := connection.usual_replies()) is not None:
            taken, line, following = usual
            self._note_envelope(following)
            self._behaviour.note_recipient(refused=False)
            self._end(connection, taken, read_answer("message", 250, line))
            following.answered = True
            self._send(connection, following)
            return
        try:
            for kind, item, code, line in connection.replies():
                if code == 250 and (kind is Reply.MAIL or kind is Reply.RCPT):
                    item.answered = True
                    if kind is Reply.MAIL:
                        self._note_envelope(item)
                    else:
                        self._behaviour.note_recipient(refused=False)
                    continue
                self._take_reply(connection, kind, item, code, line)
                if connection not in self._deadlines:
                    return
        except ConnectionLost as error:
            lost = str(error)
        if lost is not None:
            self._lost(connection, lost)

    def _start(self) -> None:
        """Record the start of the messages whose content is written next, once for all connections."""
        starting = {connection: item for connection, item in self._to_start if connection in self._deadlines}
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
        self._detach(connection)
        connection.sock.close()
        for item in connection.items:
            self._end_lost(item, Answer(Outcome.NOT_TRIED, why))

    def _flush(self, connection: Connection) -> None:
        try:
            connection.flush()
        except ConnectionLost as error:
            self._lost(connection, str(error))
            return
        if connection.wants_to_write != connection.polled_for_writing:
            connection.polled_for_writing = connection.wants_to_write
            self._poll.modify(connection.sock, select.POLLIN | (select.POLLOUT if connection.wants_to_write else 0))
        if connection.is_idle:
            self._idle.add(connection)

    def _note_envelope(self, item: Item) -> None:
        """Learn that the server takes an envelope that was sent with a final dot."""
        if item.behind_dot:
            self._behaviour.takes_envelope_with_dot = True

    def _take_reply(self, connection: Connection, kind: Reply, item: Item, code: int, line: bytes) -> None:
        if kind is Reply.MAIL:
            self._take_sender_reply(connection, item, code, line)
        elif kind is Reply.RCPT:
            self._take_recipient_reply(connection, item, code, line)
        elif kind is Reply.DATA:
            self._take_data_reply(connection, item, code, line)
        elif kind is Reply.DOT:
            self._judge(item, code, line)
            self._end(connection, item, read_answer("message", code, line))
        elif kind is Reply.EMPTY_DOT:
            assert item.answer is not None  # it holds the reason why nothing was sent
            self._end(connection, item, item.answer)
        if connection not in self._deadlines:
            return
        if code == CLOSING:
            self._lost(connection, "the server is closing")
        elif item.answer is not None and kind in (Reply.MAIL, Reply.RCPT) and connection.cancel(item):
            self._end(connection, item, item.answer)

    def _take_sender_reply(self, connection: Connection, item: Item, code: int, line: bytes) -> None:
        if code == CLOSING and connection.used:
            return  # the server closes the connection after many messages; it does not refuse this one
        item.answered = True
        if code == 250:
            return
        answer, refusal = read_answer("sender", code, line), judge_sender_refusal(code, _text(line))
        if refusal is Refusal.UNCLEAR:
            item.answer, item.refusal = answer, refusal
        elif connection.used:
            self._learn(connection, item, refusal, line)
            self._replace(connection)
        else:
            # It concerns every mail, so it is final for none. The connection is not used again.
            is_closing = answer.outcome is Outcome.BROKEN_OFF
            item.answer = Answer(Outcome.NOT_TRIED, answer.reason) if is_closing else refuse_us(refusal, answer.reason)
            self._lost(connection, answer.reason)

    def _learn(self, connection: Connection, item: Item, refusal: Refusal, line: bytes) -> None:
        """Learn from the refusal of an envelope on a connection that has worked."""
        if item.behind_dot and refusal is Refusal.PROTOCOL:
            self._behaviour.takes_envelope_with_dot = False
        elif is_enough_for_connection(_text(line)):
            self._behaviour.note_limit(connection.envelopes - 1)

    def _take_recipient_reply(self, connection: Connection, item: Item, code: int, line: bytes) -> None:
        if code in (250, 251) or item.answer is not None:
            return
        if connection.used and code != CLOSING and is_enough_for_connection(_text(line)):
            self._learn(connection, item, Refusal.UNCLEAR, line)
            self._replace(connection)
            return
        self._behaviour.note_recipient(refused=True)
        item.answer = read_answer("recipient", code, line)
        self._judge(item, code, line)

    @staticmethod
    def _judge(item: Item, code: int, line: bytes) -> None:
        if code >= 400:
            item.refusal = judge_refusal(code, _text(line))

    def _take_data_reply(self, connection: Connection, item: Item, code: int, line: bytes) -> None:
        if code != 354:
            connection.require_reset()
            if item.answer is None:
                self._judge(item, code, line)
            self._end(connection, item, item.answer or read_answer("DATA", code, line))
        elif item.answer is not None:
            connection.queue_empty_dot(item)
        else:
            self._send(connection, item)

    def _send(self, connection: Connection, item: Item) -> None:
        """Queue the content and the next message's envelope; they are written after the start was recorded."""
        connection.queue_content(item)
        self._to_start.append((connection, item))
        behaviour = self._behaviour
        if behaviour.takes_envelope_with_dot is False or behaviour.is_refusing_us or connection.is_spent(self._most):
            return
        if (following := self._next_item()) is not None:
            self._assign(connection, following)

    def _end(self, connection: Connection, item: Item, answer: Answer) -> None:
        """End a message by its answer. What was refused may be held until it is clear what that means."""
        connection.used = True
        self._supply.free(item)
        outcome = answer.outcome
        if outcome is Outcome.BROKEN_OFF:
            self._unusable = "the mail server is closing"
        else:
            self._works = True
            self._breaks = 0
        if outcome is Outcome.ACCEPTED:
            self._held.note_accepted()
        elif outcome in (Outcome.REJECTED, Outcome.DEFERRED):
            self._end_refused(item, answer)
            return
        self._mails.end(item.number, answer)

    def _end_refused(self, item: Item, answer: Answer) -> None:
        if (blamed := self._held.take(item, answer, item.refusal, time.monotonic())) is not None:
            self._unusable = self._unusable or f"the mail server refuses this server's mails ({blamed.reason})"

    def _replace(self, connection: Connection) -> None:
        """Close a connection that takes no further mail. What it was given is given to another one."""
        self._detach(connection)
        connection.close()
        for item in connection.items:
            item.renew()
            self._supply.put_back(item)

    def _lost(self, connection: Connection, why: str) -> None:
        """End the messages in flight on a lost connection; those whose envelope got no reply are tried again."""
        self._detach(connection)
        connection.sock.close()
        items = connection.items
        for item in items:
            if connection.is_final_dot_sent(item):
                reason = f"the connection broke before the server's answer ({why})"
                self._end_lost(item, Answer(Outcome.IN_DOUBT, reason))
            elif item.answer is not None and item.answer.outcome in (Outcome.REJECTED, Outcome.DEFERRED):
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
                self._end_lost(item, Answer(Outcome.NOT_TRIED, f"the mail server cannot be used ({why})"))
        self._breaks += bool(items)
        if self._breaks >= _MAX_BREAKS:
            self._unusable = f"the mail server cannot be used ({why})"

    def _end_lost(self, item: Item, answer: Answer) -> None:
        self._supply.free(item)
        if answer.outcome is Outcome.NOT_TRIED:
            self._unusable = answer.reason
        elif answer.outcome is Outcome.REFUSED_US:
            self._behaviour.is_refusing_us = True
            self._unusable = f"the mail server refuses this server's mails ({answer.reason})"
        self._mails.end(item.number, answer)


def _text(line: bytes) -> str:
    return line[4:].decode("utf-8", "replace").strip()


def _discard(future: "Future[Connection]") -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().sock.close()
