"""Many messages over a few connections: who sends what next, and what becomes of it when a connection breaks."""

import selectors
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from smtplib import SMTPException

from campaign.mail.connection import CLOSING, Connection, ConnectionLost, Item, Reply, read_answer
from campaign.mail.transport import Answer, Later, Mails, Outcome

_LOOK_AGAIN = 0.02
_LONGEST_WAIT = 0.5
_OPEN_AGAIN_AFTER = 5.0
_HELD_MOST = 64
_BREAKS_MOST = 3


@dataclass(frozen=True)
class Limits:
    """``silence`` in seconds; ``per_domain``: messages under way to one recipient domain, 0 for no bound."""

    silence: float
    connections: int = 1
    messages_per_connection: int = 500
    per_domain: int = 0


class Pipeline:
    """One run: takes messages from ``mails`` until there is no more or the server cannot be used.

    A connection that breaks is replaced. The run ends where none can be opened, where several break in a row with
    nothing accepted in between, where the server says that it closes (421) or refuses the sender: all that was not
    given to the server then ends as not tried.
    """

    def __init__(
        self, mails: Mails, kept: list[Connection], open_connection: Callable[[], "Future[Connection]"], limits: Limits
    ) -> None:
        self._mails = mails
        self._open = open_connection
        self._limits = limits
        self._selector = selectors.DefaultSelector()
        self._deadlines: dict[Connection, float] = {}
        self._opening: list[Future[Connection]] = []
        self._ready: deque[Item] = deque()
        self._held: deque[Item] = deque()
        self._busy: Counter[str] = Counter()
        self._ask_at = 0.0
        self._open_at = 0.0
        self._exhausted = False
        self._unusable: str | None = None
        self._breaks = 0
        for connection in kept:
            self._join(connection)

    def run(self) -> None:
        """Until every message that was taken has its end."""
        while True:
            self._take_opened()
            self._hand_out()
            if self._unusable is not None:
                self._give_up()
            if self._is_done:
                return
            self._wait()

    def leave(self) -> list[Connection]:
        """The connections that may be used again; the others are closed."""
        for future in self._opening:
            future.add_done_callback(_discard)
        kept = [connection for connection in self._deadlines if connection.is_idle]
        for connection in self._deadlines:
            if not connection.is_idle:
                connection.sock.close()
        self._selector.close()
        return kept

    @property
    def _is_done(self) -> bool:
        nothing_left = not self._ready and not self._held and (self._exhausted or self._unusable is not None)
        return nothing_left and all(connection.is_idle for connection in self._deadlines)

    def _join(self, connection: Connection) -> None:
        self._selector.register(connection.sock, selectors.EVENT_READ, connection)
        self._deadlines[connection] = time.monotonic() + self._limits.silence

    def _part(self, connection: Connection) -> None:
        self._selector.unregister(connection.sock)
        del self._deadlines[connection]

    def _take_opened(self) -> None:
        for future in [future for future in self._opening if future.done()]:
            self._opening.remove(future)
            try:
                self._join(future.result())
            except (OSError, SMTPException) as error:
                self._open_at = time.monotonic() + _OPEN_AGAIN_AFTER
                if not self._deadlines and not self._opening:
                    self._unusable = f"the mail server cannot be used ({type(error).__name__})"

    def _hand_out(self) -> None:
        for connection in list(self._deadlines):
            if connection.is_idle:
                if connection.handed >= self._limits.messages_per_connection:
                    self._part(connection)
                    connection.say_goodbye()
                elif (item := self._next_item()) is not None:
                    self._assign(connection, item)
                    self._flush(connection)
        if time.monotonic() < self._open_at:
            return
        while len(self._deadlines) + len(self._opening) < self._limits.connections:
            if len(self._ready) <= len(self._opening):
                item = self._next_item()
                if item is None:
                    return
                self._ready.append(item)
            self._opening.append(self._open())

    def _next_item(self) -> Item | None:
        """A message whose domain is not busy: one that waits here, else a new one."""
        if self._unusable is not None:
            return None
        for waiting in (self._held, self._ready):
            for item in waiting:
                if self._may_go(item):
                    waiting.remove(item)
                    return item
        while not self._exhausted and len(self._held) < _HELD_MOST and time.monotonic() >= self._ask_at:
            given = self._mails.next()
            if given is None:
                self._exhausted = True
            elif isinstance(given, Later):
                self._ask_at = time.monotonic() + given.seconds
            else:
                number, message = given
                item = Item(number, message, message.recipient.rpartition("@")[2])
                if self._may_go(item):
                    return item
                self._held.append(item)
        return None

    def _may_go(self, item: Item) -> bool:
        return not self._limits.per_domain or self._busy[item.domain] < self._limits.per_domain

    def _assign(self, connection: Connection, item: Item) -> None:
        if connection.can_take(item):
            self._busy[item.domain] += 1
            connection.envelope(item)
        else:
            self._mails.end(item.number, Answer(Outcome.REJECTED, "recipient: the mail server has no SMTPUTF8"))

    def _wait(self) -> None:
        now = time.monotonic()
        until = [now + (_LOOK_AGAIN if self._opening else _LONGEST_WAIT)]
        until += [deadline for connection, deadline in self._deadlines.items() if not connection.is_idle]
        if not self._exhausted and self._ask_at > now:
            until.append(self._ask_at)
        for key, events in self._selector.select(max(0.0, min(until) - now)):
            connection: Connection = key.data
            if events & selectors.EVENT_WRITE:
                self._flush(connection)
            if events & selectors.EVENT_READ and connection in self._deadlines:
                self._read(connection)
        now = time.monotonic()
        for connection, deadline in list(self._deadlines.items()):
            if deadline <= now and not connection.is_idle:
                self._lost(connection, "TimeoutError")

    def _read(self, connection: Connection) -> None:
        lost = None
        try:
            connection.read()
        except ConnectionLost as error:
            lost = str(error)
        try:
            self._deadlines[connection] = time.monotonic() + self._limits.silence
            for kind, item, code, text in connection.replies():
                if code == 250 and (kind is Reply.MAIL or kind is Reply.RCPT):
                    item.answered = True
                    continue
                self._take_reply(connection, kind, item, code, text)
                if connection not in self._deadlines:
                    return
        except ConnectionLost as error:
            lost = str(error)
        if lost is not None:
            self._lost(connection, lost)
        else:
            self._flush(connection)

    def _flush(self, connection: Connection) -> None:
        try:
            connection.flush()
        except ConnectionLost as error:
            self._lost(connection, str(error))
            return
        if connection.wants_to_write != connection.watched_for_room:
            connection.watched_for_room = connection.wants_to_write
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.wants_to_write else 0)
            self._selector.modify(connection.sock, events, connection)

    def _take_reply(self, connection: Connection, kind: Reply, item: Item, code: int, text: bytes) -> None:
        if kind is Reply.MAIL:
            self._take_sender_reply(connection, item, code, text)
        elif kind is Reply.RCPT:
            if item.answer is None and code not in (250, 251):
                item.answer = read_answer("recipient", code, text)
        elif kind is Reply.DATA:
            self._take_data_reply(connection, item, code, text)
        elif kind is Reply.DOT:
            self._end(connection, item, read_answer("message", code, text))
        elif kind is Reply.EMPTY_DOT:
            assert item.answer is not None  # it is why nothing was sent
            self._end(connection, item, item.answer)
        if code == CLOSING:
            self._lost(connection, "the server is closing")
        elif item.answer is not None and kind in (Reply.MAIL, Reply.RCPT) and connection.cancel(item):
            self._end(connection, item, item.answer)

    @staticmethod
    def _take_sender_reply(connection: Connection, item: Item, code: int, text: bytes) -> None:
        if code == CLOSING and connection.used:
            return  # it has had enough of this connection, not of this message
        item.answered = True
        if code != 250:
            # A refused sender is our trouble with our server: it concerns every mail, and ends none.
            item.answer = Answer(Outcome.NOT_TRIED, read_answer("sender", code, text).reason)

    def _take_data_reply(self, connection: Connection, item: Item, code: int, text: bytes) -> None:
        if code != 354:
            connection.needs_reset()
            self._end(connection, item, item.answer or read_answer("DATA", code, text))
        elif item.answer is not None:
            connection.nothing(item)
        else:
            try:
                self._mails.start(item.number)
            except OSError as error:
                reason = f"the journal cannot be written ({type(error).__name__})"
                self._end(connection, item, Answer(Outcome.NOT_TRIED, reason))
                self._lost(connection, reason)  # nothing but hanging up takes a DATA back
                return
            connection.content(item)
            following = self._next_item() if connection.handed < self._limits.messages_per_connection else None
            if following is not None:
                self._assign(connection, following)

    def _end(self, connection: Connection, item: Item, answer: Answer) -> None:
        connection.used = True
        self._busy[item.domain] -= 1
        if answer.outcome is Outcome.NOT_TRIED:
            self._unusable = answer.reason
        elif answer.outcome is Outcome.BROKEN_OFF:
            self._unusable = "the mail server is closing"
        elif answer.outcome is not Outcome.IN_DOUBT:
            self._breaks = 0
        self._mails.end(item.number, answer)

    def _lost(self, connection: Connection, why: str) -> None:
        """End what was under way on a connection that is gone; what the server has not spoken of is tried again."""
        self._part(connection)
        connection.sock.close()
        items = connection.items
        for item in items:
            if connection.is_dotted(item):
                reason = f"the connection broke before the server's answer ({why})"
                self._end_lost(item, Answer(Outcome.IN_DOUBT, reason))
            elif item.answer is not None:
                self._end_lost(item, item.answer)
            elif item.answered:
                reason = f"the connection broke before the message was complete ({why})"
                self._end_lost(item, Answer(Outcome.BROKEN_OFF, reason))
            elif connection.used:
                self._busy[item.domain] -= 1
                self._ready.appendleft(item)
            else:
                self._end_lost(item, Answer(Outcome.NOT_TRIED, f"the mail server cannot be used ({why})"))
        self._breaks += bool(items)
        if self._breaks >= _BREAKS_MOST:
            self._unusable = f"the mail server cannot be used ({why})"

    def _end_lost(self, item: Item, answer: Answer) -> None:
        self._busy[item.domain] -= 1
        if answer.outcome is Outcome.NOT_TRIED:
            self._unusable = answer.reason
        self._mails.end(item.number, answer)

    def _give_up(self) -> None:
        for item in (*self._ready, *self._held):
            self._mails.end(item.number, Answer(Outcome.NOT_TRIED, self._unusable or ""))
        self._ready.clear()
        self._held.clear()


def _discard(future: "Future[Connection]") -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().sock.close()
