"""The restore guard: a database that was restored from a backup sends no edition a second time by itself.

A database from yesterday's backup does not know what was sent since. A file beside the database, which no backup
contains, does: it records each start of an edition before the edition is being sent, and each edition that was sent to
its end. If the file knows more of an edition than the database does, no mail of that edition is claimed: the edition is
paused, and a person decides.
"""

import fcntl
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, NamedTuple

from sqlalchemy import event
from sqlalchemy.orm import Session

_log = logging.getLogger(__name__)


class Start(NamedTuple):
    """One start of an edition. ``ordinal`` is 1 for its first start, and ``made_at`` the time at which it was made.

    An edition that is made anew in a restored database has the number of the lost edition, but another time.
    """

    slug: str
    number: int
    made_at: datetime
    ordinal: int


class _Mark(StrEnum):
    """The last word of a line. A line without it says that sending started."""

    STARTED = ""
    SENT = "sent"
    WITHDRAWN = "withdrawn"  # the transaction that recorded the start was rolled back


# An older version wrote three words for the first start of an edition, and nothing for later starts.
_LINE = re.compile(
    r"(?P<slug>\S+) (?P<number>\d+) (?P<made_at>\d{4}-\d\d-\d\dT[\d:.]+\+00:00)"
    r"(?: (?P<ordinal>\d+)(?: (?P<mark>sent|withdrawn))?)?"
)

# The starts of one edition, by ordinal and time of making; True if the edition was sent to its end since.
_Starts = Mapping[tuple[int, str], bool]


class RestoreGuard:
    """The record of started editions in ``file``. Threads and processes of one machine use it at the same time."""

    def __init__(self, file: Path) -> None:
        self._file = file
        # When the file was read last (time of change, size in bytes), and what it said.
        self._read_last: tuple[tuple[int, int], dict[tuple[str, int], _Starts]] = ((0, 0), {})

    def record_start(self, session: Session, start: Start) -> bool:
        """Record on the disk that an edition starts, before ``session`` commits it. Returns whether it may start.

        Returns False, and records nothing, if the file knows this start already, or a later one. If the session is
        rolled back, the record is withdrawn. Raises OSError if the file cannot be written.
        """
        with self._locked() as file:
            if self.count_starts(start.slug, start.number) >= start.ordinal:
                return False
            _append(file, start, _Mark.STARTED)
        _when_over(session, rolled_back=lambda: self._note(start, _Mark.WITHDRAWN))
        return True

    def record_sent(self, session: Session, start: Start) -> None:
        """Record that an edition was sent to its end, as soon as ``session`` has committed it."""
        _when_over(session, committed=lambda: self._note(start, _Mark.SENT))

    def admits(self, start: Start) -> bool:
        """Whether mails may be claimed of an edition that the database has in ``sending`` since ``start``.

        A start that the file does not know is recorded first: it was made on another machine, which has its own file,
        or before an update of the program. Raises OSError if that cannot be written.
        """
        starts = self._list_starts(start.slug, start.number)
        if _agrees(starts, start) and _key(start) not in starts:
            with self._locked() as file:
                starts = self._list_starts(start.slug, start.number)
                if _agrees(starts, start) and _key(start) not in starts:
                    _append(file, start, _Mark.STARTED)
        return _agrees(starts, start)

    def count_starts(self, slug: str, number: int) -> int:
        """How many starts of the edition the file knows."""
        return max((ordinal for ordinal, _ in self._list_starts(slug, number)), default=0)

    def _list_starts(self, slug: str, number: int) -> _Starts:
        """The starts of one edition; the file is read only if it has changed."""
        try:
            status = self._file.stat()
        except FileNotFoundError:
            return {}
        version = status.st_mtime_ns, status.st_size
        if self._read_last[0] != version:
            self._read_last = version, _read(self._file.read_text(encoding="utf-8", errors="replace"))
        return self._read_last[1].get((slug, number), {})

    def _note(self, start: Start, mark: _Mark) -> None:
        """Write a line that no transaction waits for. Without it the guard pauses an edition too many, or one less."""
        try:
            with self._locked() as file:
                _append(file, start, mark)
        except OSError:
            _log.exception("The record of started editions cannot be written")

    @contextmanager
    def _locked(self) -> Iterator[IO[bytes]]:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield file


def _read(text: str) -> dict[tuple[str, int], _Starts]:
    """The starts of all editions. A line that a crash of the machine cut off says nothing: nothing was committed."""
    editions: dict[tuple[str, int], dict[tuple[int, str], bool]] = {}
    for line in text.splitlines():
        if (found := _LINE.fullmatch(line)) is None:
            continue
        starts = editions.setdefault((found["slug"], int(found["number"])), {})
        key = int(found["ordinal"] or 1), found["made_at"]
        if found["mark"] == _Mark.WITHDRAWN:
            starts.pop(key, None)
        else:
            starts[key] = found["mark"] == _Mark.SENT
    return dict(editions)


def _agrees(starts: _Starts, start: Start) -> bool:
    """Whether the file knows nothing later than ``start``, and of no other edition with this number and start."""
    made_at = _text(start.made_at)
    return not any(
        ordinal > start.ordinal or (ordinal == start.ordinal and (other != made_at or was_sent))
        for (ordinal, other), was_sent in starts.items()
    )


def _key(start: Start) -> tuple[int, str]:
    return start.ordinal, _text(start.made_at)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _append(file: IO[bytes], start: Start, mark: _Mark) -> None:
    """Write one line to the disk."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
    ends = file.read(1) in (b"", b"\n")  # if not, the last line was cut off, and must not run into this one
    words = [start.slug, str(start.number), _text(start.made_at), str(start.ordinal), mark]
    line = " ".join(filter(None, words)) + "\n"
    file.write((line if ends else f"\n{line}").encode())
    file.flush()
    os.fsync(file.fileno())


def _when_over(
    session: Session,
    *,
    committed: Callable[[], None] | None = None,
    rolled_back: Callable[[], None] | None = None,
) -> None:
    """Call one of the two, once: the first if the session's transaction is committed, the second if not."""
    is_over = False

    def end(call: Callable[[], None] | None) -> Callable[[Session], None]:
        def ended(_session: Session) -> None:
            nonlocal is_over
            if not is_over and call is not None:
                call()
            is_over = True

        return ended

    event.listen(session, "after_commit", end(committed))
    event.listen(session, "after_rollback", end(rolled_back))
