"""Signatures per day, as charts and their tables show them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

SHOWN = 60


@dataclass(frozen=True)
class Day:
    """One day: the signatures that were confirmed on it, and the total at its end."""

    day: date
    confirmed: int
    total: int


def last_days(counted: Iterable[tuple[date, int]], today: date) -> list[Day]:
    """The last ``SHOWN`` days up to ``today``, oldest first; a day without signatures has a zero."""
    return days_from(counted, today - timedelta(days=SHOWN - 1), today)


def days_from(counted: Iterable[tuple[date, int]], first: date, today: date) -> list[Day]:
    """Each day from ``first`` to ``today``, oldest first."""
    counts = dict(counted)
    total = sum(confirmed for day, confirmed in counts.items() if day < first)
    days = []
    for day in (first + timedelta(days=number) for number in range((today - first).days + 1)):
        confirmed = counts.get(day, 0)
        total += confirmed
        days.append(Day(day, confirmed, total))
    return days


def weeks_before(counted: Iterable[tuple[date, int]], monday: date) -> list[Day]:
    """The weeks before ``monday`` in which somebody signed, each under its Monday, oldest first."""
    counts: Counter[date] = Counter()
    for day, confirmed in counted:
        if day < monday:
            counts[day - timedelta(days=day.weekday())] += confirmed
    total, weeks = 0, []
    for week in sorted(counts):
        total += counts[week]
        weeks.append(Day(week, counts[week], total))
    return weeks
