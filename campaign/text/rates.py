"""Rates, a count in a stretch of time, as settings write them: ``60/hour``, ``10 per 2 minutes``."""

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
    """At most ``amount`` in each stretch of time of the length ``per``."""

    amount: int
    per: timedelta

    @classmethod
    def read(cls, written: str) -> "Rate":
        """Read one rate. Raises ValueError if the text is no rate, or if its count or its time is zero."""
        found = _WRITTEN.fullmatch(written.strip())
        if found is None or not int(found[1]) or not int(found[2] or 1):
            raise ValueError("is no rate like 60/hour")
        return cls(int(found[1]), int(found[2] or 1) * _UNITS[found[3].lower()])

    @classmethod
    def read_all(cls, written: str) -> list["Rate"]:
        """Read rates that are separated by commas or semicolons. All of them hold. Raises ValueError like ``read``."""
        return [cls.read(part) for part in _BETWEEN.split(written)]
