"""The tools in Python beside the program: mypy reads each of them, so that a changed service is noticed there too."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_mypy_reads_each_tool_in_python() -> None:
    in_python = {
        f"tools/{path.name}"
        for path in (ROOT / "tools").iterdir()
        if path.is_file() and path.read_text(encoding="utf-8").startswith("#!/usr/bin/env python")
    }
    read = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]["files"]
    assert len(in_python) > 3
    assert in_python == {file for file in read if file.startswith("tools/")}
