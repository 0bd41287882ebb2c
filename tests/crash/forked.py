"""Senders forked from the zygote, seen from the test: start one, wait until it stopped or ended, kill it."""

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.crash.workers import ROOT
from tests.crash.zygote import FAILED, Found, Order

CONNECTIONS = 3


class Zygote:
    """`with Zygote(data_dir) as zygote:`; the installation there is used up by warming up."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def __enter__(self) -> Self:
        self._log = (self._data_dir / "zygote.log").open("w+b")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.zygote", str(self._data_dir)],
            env={"PYTHONPATH": str(ROOT)},
            cwd=self._data_dir,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._log.close()

    def start(self, data_dir: Path, smtp_url: str, *, seam: str = "", nth: int = 0, file_size: int = 0) -> "Forked":
        """A sender that holds the worker's name and sends all; it stops at ``seam`` for ever."""
        order: Order = {
            "data_dir": str(data_dir),
            "smtp_url": smtp_url,
            "connections": CONNECTIONS,
            "seam": seam,
            "nth": nth,
            "file_size": file_size,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        return Forked(self, int(self.read()))

    def read(self) -> str:
        """The next thing that the zygote or its child says."""
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], 60)
        line = self._process.stdout.readline() if ready else b""
        assert line, Path(self._log.name).read_text()
        return line.decode().strip()


class Forked:
    """One sender."""

    def __init__(self, zygote: Zygote, pid: int) -> None:
        self._zygote = zygote
        self._pid = pid

    def wait_until_stopped(self) -> None:
        said = self._zygote.read()
        assert said == "stopped", said

    def kill(self) -> None:
        """SIGKILL; AssertionError where it had ended before."""
        os.kill(self._pid, signal.SIGKILL)
        assert self._zygote.read() == str(-signal.SIGKILL)

    def wait(self) -> Found | None:
        """What it found in the ledger at its end; None where it failed."""
        said = self._zygote.read()
        if said == str(FAILED):
            return None
        found: Found = json.loads(said)
        assert self._zygote.read() == "0"
        return found
