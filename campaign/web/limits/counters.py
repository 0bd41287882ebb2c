"""Counters of posts in memory: by key within a window, by the minute, and the pace of a petition."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from campaign.crypto.randomness import random_name
from campaign.periods import BURST_FACTOR, BURST_FLOOR

_HOUR, _MINUTE = timedelta(hours=1), timedelta(minutes=1)
_MOST_KEYS = 50_000


def new_group() -> str:
    return random_name()[:20]


@dataclass
class _Entry:
    """The latest posts with one key: the time of each, and the signature that it made, or None."""

    posts: deque[tuple[datetime, int | None]]
    group: str = ""


class Tally:
    """Counts posts by key within ``window``. More than ``most`` posts with one key form a group with a random name."""

    def __init__(self, most: int, window: timedelta) -> None:
        self._most = most
        self._window = window
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()

    def note(self, key: bytes, signature_id: int | None, now: datetime) -> tuple[str, tuple[int, ...]] | None:
        """Count one post. If there are too many: the group, and at its beginning the signatures that belong to it."""
        entry = self._entries.setdefault(key, _Entry(deque(maxlen=self._most + 1)))
        self._entries.move_to_end(key)
        # A flood of keys must not fill the memory: the key unseen for longest is forgotten.
        if len(self._entries) > _MOST_KEYS:
            self._entries.popitem(last=False)
        entry.posts.append((now, signature_id))
        while entry.posts[0][0] <= now - self._window:
            entry.posts.popleft()
        if len(entry.posts) <= self._most:
            entry.group = ""
            return None
        first = not entry.group
        entry.group = entry.group or new_group()
        return entry.group, tuple(row for _, row in entry.posts if row is not None) if first else ()

    def count(self, key: bytes, now: datetime) -> int:
        """The number of posts with ``key`` within the window; at most ``most`` + 1."""
        entry = self._entries.get(key)
        return 0 if entry is None else sum(at > now - self._window for at, _ in entry.posts)

    def forget_all(self) -> None:
        self._entries.clear()


@dataclass
class Minutes:
    """The posts of each of the last sixty minutes and of the current one."""

    counts: deque[int] = field(default_factory=lambda: deque([0], maxlen=61))
    minute: datetime | None = None

    def add(self, now: datetime) -> None:
        self._advance(now)
        self.counts[-1] += 1

    def in_all(self, now: datetime) -> int:
        """The posts of the last hour."""
        self._advance(now)
        return sum(self.counts)

    def _advance(self, now: datetime) -> None:
        minute = now.replace(second=0, microsecond=0)
        passed = 0 if self.minute is None else int((minute - self.minute) / _MINUTE)
        self.counts.extend([0] * min(max(passed, 0), 61))
        self.minute = minute


@dataclass
class Pace:
    """The pace at which a petition is signed, and its current burst."""

    minutes: Minutes = field(default_factory=Minutes)
    group: str = ""
    seen: datetime | None = None

    def note(self, now: datetime) -> str | None:
        """Count one post; the group of the burst if this minute is a burst, else None.

        A burst is a minute with more than 100 posts and more than ten times as many as the average minute of the hour
        before. The posts that come by a shared link grow slowly, so the average grows too; a script starts at once.
        """
        self.minutes.add(now)
        *before, this = self.minutes.counts
        if this <= max(BURST_FLOOR, BURST_FACTOR * sum(before) / 60):
            return None
        if self.seen is None or now - self.seen > _HOUR:
            self.group = new_group()
        self.seen = now
        return self.group
