"""The tools beside the program, which no check of types reads: what they import is where they look for it."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"
IN_PYTHON = sorted(
    path for path in TOOLS.iterdir() if path.read_text(encoding="utf-8").startswith("#!/usr/bin/env python")
)


@pytest.mark.parametrize("tool", IN_PYTHON, ids=lambda tool: tool.name)
def test_what_a_tool_imports_is_there(tool: Path) -> None:
    for node in ast.walk(ast.parse(tool.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            module = import_module(node.module)
            assert [name.name for name in node.names if not hasattr(module, name.name)] == []


def test_there_are_tools_in_python() -> None:
    assert len(IN_PYTHON) > 3
