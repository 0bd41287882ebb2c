"""The documents name only what is there; decisions are left out, since they name modules as of their day."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_NAMED = re.compile(r"`((?:bench|campaign|docs|migrations|templates|tests|tools)/[\w./-]+)(?:::([\w.]+))?`")


@cache
def _names(path: Path) -> set[str]:
    """The functions and classes of a module, methods as ``Class.method``."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return found


def find_missing(text: str) -> list[str]:
    """What ``text`` names between backticks and is not there."""
    return [
        f"{name}::{function}" if function else name
        for name, function in _NAMED.findall(text)
        if not (ROOT / name).exists() or (function and function not in _names(ROOT / name))
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_only_what_is_there(page: Path) -> None:
    assert find_missing(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "name",
    ["campaign/nowhere.py", "campaign/nowhere.py::go", "campaign/clock.py::gone", "docs/nothing.md", "tools/none"],
)
def test_what_is_not_there_would_be_noticed(name: str) -> None:
    assert find_missing(f"see `{name}`") == [name]
