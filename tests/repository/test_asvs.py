"""The map of the ASVS: each item of levels 1 and 2 once, and nothing in it that does not exist."""

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# The standard's own numbers, each with its level: version 5.0.0, levels 1 and 2.
ITEMS = dict(line.split() for line in (Path(__file__).parent / "asvs-5.0-ids.txt").read_text().splitlines())
MAP = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")] for line in MAP.splitlines() if re.match(r"\|\s*V\d", line)
]
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
_PLACE = re.compile(r"`((?:campaign|docs|tools|tests)/[\w./-]+)`")


def test_each_item_of_levels_1_and_2_is_in_the_map_once_with_its_level() -> None:
    assert len(ITEMS) == 253
    assert [row[:2] for row in ROWS] == [[item, level] for item, level in ITEMS.items()]


def test_each_row_says_what_answers_the_item_or_why_nothing_does() -> None:
    for item, _, asks, control, test in ROWS:
        assert asks, item
        assert len(control.removeprefix("not applicable: ").removeprefix("not met: ")) > 3, item
        assert test == "–" or not _TEST.sub("", test).strip("; "), item
        assert test == "–" or not control.startswith("not applicable"), item


def test_every_module_and_page_that_is_named_exists() -> None:
    named = set(_PLACE.findall(MAP))
    assert len(named) > 50
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_every_test_that_is_named_exists() -> None:
    functions: dict[str, set[str]] = {}

    def has(file: str, name: str) -> bool:
        if file not in functions:
            path = ROOT / file
            tree = ast.parse(path.read_text(encoding="utf-8")) if path.exists() else ast.Module([], [])
            functions[file] = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        return name in functions[file]

    named = _TEST.findall(MAP)
    assert len(named) > 100
    assert sorted({f"{file}::{name}" for file, name in named if not has(file, name)}) == []


def test_the_summary_counts_what_is_there() -> None:
    done = subprocess.run([sys.executable, ROOT / "tools" / "asvs-summary"], capture_output=True, text=True, check=True)
    told = re.match(
        r"(\d+) items mapped: (\d+) met, (\d+) of them shown by a test; (\d+) not applicable; (\d+) not met",
        done.stdout,
    )
    assert told
    mapped, met, automated, not_applicable, not_met = map(int, told.groups())
    assert mapped == len(ITEMS) == met + not_applicable + not_met
    assert 0 < automated <= met
