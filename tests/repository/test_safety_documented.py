"""docs/safety.md and accessibility.md promise nothing without a test: each row names one that is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "safety.md"
_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def _rows(heading: str) -> list[list[str]]:
    """The cells of each row of the table below ``heading``, without its head."""
    _, _, below = PAGE.read_text(encoding="utf-8").partition(f"\n## {heading}\n")
    table = below.partition("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


@cache
def _functions(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def _missing(text: str) -> list[str]:
    return [
        f"{path}::{name}"
        for path, name in _NAMED.findall(text)
        if not (ROOT / path).is_file() or name not in _functions(path)
    ]


def test_every_row_of_the_threat_model_has_a_control_a_limit_and_a_test() -> None:
    rows = _rows("Who attacks what")
    assert len(rows) >= 12  # those that the threat model began with
    for row in rows:
        assert len(row) == 5, row
        assert all(row), row
        assert _NAMED.search(row[4]), row


@pytest.mark.parametrize("page", [PAGE, ROOT / "docs" / "accessibility.md"], ids=lambda page: page.name)
def test_every_test_that_the_page_names_is_there(page: Path) -> None:
    assert _missing(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", ["`tests/nowhere.py::test_it`", "`tests/repository/test_safety_documented.py::gone`"])
def test_a_test_that_is_not_there_would_be_noticed(name: str) -> None:
    assert _missing(name) == [name.strip("`")]
