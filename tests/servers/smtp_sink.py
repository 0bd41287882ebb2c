"""Postfix's smtp-sink: an SMTP server in C that throws mail away, fast enough to measure us and not itself."""

import os
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from .child import start, unprivileged
from .missing import Missing

COUNTERS = re.compile(rb"sess=\s*(\d+) quit=\s*(\d+) mesg=\s*(\d+)\r")


def _program() -> str:
    # /usr/sbin is not on the PATH of an ordinary Debian user.
    found = shutil.which("smtp-sink", path=os.defpath + ":/usr/sbin:/sbin")
    if not found:
        raise Missing("smtp-sink")
    return found


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


class SmtpSink:
    """`with SmtpSink() as sink:` send to `sink.url`; `sink.count` messages have arrived."""

    def __init__(self, options: Sequence[str] = ()) -> None:
        """`options` are smtp-sink's own, for example `("-w", "1")` to answer DATA slowly."""
        self._program = _program()
        self._options = tuple(options)

    def __enter__(self) -> Self:
        self._output: IO[bytes] = tempfile.TemporaryFile()
        try:
            self._start()
        except BaseException:
            self._output.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait()
        self._output.close()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def count(self) -> int:
        """How many messages arrived, by smtp-sink's running counters."""
        size = os.fstat(self._output.fileno()).st_size
        # pread, since the child shares the position in the file.
        tail = os.pread(self._output.fileno(), 200, max(0, size - 200))
        counters = COUNTERS.findall(tail)
        return int(counters[-1][2]) if counters else 0

    def wait_for(self, count: int, seconds: float = 10) -> int:
        """The number of messages, once it is at least `count`; AssertionError after `seconds`."""
        deadline = time.monotonic() + seconds
        while self.count < count:
            assert time.monotonic() < deadline, f"{self.count} of {count} messages after {seconds} s"
            time.sleep(0.01)
        return self.count

    def _start(self) -> None:
        # smtp-sink cannot take a bound socket: if another process is quicker to the port, take another.
        for _ in range(5):
            self.port = _free_port()
            if self._listens():
                return
        raise RuntimeError("smtp-sink did not start:\n" + os.pread(self._output.fileno(), 2000, 0).decode())

    def _listens(self) -> bool:
        command = (self._program, "-c", *self._options, f"inet:127.0.0.1:{self.port}", "1000")
        self._process = start(command, unprivileged(), stop="TERM", output=self._output, folder=Path("/"))
        deadline = time.monotonic() + 10
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return True
        self._process.kill()
        self._process.wait()
        return False
