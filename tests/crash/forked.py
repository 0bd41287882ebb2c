"""Senders forked from the zygote, seen from the test: start one, wait until it stopped or ended, kill it."""

import json
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
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
        self._number = 0
        self._unread = b""
        self._last: Forked | None = None

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
        """A sender that holds the worker's name and sends all; it stops at ``seam`` for ever.

        One that a failed test left behind is killed first: the zygote waits for its end.
        """
        if self._last is not None:
            self._last.end()
        self._number += 1
        order: Order = {
            "number": self._number,
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
        self._last = Forked(self, self._number)
        return self._last

    def read(self, number: int) -> tuple[str, str]:
        """The next word that is said of sender ``number``, and what comes with it."""
        while True:
            said_of, word, *rest = self._read_line().split(" ", 2)
            if int(said_of) == number:
                return word, "".join(rest)

    def _read_line(self) -> str:
        """A reader with a buffer of its own would hide a line from ``select`` that came together with another."""
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        while b"\n" not in self._unread:
            ready, _, _ = select.select([pipe], [], [], 60)
            more = os.read(pipe, 1 << 16) if ready else b""
            assert more, Path(self._log.name).read_text()
            self._unread += more
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode()


class Forked:
    """One sender."""

    def __init__(self, zygote: Zygote, number: int) -> None:
        self._zygote = zygote
        self._number = number
        self._has_ended = False
        self._pid = int(self._read("forked"))

    def _read(self, *expected: str) -> str:
        word, what = self._zygote.read(self._number)
        self._has_ended = word == "ended"
        assert word in expected, (word, what)
        return what

    def wait_until_stopped(self) -> None:
        self._read("stopped")

    def kill(self) -> None:
        """SIGKILL; AssertionError where it had ended before."""
        os.kill(self._pid, signal.SIGKILL)
        assert self._read("ended") == str(-signal.SIGKILL)

    def wait(self) -> Found | None:
        """What it found in the ledger at its end; None where it failed."""
        told = self._read("found", "ended")
        if self._has_ended:
            assert told == str(FAILED)
            return None
        found: Found = json.loads(told)
        assert self._read("ended") == "0"
        return found

    def end(self) -> None:
        """Kill it if it lives: the test that started it has failed."""
        if not self._has_ended:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
        while not self._has_ended:
            self._has_ended = self._zygote.read(self._number)[0] == "ended"
