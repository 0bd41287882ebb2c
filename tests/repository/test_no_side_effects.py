"""Importing the program does nothing else: no thread, no file, no process, no connection, no word."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DOORS = "import campaign.web, campaign.cli, campaign.worker"
# croniter, which the workflow engine imports, has the program ``file`` say whether Python is a 32-bit one.
_NOT_OURS = [["subprocess.Popen", "('file',)"]]

# Python tells this hook of what it is about to do (PEP 578), from 3.12 on of threads too; before, we look ourselves.
_WATCH = """
import _thread, json, os, sys
seen = []
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
DOING = {"os.fork", "os.posix_spawn", "subprocess.Popen", "os.mkdir", "os.remove",
         "os.rename", "os.symlink", "os.putenv", "socket.connect", "socket.bind", "sqlite3.connect", "signal.signal"}
def watch(event, arguments):
    if event == "open" and arguments[0] != os.devnull and (arguments[2] or 0) & WRITING:
        seen.append([event, str(arguments[0])])
    elif event in DOING:
        seen.append([event, str(arguments[:1])])
    elif event.startswith("_thread.start"):
        seen.append(["thread", event])
sys.addaudithook(watch)
start = _thread.start_new_thread
def watched_start(function, *arguments):
    seen.append(["thread", str(function)])
    return start(function, *arguments)
_thread.start_new_thread = watched_start
"""
_TELL = """
import threading
print(json.dumps({"seen": seen, "threads": threading.active_count(), "modules": sorted(sys.modules)}))
"""


def _run(statement: str, folder: Path) -> tuple[dict[str, Any], list[str]]:
    """What Python was seen doing in an empty environment, and what lies in its empty folder afterwards."""
    # -B: that Python keeps its bytecode is Python's business.
    done = subprocess.run(
        ["env", "-i", f"PYTHONPATH={ROOT}", sys.executable, "-B", "-c", f"{_WATCH}{statement}\n{_TELL}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    # Read as a whole: one more word on the output would not be JSON.
    return json.loads(done.stdout), sorted(path.name for path in folder.rglob("*"))


def test_importing_the_three_doors_does_nothing_else(tmp_path: Path) -> None:
    """No thread, no file opened for writing, no file made, no process, no connection, nothing printed."""
    found, files = _run(DOORS, tmp_path)
    assert "campaign.web" in found["modules"]
    assert [seen for seen in found["seen"] if seen not in _NOT_OURS] == []
    assert found["threads"] == 1
    assert files == []


@pytest.mark.parametrize(
    ("statement", "event"),
    [
        ("open('made', 'w').close()", "open"),
        ("os.close(os.open('made', os.O_RDWR | os.O_CREAT))", "open"),
        ("import threading; threading.Thread(target=int).start()", "thread"),
        ("import subprocess; subprocess.run(['true'])", "subprocess.Popen"),
        ("import socket; socket.socket().bind(('127.0.0.1', 0))", "socket.bind"),
    ],
)
def test_the_watcher_sees_what_it_watches_for(statement: str, event: str, tmp_path: Path) -> None:
    found, _ = _run(statement, tmp_path)
    assert event in [seen[0] for seen in found["seen"]]


@pytest.mark.skipif(find_spec("pysqlite3") is None, reason="only Linux has the newer library")
def test_one_process_loads_one_sqlite(tmp_path: Path) -> None:
    """Two copies of SQLite in one process drop each other's locks (sqlite.org/howtocorrupt.html §2.2.1)."""
    found, _ = _run(DOORS, tmp_path)
    assert "pysqlite3" in found["modules"]
    assert "_sqlite3" not in found["modules"]
