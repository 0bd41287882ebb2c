"""The tests themselves: no test module is imported, and those that a run begins with are there.

What several tests need lies in a scene, in a conftest, or beside them in a module that is no test.
"""

import ast
from pathlib import Path

import pytest

from tests.plugin import LONGEST

ROOT = Path(__file__).parents[2]


def imports_of_tests(source: str) -> list[str]:
    """The test modules that a module imports, wherever in it and in whatever way."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            # `from tests.web import test_x` imports a module, `from tests.scenes.x import test_y` a name in one.
            names += [node.module or "", *(f"{node.module or ''}.{alias.name}" for alias in node.names)]
    return sorted({name for name in names if any(part.startswith("test_") for part in name.split("."))})


def test_no_test_module_is_imported() -> None:
    modules = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "bench").rglob("*.py")]
    assert len(modules) > 200
    found = {str(path.relative_to(ROOT)): imports_of_tests(path.read_text(encoding="utf-8")) for path in modules}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "source",
    [
        "from tests.web.test_pages import read",
        "import tests.web.test_pages as pages",
        "from tests.web import test_pages",
        "from . import test_pages",
        "from .test_pages import read",
        "def late():\n    from tests.web.test_pages import read",
    ],
)
def test_each_way_of_importing_one_is_found(source: str) -> None:
    assert imports_of_tests(source)


def test_what_is_no_test_may_be_imported() -> None:
    assert imports_of_tests("from tests.scenes.people import sign\nfrom tests.conftest import SLUG") == []


def test_what_a_run_begins_with_is_there() -> None:
    assert [module for module in LONGEST if not (ROOT / module).is_file()] == []
