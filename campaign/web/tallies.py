"""What many posts have in common, counted in memory: many from one network, many at once, many with the same words."""

import hmac
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from limits import RateLimitItem

from campaign.models import SuspicionKind
from campaign.services.suspecting import Suspected
from campaign.tokens import random_bytes, random_name
from campaign.web.disposable_domains import DisposableDomains

# Fewer letters are what many people honestly write: “Solidarity!”.
SHORTEST_WORDS = 20
SAME_WORDS = 5
BURST_FLOOR = 100
BURST_FACTOR = 10
HARD_STOP = 5
LET_IN = 2
_HOUR, _DAY, _MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
_MOST_KEYS = 50_000


def _new_group() -> str:
    return random_name()[:20]


@dataclass
class _Entry:
    """The latest posts with one key: when, and which signature each made, None where it made none."""

    posts: deque[tuple[datetime, int | None]]
    group: str = ""


class Tally:
    """Counts posts by key within ``window``. From number ``most`` + 1 on they are a group with a random name."""

    def __init__(self, most: int, window: timedelta) -> None:
        self._most = most
        self._window = window
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()

    def note(self, key: bytes, signature_id: int | None, now: datetime) -> tuple[str, tuple[int, ...]] | None:
        """Count one more; the group, and the signatures before, where there are too many."""
        entry = self._entries.setdefault(key, _Entry(deque(maxlen=self._most + 1)))
        self._entries.move_to_end(key)
        # A flood of keys costs memory of a bounded size: the one unseen for longest goes.
        if len(self._entries) > _MOST_KEYS:
            self._entries.popitem(last=False)
        entry.posts.append((now, signature_id))
        while entry.posts[0][0] <= now - self._window:
            entry.posts.popleft()
        if len(entry.posts) <= self._most:
            entry.group = ""
            return None
        first = not entry.group
        entry.group = entry.group or _new_group()
        return entry.group, tuple(row for _, row in entry.posts if row is not None) if first else ()

    def count(self, key: bytes, now: datetime) -> int:
        """How many there were within the window, ``most`` + 1 at most."""
        entry = self._entries.get(key)
        return 0 if entry is None else sum(at > now - self._window for at, _ in entry.posts)

    def forget_all(self) -> None:
        self._entries.clear()


@dataclass
class _Minutes:
    """Posts in each of the last sixty minutes and the one that runs."""

    counts: deque[int] = field(default_factory=lambda: deque([0], maxlen=61))
    minute: datetime | None = None

    def add(self, now: datetime) -> None:
        self._advance(now)
        self.counts[-1] += 1

    def in_all(self, now: datetime) -> int:
        """Those of the last hour."""
        self._advance(now)
        return sum(self.counts)

    def _advance(self, now: datetime) -> None:
        minute = now.replace(second=0, microsecond=0)
        passed = 0 if self.minute is None else int((minute - self.minute) / _MINUTE)
        self.counts.extend([0] * min(max(passed, 0), 61))
        self.minute = minute


@dataclass
class _Pace:
    """How fast a petition is signed, and the burst that it is in."""

    minutes: _Minutes = field(default_factory=_Minutes)
    group: str = ""
    seen: datetime | None = None

    def note(self, now: datetime) -> str | None:
        """Count one more; the group of the burst, where this minute is one.

        A burst is a minute with more than 100 posts and more than ten times as many as the average minute of the hour
        before. A shared link swells and carries the average with it; a script begins from nothing.
        """
        self.minutes.add(now)
        *before, this = self.minutes.counts
        if this <= max(BURST_FLOOR, BURST_FACTOR * sum(before) / 60):
            return None
        if self.seen is None or now - self.seen > _HOUR:
            self.group = _new_group()
        self.seen = now
        return self.group


class Watch:
    """All tallies of one web process. They begin anew with it, and each day with another key."""

    def __init__(
        self,
        *,
        quarantine: RateLimitItem | None,
        total: int | None,
        domains: DisposableDomains,
    ) -> None:
        self._lock = threading.Lock()
        self._key = (date.min, b"")
        self._counts_posts = quarantine is not None
        self._sources = Tally(
            quarantine.amount if quarantine else 0,
            timedelta(seconds=quarantine.get_expiry()) if quarantine else _HOUR,
        )
        self._words = Tally(SAME_WORDS - 1, _DAY)
        self._first_comers = Tally(LET_IN, _HOUR)
        self._paces: dict[int, _Pace] = {}
        self._all = _Minutes()
        self._total = total
        self._domains = domains
        self._domain_groups: dict[str, str] = {}

    def look(
        self,
        petition_id: int,
        signature_id: int | None,
        *,
        network: str | None,
        comment: str | None,
        domain: str,
        now: datetime,
    ) -> list[Suspected]:
        """Count a post that was accepted, and say what is suspicious about it.

        ``network`` is the mark of ``SourceLimit``, ``signature_id`` None where the address had signed already.
        """
        found = []
        with self._lock:
            self._change_key(now.date())
            self._all.add(now)
            if network is not None and self._total is not None:
                self._first_comers.note(network.encode(), None, now)
            if self._total is not None and self._all.in_all(now) > HARD_STOP * self._total:
                found.append(Suspected(SuspicionKind.TOTAL, self._group_of("")))
            if self._counts_posts:
                found += self._look_at_crowd(petition_id, signature_id, network, comment, now)
            if (listed := self._domains.find(domain)) is not None:
                found.append(Suspected(SuspicionKind.DOMAIN, self._group_of(listed)))
        return found

    def _look_at_crowd(
        self, petition_id: int, signature_id: int | None, network: str | None, comment: str | None, now: datetime
    ) -> list[Suspected]:
        found = []
        petition = petition_id.to_bytes(8)
        if network is not None and (same := self._sources.note(petition + network.encode(), signature_id, now)):
            found.append(Suspected(SuspicionKind.SOURCE, *same))
        if (burst := self._paces.setdefault(petition_id, _Pace()).note(now)) is not None:
            found.append(Suspected(SuspicionKind.BURST, burst))
        words = normalised(comment or "")
        if len(words) >= SHORTEST_WORDS:
            key = hmac.digest(self._key[1], petition + words.encode(), "sha256")
            if same := self._words.note(key, signature_id, now):
                found.append(Suspected(SuspicionKind.WORDS, *same))
        return found

    def is_busy(self, now: datetime) -> bool:
        """Whether the server was asked for so many mails in the last hour that each costs a challenge now."""
        if self._total is None:
            return False
        with self._lock:
            return self._all.in_all(now) > self._total

    def is_full(self, network: str | None, now: datetime) -> bool:
        """Whether this network must wait, because the server was asked for five times the total.

        Each network's first two posts in an hour pass all the same, so that filling the server up silences nobody.
        """
        if self._total is None or network is None:
            return False
        with self._lock:
            over = self._all.in_all(now) > HARD_STOP * self._total
            return over and self._first_comers.count(network.encode(), now) >= LET_IN

    def _group_of(self, domain: str) -> str:
        return self._domain_groups.setdefault(domain, _new_group())

    def _change_key(self, today: date) -> None:
        if self._key[0] != today:
            self._key = (today, random_bytes(32))
            self._words.forget_all()


def normalised(words: str) -> str:
    """The letters and digits of ``words``, whatever their case and what stands between them."""
    return "".join(letter for letter in words.casefold() if letter.isalnum())
