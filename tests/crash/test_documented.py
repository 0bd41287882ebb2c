"""docs/mail.md tells of every row of the matrix, as it is specified here, and of no other."""

from tests.crash.kills import KILLS
from tests.crash.rows import ARRANGED, FAULTS, KILL_POINTS
from tests.crash.workers import ROOT


def test_the_matrix_stands_in_the_documents() -> None:
    _, _, section = (ROOT / "docs" / "mail.md").read_text(encoding="utf-8").partition("## How it was shown")
    lines = section.partition("\n## ")[0].splitlines()
    told = [line for line in lines if line.startswith("| ") and not line.startswith(("| killed |", "| fault |"))]
    kills = [f"| {point} | {when} |" for point, when in KILL_POINTS.items()]
    faults = [f"| {fault.name} | {fault.after} | {fault.end} |" for fault in (*FAULTS, *ARRANGED)]
    assert told == kills + faults
    assert list(KILLS) == list(KILL_POINTS)
