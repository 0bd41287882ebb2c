"""How many cases of which sink were checked in this run, for the end of pytest's output."""

from collections import Counter
from itertools import chain
from typing import Any


def write_table(reporter: Any) -> None:
    """A line for each sink, with pytest's terminal reporter; nothing where nothing was fuzzed.

    What a test counted comes in its report's properties, which pytest-xdist carries from one process to another.
    """
    counted: Counter[str] = Counter()
    for report in chain.from_iterable(reporter.stats.values()):
        if getattr(report, "when", "") == "teardown":
            for name, found in report.user_properties:
                if name == "fuzzed":
                    counted.update(found)
    if counted:
        reporter.section("Cases of hostile input")
        for sink, cases in sorted(counted.items()):
            reporter.line(f"{cases:8,}  {sink}")
        reporter.line(f"{counted.total():8,}  in all, {min(counted.values()):,} at least")
