"""The journal: which mails a sender has started and finished since its last commit. The file survives ``kill -9``.

The ledger is committed for many mails at once. After a kill the journal says which of the claimed mails were being
given to the server (at most one for each connection), which had an answer, and which had not been started. It contains
ids and outcomes, and nothing else. A mail about several petitions has one entry with the ids of all its rows, so a kill
cannot separate them. The file is not synced to the disk: after a crash of the machine, which the boot id shows, no
entry counts and every claimed mail is in doubt.
"""

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from campaign.mail.smtp.transport import Answer, Outcome

# The rows of the ledger that one mail has, by id: one, or several if the mail is about several petitions.
Rows = tuple[int, ...]

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _write(file: int, text: str) -> None:
    """Write the whole text or, if the disk is full, nothing: the next entry must not follow half of an entry."""
    data = text.encode()
    written = os.write(file, data)
    if written < len(data):
        os.ftruncate(file, os.fstat(file).st_size - written)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@dataclass(frozen=True)
class Findings:
    """What a dead sender's journal says, by delivery: sending started without an answer, or the answer that came."""

    started: frozenset[int] = frozenset()
    answers: dict[int, Answer] = field(default_factory=dict)


class Journal:
    """The journal of one claimant, a file in ``folder``."""

    def __init__(self, folder: Path, claimant: str) -> None:
        self._path = folder / f"{claimant.replace('/', '.')}.journal"
        self._file: int | None = None
        self._started: dict[Rows, None] = {}
        self._ended = ""

    def find(self) -> Findings | None:
        """What the last sender of this name left; None if nothing is known of its claims."""
        try:
            lines = self._path.read_bytes().decode("utf-8", "replace").split("\n")
        except OSError:
            return None
        complete = lines[:-1]  # the last line is cut off, or empty
        if not complete or not complete[0] or complete[0] != _boot_id():
            return None
        started: set[int] = set()
        answers: dict[int, Answer] = {}
        for entry in complete[1:]:
            ids, _, answer = entry.partition(" ")
            rows = [int(number) for number in ids.split(",")]
            if not answer:
                started.update(rows)
            else:
                outcome, _, reason = answer.partition(" ")
                answers.update(dict.fromkeys(rows, Answer(Outcome(outcome), reason)))
        return Findings(frozenset(started - answers.keys()), answers)

    def begin(self) -> None:
        """Forget the mails that have been committed. A mail that is started and has no answer yet stays."""
        # A new file takes the name of the old one: a kill in between must not leave an empty journal, after which every
        # claimed mail would be in doubt.
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        try:
            _write(file, "".join([f"{_boot_id()}\n", *(f"{_name(rows)}\n" for rows in self._started)]))
            new.replace(self._path)
        except OSError:
            os.close(file)
            raise
        if self._file is not None:
            os.close(self._file)
        self._file = file
        self._ended = ""

    def start(self, mails: Sequence[Rows]) -> None:
        """Record that the server is about to be given the mails. Raises OSError if that cannot be written."""
        self._write(self._ended + "".join([f"{_name(rows)}\n" for rows in mails]))
        self._started.update(dict.fromkeys(mails))
        self._ended = ""

    def end(self, rows: Rows, answer: Answer) -> None:
        """Record the answer to a mail. It is written with the next mail that is started, or by ``flush``."""
        self._started.pop(rows, None)
        self._ended += f"{_name(rows)} {answer.outcome} {answer.reason}\n"

    def flush(self) -> None:
        """Write the answers, since no mail is started next."""
        if self._ended:
            self._write(self._ended)
            self._ended = ""

    def _write(self, text: str) -> None:
        assert self._file is not None  # `begin` comes first
        _write(self._file, text)

    def close(self) -> None:
        """End the journal: everything is committed."""
        if self._file is not None:
            os.close(self._file)
            self._path.unlink(missing_ok=True)
            self._file = None


def _name(rows: Rows) -> str:
    return str(rows[0]) if len(rows) == 1 else ",".join(map(str, rows))
