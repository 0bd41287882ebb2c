"""The crash and fault matrix as it was found in this run, for the end of pytest's output."""

from collections.abc import Iterable
from typing import Any

from pytest import CollectReport, TestReport  # noqa: PT013 (names of types)

from tests.crash.rows import ARRANGED, FAULTS, KILL_POINTS


def list_lines(reports: Iterable[TestReport | CollectReport]) -> list[str]:
    """A line for each kill point, then for each fault; nothing where no test of the matrix ran.

    What a test found comes in its report's properties, which pytest-xdist carries from one process to another.
    """
    kills: dict[str, list[dict[str, int]]] = {}
    faults: dict[str, set[str]] = {}
    for report in reports:
        for name, found in getattr(report, "user_properties", []):
            if name == "kill":
                kills.setdefault(found["point"], []).append(found)
            elif name == "fault":
                faults.setdefault(found["name"], set()).add(f"{found['after']} → {found['end']}")
    return [*_list_kills(kills), *_list_faults(faults)]


def _list_kills(kills: dict[str, list[dict[str, int]]]) -> list[str]:
    if not kills:
        return []
    lines = [f"{'killed':16}{'runs':>6}{'twice':>7}{'lost':>6}{'in doubt at most':>18}{'connections':>13}"]
    for point, runs in sorted(kills.items(), key=lambda kill: list(KILL_POINTS).index(kill[0])):
        twice, lost = (sum(run[what] for run in runs) for what in ("twice", "lost"))
        most, connections = (max(run[what] for run in runs) for what in ("in_doubt", "connections"))
        lines.append(f"{point:16}{len(runs):6}{twice:7}{lost:6}{most:18}{connections:13}")
    return [*lines, ""]


def _list_faults(faults: dict[str, set[str]]) -> list[str]:
    names = [fault.name for fault in (*FAULTS, *ARRANGED)]
    return [f"{name:50}{' | '.join(sorted(faults[name]))}" for name in names if name in faults]


def write_table(reporter: Any) -> None:
    """Print it with pytest's terminal reporter."""
    reports = [report for kind in ("passed", "failed") for report in reporter.stats.get(kind, [])]
    lines = list_lines(report for report in reports if report.when == "call")
    if lines:
        reporter.section("Crash and fault matrix")
        for line in lines:
            reporter.line(line)
