"""Chooses the next message: first those that were put back, and only a limited number at a time to one domain."""

import time
from collections import Counter, deque

from campaign.mail.smtp.protocol import Item
from campaign.mail.smtp.transport import Answer, Later, Mails

_MAX_HELD = 64


class Supply:
    """The messages of ``mails`` that wait for a connection.

    ``per_domain``: messages in flight to one recipient domain, 0 for no limit; messages beyond the limit wait here.
    """

    def __init__(self, mails: Mails, per_domain: int) -> None:
        self._mails = mails
        self._per_domain = per_domain
        self._ready: deque[Item] = deque()
        self._held: deque[Item] = deque()
        self._busy: Counter[str] = Counter()
        self._ask_at = 0.0
        self._exhausted = False

    @property
    def ready(self) -> int:
        """The number of messages that wait for a connection."""
        return len(self._ready)

    @property
    def is_empty(self) -> bool:
        """Whether no message waits here and none will come."""
        return self._exhausted and not self._ready and not self._held

    def wait(self, now: float, longest: float) -> float:
        """The seconds until there may be a message again, at most ``longest``."""
        return min(longest, self._ask_at - now) if not self._exhausted and self._ask_at > now else longest

    def next(self) -> Item | None:
        """A message to a domain below its limit: one that waits here, otherwise a new one; None if there is none."""
        for waiting in (self._held, self._ready):
            for item in waiting:
                if self._may_go(item):
                    waiting.remove(item)
                    return item
        while not self._exhausted and len(self._held) < _MAX_HELD and time.monotonic() >= self._ask_at:
            given = self._mails.next()
            if given is None:
                self._exhausted = True
            elif isinstance(given, Later):
                self._ask_at = time.monotonic() + given.seconds
            else:
                number, message = given
                item = Item(number, message, message.recipient.rpartition("@")[2] if self._per_domain else "")
                if self._may_go(item):
                    return item
                self._held.append(item)
        return None

    def _may_go(self, item: Item) -> bool:
        return not self._per_domain or self._busy[item.domain] < self._per_domain

    def keep(self, item: Item) -> None:
        """Let the message wait for a connection that is being opened."""
        self._ready.append(item)

    def put_back(self, item: Item) -> None:
        """Put a message first in the queue again, because the server has not seen it."""
        self.free(item)
        self._ready.appendleft(item)

    def occupy(self, item: Item) -> None:
        """Count one message in flight to the domain."""
        if self._per_domain:
            self._busy[item.domain] += 1

    def free(self, item: Item) -> None:
        """Count one message in flight less."""
        if self._per_domain:
            self._busy[item.domain] -= 1
            if not self._busy[item.domain]:
                del self._busy[item.domain]

    def end_all(self, answer: Answer) -> None:
        """End every message that waits here."""
        for item in (*self._ready, *self._held):
            self._mails.end(item.number, answer)
        self._ready.clear()
        self._held.clear()
