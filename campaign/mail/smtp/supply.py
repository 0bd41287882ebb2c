"""Which message goes next: what was put back goes first, and to one recipient domain only so many at a time."""

import time
from collections import Counter, deque

from campaign.mail.smtp.connection import Item
from campaign.mail.smtp.transport import Answer, Later, Mails

_HELD_MOST = 64


class Supply:
    """The messages of ``mails`` on their way to a connection.

    ``per_domain``: messages under way to one recipient domain, 0 for no bound; those beyond it are held here.
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
        """How many wait here for a connection."""
        return len(self._ready)

    @property
    def is_empty(self) -> bool:
        """Whether no message waits here and none will come."""
        return self._exhausted and not self._ready and not self._held

    def wait(self, now: float, longest: float) -> float:
        """The seconds until there may be a message again, ``longest`` at most."""
        return min(longest, self._ask_at - now) if not self._exhausted and self._ask_at > now else longest

    def next(self) -> Item | None:
        """A message whose domain is not busy: one that waits here, else a new one."""
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
                item = Item(number, message, message.recipient.rpartition("@")[2] if self._per_domain else "")
                if self._may_go(item):
                    return item
                self._held.append(item)
        return None

    def _may_go(self, item: Item) -> bool:
        return not self._per_domain or self._busy[item.domain] < self._per_domain

    def keep(self, item: Item) -> None:
        """Have the message wait for a connection that is being opened."""
        self._ready.append(item)

    def put_back(self, item: Item) -> None:
        """The server has not heard of the message that was under way: it goes first now."""
        self.free(item)
        self._ready.appendleft(item)

    def occupy(self, item: Item) -> None:
        """The message is under way to its domain, until ``free``."""
        if self._per_domain:
            self._busy[item.domain] += 1

    def free(self, item: Item) -> None:
        """It is no longer."""
        if self._per_domain:
            self._busy[item.domain] -= 1
            if not self._busy[item.domain]:
                del self._busy[item.domain]

    def give_up(self, answer: Answer) -> None:
        """End all that wait here."""
        for item in (*self._ready, *self._held):
            self._mails.end(item.number, answer)
        self._ready.clear()
        self._held.clear()
