"""Failures counted in memory: of addresses that nobody has, and of browsers that have signed in before."""

from collections import OrderedDict
from datetime import datetime
from hashlib import sha256
from threading import Lock

from campaign.periods import FREE_FAILURES
from campaign.services.organizers.sign_in_throttle import check_wait

_MOST = 10_000


class FailureTally:
    """Counts under any name. The longest unused of ten thousand is forgotten: memory must not be what runs out."""

    def __init__(self) -> None:
        self._counts: OrderedDict[bytes, tuple[int, datetime]] = OrderedDict()
        self._lock = Lock()

    def begin(self, name: str, *, now: datetime) -> None:
        """Count an attempt as for an account: failed, until something else is known. Raises TooSoon."""
        with self._lock:
            key = sha256(name.encode("utf-8", "replace")).digest()
            failures, failed_at = self._counts.pop(key, (0, None))
            if failed_at is not None:
                self._counts[key] = (failures, failed_at)
                check_wait(failures, failed_at, now=now)
            self._counts[key] = (failures + 1, now)
            self._counts.move_to_end(key)
            if len(self._counts) > _MOST:
                self._counts.popitem(last=False)

    def is_worn_out(self, name: str) -> bool:
        """Whether so many failed under this name that it is no sign of its owner any more."""
        with self._lock:
            failures, _ = self._counts.get(sha256(name.encode("utf-8", "replace")).digest(), (0, None))
            return failures >= FREE_FAILURES

    def note(self, name: str, *, now: datetime) -> None:
        """Count a failure, whatever the wait."""
        with self._lock:
            key = sha256(name.encode("utf-8", "replace")).digest()
            failures, _ = self._counts.pop(key, (0, None))
            self._counts[key] = (failures + 1, now)
            if len(self._counts) > _MOST:
                self._counts.popitem(last=False)

    def forget(self, name: str) -> None:
        """It succeeded."""
        with self._lock:
            self._counts.pop(sha256(name.encode("utf-8", "replace")).digest(), None)
