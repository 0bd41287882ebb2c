"""Every file: no path of somebody's machine, no package index, pinned requirements, a docstring, a telling name."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

_FORBIDDEN = {
    "the path of a developer's machine": re.compile(rb"(?<![\w.~-])/(?:work|root|home|Users|tmp/w)/(?!\{)"),
    "the address of a package index": re.compile(
        rb"\bpyp[i]\.(?:org|python)|\bfiles\.python[h]osted\b|\bregistry\.(?:np[m]js|yarn[p]kg)\b|https?://[^\s'\"]+/simple\b"
    ),
    "an option that chooses a package index": re.compile(rb"--(?:extra-)?index[-]url\b(?<!emit-index-url)"),
    "the lock file of one tool": re.compile(rb"\buv\.lock\b"),
}
_VAGUE = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}


def _files() -> list[Path]:
    """Every file that is tracked, or would be with ``git add``."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def _requirements(path: Path) -> list[str]:
    """The requirements of a file, each with its options on one line."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


MODULES = sorted((ROOT / "campaign").rglob("*.py"))
REQUIREMENTS = sorted(ROOT.glob("requirements*.txt"))


@pytest.mark.parametrize("what", _FORBIDDEN)
def test_no_file_contains(what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.decode(errors='replace').strip()[:120]}"
        for path in _files()
        for number, line in enumerate(path.read_bytes().splitlines(), 1)
        if _FORBIDDEN[what].search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("the path of a developer's machine", b"cd /wo" + b"rk/main && make"),
        ("the path of a developer's machine", b'open("/ho' + b'me/me/x")'),
        ("the address of a package index", b"https://py" + b"pi.org/simple"),
        ("the address of a package index", b"https://files.python" + b"hosted.org/packages"),
        ("an option that chooses a package index", b"--index-" + b"url https://example.org"),
        ("the lock file of one tool", b"uv" + b".lock"),
    ],
)
def test_what_is_forbidden_is_recognised(what: str, line: bytes) -> None:
    assert _FORBIDDEN[what].search(line)


def test_the_repository_has_no_lock_file_of_one_tool() -> None:
    names = {path.name for path in _files()}
    assert "pyproject.toml" in names
    assert {name for name in names if name.endswith(".lock")} == set()


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: str(path.name))
def test_every_requirement_is_one_version_with_hashes(path: Path) -> None:
    """``pip --require-hashes`` then takes exactly the files that were looked at, from whichever index is set."""
    pinned = re.compile(r"^[A-Za-z0-9._-]+(\[[\w,-]+\])?==[\w.!+]+(\s*;[^\\]+?)?(\s+--hash=sha256:[0-9a-f]{64})+$")
    requirements = _requirements(path)
    assert requirements
    assert [line for line in requirements if not pinned.match(line)] == []


def test_there_is_a_requirements_file_for_running_building_and_developing() -> None:
    assert [path.name for path in REQUIREMENTS] == [
        "requirements-build.txt",
        "requirements-dev.txt",
        "requirements.txt",
    ]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_begins_with_a_sentence_on_what_it_is(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    told = ast.get_docstring(ast.parse(source))
    assert told
    assert len(told.split()) > 1
    assert source.startswith('"""')


def test_no_module_has_a_name_that_says_nothing() -> None:
    named = [path for path in _files() if path.suffix == ".py"]
    assert named
    assert [str(path.relative_to(ROOT)) for path in named if _VAGUE & {path.stem, path.parent.name}] == []
