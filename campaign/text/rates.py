"""So many in a time, as settings say it: ``60/hour``, ``10 per 2 minutes``."""

import re
from dataclasses import dataclass
from datetime import timedelta

_UNITS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}
_WRITTEN = re.compile(rf"(\d{{1,9}})\s*(?:/|\bper\b)\s*(?:(\d{{1,4}})\s*)?({'|'.join(_UNITS)})s?", re.IGNORECASE)
_BETWEEN = re.compile(r"[,;]")


@dataclass(frozen=True)
class Rate:
    """``amount`` at most, in each stretch of time that is ``per`` long."""

    amount: int
    per: timedelta

    @classmethod
    def read(cls, written: str) -> "Rate":
        """One rate. Raises ValueError for what is none, and for none at all in a time."""
        found = _WRITTEN.fullmatch(written.strip())
        if found is None or not int(found[1]) or not int(found[2] or 1):
            raise ValueError("is no rate like 60/hour")
        return cls(int(found[1]), int(found[2] or 1) * _UNITS[found[3].lower()])

    @classmethod
    def read_all(cls, written: str) -> list["Rate"]:
        """Rates between commas or semicolons, all of which hold. Raises ValueError."""
        return [cls.read(part) for part in _BETWEEN.split(written)]
