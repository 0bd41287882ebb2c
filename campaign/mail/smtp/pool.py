"""The connections of one run: they are opened in threads, watched together, and given up when they are spent."""

import select
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from smtplib import SMTPException

from campaign.mail.smtp.behaviour import Behaviour
from campaign.mail.smtp.connection import Connection

_REOPEN_SECONDS = 5.0
# A server that has answered a final dot and says nothing of the envelope behind it will say nothing.
_ENVELOPE_SECONDS = 5.0


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


class ConnectionPool:
    """The open connections, and those that are being opened. ``idle`` has those without a message in flight."""

    def __init__(
        self,
        kept: list[Connection],
        open_connection: Callable[[], "Future[Connection]"],
        limits: Limits,
        behaviour: Behaviour,
    ) -> None:
        self._open = open_connection
        self._limits = limits
        self._behaviour = behaviour
        self._poll = select.poll()
        self._watched: dict[int, Connection] = {}
        self._deadlines: dict[Connection, float] = {}
        self._opening: list[Future[Connection]] = []
        self._open_at = 0.0
        self.idle: set[Connection] = set()
        for connection in kept:
            self._attach(connection)

    def __contains__(self, connection: Connection) -> bool:
        """Whether the connection was not given up."""
        return connection in self._deadlines

    @property
    def opening(self) -> int:
        """The number of connections that are being opened."""
        return len(self._opening)

    @property
    def is_idle(self) -> bool:
        """Whether no message is in flight on any connection."""
        return all(connection.is_idle for connection in self._deadlines)

    @property
    def missing(self) -> int:
        """The number of connections that may be opened now. A server that refuses us is asked over one alone."""
        if time.monotonic() < self._open_at:
            return 0
        most = 1 if self._behaviour.is_refusing_us else self._limits.connections
        return max(0, most - len(self._deadlines) - len(self._opening))

    def open(self) -> None:
        """Begin to open one more connection."""
        self._opening.append(self._open())

    def take_opened(self) -> Exception | None:
        """Take the connections that are open by now. Returns why none could be opened, if there is none left."""
        failed = None
        for future in [future for future in self._opening if future.done()]:
            self._opening.remove(future)
            try:
                self._attach(future.result())
            except (OSError, SMTPException) as error:
                self._open_at = time.monotonic() + _REOPEN_SECONDS
                failed = error
        return failed if not self._deadlines and not self._opening else None

    def _attach(self, connection: Connection) -> None:
        if connection.mail_max is not None:
            self._behaviour.note_limit(connection.mail_max)
        self._poll.register(connection.sock, select.POLLIN)
        self._watched[connection.sock.fileno()] = connection
        self._deadlines[connection] = time.monotonic() + self._limits.silence
        self.idle.add(connection)

    def detach(self, connection: Connection) -> None:
        """Give the connection up; the caller closes it."""
        self._poll.unregister(connection.sock)
        del self._watched[connection.sock.fileno()]
        del self._deadlines[connection]
        self.idle.discard(connection)

    def is_spent(self, connection: Connection) -> bool:
        """Whether the connection is to be replaced before it is given another message."""
        limit = self._behaviour.mails_per_connection
        most = self._limits.messages_per_connection
        return connection.is_spent(most if limit is None else min(most, limit))

    def wait(self, seconds: float) -> list[tuple[Connection, bool]]:
        """The connections that are ready after at most ``seconds``, and whether there is something to read."""
        ready = [
            (self._watched[number], events != select.POLLOUT) for number, events in self._poll.poll(seconds * 1000)
        ]
        deadline = time.monotonic() + self._limits.silence
        for connection, is_readable in ready:
            if is_readable:
                self._deadlines[connection] = deadline
        return ready

    def watch(self, connection: Connection) -> None:
        """Watch what the connection waits for, after it has written."""
        if connection.wants_to_write != connection.polled_for_writing:
            connection.polled_for_writing = connection.wants_to_write
            self._poll.modify(connection.sock, select.POLLIN | (select.POLLOUT if connection.wants_to_write else 0))
        if connection.is_idle:
            self.idle.add(connection)

    def list_silent(self, now: float) -> list[Connection]:
        """The connections whose server owes an answer for too long."""
        silent = []
        for connection, deadline in self._deadlines.items():
            patience = self._limits.silence
            if connection.waits_behind_dot and not self._behaviour.takes_envelope_with_dot:
                patience = min(patience, _ENVELOPE_SECONDS)
            if not connection.is_idle and deadline - self._limits.silence + patience <= now:
                silent.append(connection)
        return silent

    def leave(self) -> list[Connection]:
        """End the run: returns the connections that may be used again, and closes the others."""
        for future in self._opening:
            future.add_done_callback(_discard)
        kept = [connection for connection in self._deadlines if connection.is_idle]
        for connection in self._deadlines:
            if not connection.is_idle:
                connection.sock.close()
        return kept


def _discard(future: "Future[Connection]") -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().sock.close()
