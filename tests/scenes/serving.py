"""The program as people run it: processes of their own with a data folder and a port of their own."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from tests.scenes.log_canaries import find_canaries
from tests.servers.child import Identity, start

ROOT = Path(__file__).parents[2]
OURSELVES: Identity = {"user": None, "group": None, "extra_groups": None}
STARTED_WITHIN, ENDED_WITHIN = 60, 60


def environment(folder: Path, **settings: object) -> list[str]:
    """The beginning of a command line: nothing of this process's environment, and these settings."""
    named = {f"CAMPAIGN_{name.upper()}": value for name, value in {"data_dir": folder / "var", **settings}.items()}
    return ["env", "-i", f"PYTHONPATH={ROOT}", *(f"{name}={value}" for name, value in named.items())]


def command(words: list[str], folder: Path, **settings: object) -> subprocess.CompletedProcess[str]:
    """Run ``campaign …`` to its end."""
    return subprocess.run(
        [*environment(folder, **settings), sys.executable, "-m", "campaign", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def free_port() -> int:
    """A port of the loopback interface on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(words: list[str | Path], folder: Path, port: int, **settings: object) -> Iterator[Path]:
    """Run Python with these words as a server on ``port``, until told to stop; the file with what it prints."""
    printed = folder / "printed"
    with printed.open("wb") as output:
        process = start(
            [*environment(folder, port=port, **settings), sys.executable, "-u", *words],
            OURSELVES,
            stop="TERM",
            output=output,
            folder=folder,
        )
    try:
        _wait(process, port, printed)
        yield printed
    finally:
        process.terminate()
        status = process.wait(ENDED_WITHIN)
    assert status == 0, printed.read_text(encoding="utf-8")
    assert "Traceback" not in printed.read_text(encoding="utf-8")
    logged = [line for line in printed.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
    assert find_canaries("\n".join(logged)) == []


def _wait(process: subprocess.Popen[bytes], port: int, printed: Path) -> None:
    until = time.monotonic() + STARTED_WITHIN
    while process.poll() is None and time.monotonic() < until:
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", "/healthz")
            assert json.load(connection.getresponse()) == {"status": "ok"}
        except (OSError, HTTPException):
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()
    raise AssertionError(f"It did not start:\n{printed.read_text(encoding='utf-8')}")
