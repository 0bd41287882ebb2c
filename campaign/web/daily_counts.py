"""Signatures per day, as the organizers' chart and its table show them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

SHOWN = 60


@dataclass(frozen=True)
class Day:
    """One day: how many signatures were confirmed on it, and how many there were at its end."""

    day: date
    confirmed: int
    total: int


def last_days(counted: Iterable[tuple[date, int]], today: date) -> list[Day]:
    """The last ``SHOWN`` days up to ``today``, oldest first; nobody having signed on a day is a number too."""
    counts = dict(counted)
    first = today - timedelta(days=SHOWN - 1)
    total = sum(confirmed for day, confirmed in counts.items() if day < first)
    days = []
    for day in (first + timedelta(days=number) for number in range(SHOWN)):
        confirmed = counts.get(day, 0)
        total += confirmed
        days.append(Day(day, confirmed, total))
    return days
