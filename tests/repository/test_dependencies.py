"""What we stand on: few libraries, each with its reason, nothing imported by accident, all listed and looked up."""

import ast
import hashlib
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

ROOT = Path(__file__).parents[2]
MOST = 25
VENDORED = ROOT / "campaign" / "web" / "static" / "vendor"
# A requirement's name, without version, extras and conditions.
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def plain(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def named(requirement: str) -> str:
    found = _NAME.match(requirement)
    assert found
    return plain(found[0])


def read_table(path: Path) -> list[list[str]]:
    """The cells of the rows of a page's only table."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines[2:]]


LIBRARIES = read_table(ROOT / "docs" / "decisions" / "0002-libraries.md")
DIRECT = {named(line) for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]}
ALSO = {plain(part): row[0] for row in LIBRARIES for part in row[3].split(", ") if part}


def test_there_are_at_most_so_many_direct_dependencies_each_with_its_reason() -> None:
    assert len(DIRECT) <= MOST
    assert {plain(row[0]) for row in LIBRARIES} == DIRECT
    assert [row[0] for row in LIBRARIES if not row[1]] == []
    told = re.search(r"\*\*Consequence\.\*\* (\d+) direct", (ROOT / "docs/decisions/0002-libraries.md").read_text())
    assert told
    assert int(told[1]) == len(DIRECT)


@pytest.mark.parametrize("part", sorted(ALSO))
def test_what_is_imported_besides_really_comes_with_its_library(part: str) -> None:
    first = {named(line) for line in requires(ALSO[part]) or [] if "extra ==" not in line}
    assert part in first


def list_imports() -> Iterator[tuple[Path, str]]:
    for path in [ROOT / "app.py", *(ROOT / "campaign").rglob("*.py"), *(ROOT / "migrations").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                yield path, node.module


def test_nothing_is_imported_that_merely_comes_along() -> None:
    distributions = packages_distributions()
    allowed = DIRECT | set(ALSO)
    seen, strangers = set(), set()
    for path, module in list_imports():
        top = module.partition(".")[0]
        if top in sys.stdlib_module_names or top == "campaign":
            continue
        owners = {plain(owner) for owner in distributions.get(top, [])}
        seen |= owners
        if not owners & allowed:
            strangers.add((str(path.relative_to(ROOT)), module))
    assert strangers == set()
    assert len(seen & DIRECT) > 15


def test_each_vendored_file_is_listed_with_licence_and_checksum_and_is_what_was_published() -> None:
    rows = {row[0]: row for row in read_table(VENDORED / "README.md")}
    licences = {row[3].partition(", `")[2].strip("`") for row in rows.values()}
    assert all((VENDORED / licence).read_text(encoding="utf-8").strip() for licence in licences)
    files = {str(path.relative_to(VENDORED)) for path in VENDORED.rglob("*") if path.is_file()}
    assert files - licences - {"README.md"} == set(rows)
    assert {name: row[4] for name, row in rows.items()} == {
        name: hashlib.sha256((VENDORED / name).read_bytes()).hexdigest() for name in rows
    }


def test_the_bill_of_materials_has_each_package_the_program_runs_with_and_is_the_same_each_time(tmp_path: Path) -> None:
    made = []
    for name in ("first.json", "second.json"):
        words = [sys.executable, str(ROOT / "tools" / "make-sbom"), str(tmp_path / name)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1]
    bill = json.loads(made[0])
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "campaign"
    pinned = {
        (plain(found[1]), found[2])
        for found in re.finditer(
            r"^([\w.-]+)(?:\[[\w,-]+\])?==([\w.!+]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE
        )
    }
    assert {(plain(part["name"]), part["version"]) for part in bill["components"]} == pinned
    assert all(part["externalReferences"][0]["hashes"] for part in bill["components"])
    assert {name for name, _ in pinned} >= DIRECT


class _Vulnerabilities(BaseHTTPRequestHandler):
    """The look-up of osv.dev, knowing one bad package, or nothing at all."""

    bad: ClassVar[str]
    broken: ClassVar[bool]

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        affected = {"package": asked["package"], "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "999"}]}]}
        problem = {"id": "OSV-1", "summary": "bad", "details": "bad", "aliases": [], "affected": [affected]}
        content = json.dumps({"vulns": [problem]} if asked["package"]["name"] == self.bad else {}).encode()
        self.send_response(500 if self.broken else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        pass


@pytest.fixture
def osv() -> Iterator[str]:
    """The address of a service that knows vulnerabilities."""
    server = HTTPServer(("127.0.0.1", 0), _Vulnerabilities)
    _Vulnerabilities.bad, _Vulnerabilities.broken = "", False
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/query"
    server.shutdown()
    thread.join()
    server.server_close()


def audit(service: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(ROOT / "tools" / "audit-dependencies"), "-s", "osv", "--osv-url", service]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)


def test_the_audit_names_what_is_vulnerable_and_fails(osv: str) -> None:
    done = audit(osv)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"(\d+) of \1 packages were checked; 0 are vulnerable\.\n", done.stdout)
    _Vulnerabilities.bad = "flask"
    done = audit(osv)
    assert done.returncode == 1
    assert re.search(r"^flask [\d.]+: OSV-1, fixed in 999$", done.stdout, re.MULTILINE)


def test_an_audit_whose_data_is_out_of_reach_does_not_say_that_all_is_well(osv: str) -> None:
    """pip-audit itself would say “No known vulnerabilities found” of packages that it could not look up."""
    _Vulnerabilities.broken = True
    for service in (osv, "http://127.0.0.1:9/"):
        done = audit(service)
        assert done.returncode == 2
        assert done.stderr.startswith("The audit failed, because the list of vulnerabilities cannot be reached")
        assert done.stderr.count("\n") == 1
