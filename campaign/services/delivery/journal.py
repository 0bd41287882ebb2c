"""What a sender has begun and finished since its last commit, in a file that survives ``kill -9``.

The ledger is committed for many mails at once. After a kill the journal tells which of the claimed mails the server
was being given (one for each connection at most), which had been answered, and which had not been begun. It holds ids
and outcomes, no more. It is not synced to the disk: after a crash of the machine, which the boot id tells, nothing in
it is believed and every claimed mail is in doubt.
"""

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from campaign.mail.smtp.transport import Answer, Outcome

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _write(file: int, text: str) -> None:
    """Write all of it or, where the disk is full, nothing: the next entry must not run into half of one."""
    data = text.encode()
    written = os.write(file, data)
    if written < len(data):
        os.ftruncate(file, os.fstat(file).st_size - written)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@dataclass(frozen=True)
class Findings:
    """What a dead sender's journal says: mails begun without an answer, and the answers that came."""

    begun: frozenset[int] = frozenset()
    answers: dict[int, Answer] = field(default_factory=dict)


class Journal:
    """The journal of one claimant, a file in ``folder``."""

    def __init__(self, folder: Path, claimant: str) -> None:
        self._path = folder / f"{claimant.replace('/', '.')}.journal"
        self._file: int | None = None
        self._begun: dict[int, None] = {}
        self._ended = ""

    def find(self) -> Findings | None:
        """What the last sender of this name left; None where nothing can be told of what it had claimed."""
        try:
            lines = self._path.read_bytes().decode("utf-8", "replace").split("\n")
        except OSError:
            return None
        complete = lines[:-1]  # the last line is cut off, or empty
        if not complete or not complete[0] or complete[0] != _boot_id():
            return None
        entries = complete[1:]
        begun: set[int] = set()
        answers: dict[int, Answer] = {}
        for entry in entries:
            number, _, told = entry.partition(" ")
            if not told:
                begun.add(int(number))
            else:
                outcome, _, reason = told.partition(" ")
                answers[int(number)] = Answer(Outcome(outcome), reason)
        return Findings(frozenset(begun - answers.keys()), answers)

    def begin(self) -> None:
        """Forget what has been committed; what is begun and not answered stays."""
        # A file of its own that takes the old one's name: a kill in the middle of it must not leave an empty journal,
        # which would put all that is claimed in doubt.
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        try:
            _write(file, "".join([f"{_boot_id()}\n", *(f"{number}\n" for number in self._begun)]))
            new.replace(self._path)
        except OSError:
            os.close(file)
            raise
        if self._file is not None:
            os.close(self._file)
        self._file = file
        self._ended = ""

    def start(self, numbers: Sequence[int]) -> None:
        """The server is about to be given the mails. Raises OSError where that cannot be written."""
        self._write(self._ended + "".join([f"{number}\n" for number in numbers]))
        self._begun.update(dict.fromkeys(numbers))
        self._ended = ""

    def end(self, number: int, answer: Answer) -> None:
        """The mail has its answer. Written with the next mail that is begun, or by ``flush``."""
        self._begun.pop(number, None)
        self._ended += f"{number} {answer.outcome} {answer.reason}\n"

    def flush(self) -> None:
        """Write down the answers; nothing is begun at once."""
        if self._ended:
            self._write(self._ended)
            self._ended = ""

    def _write(self, text: str) -> None:
        assert self._file is not None  # `begin` comes first
        _write(self._file, text)

    def close(self) -> None:
        """Everything is committed: nothing is left to tell."""
        if self._file is not None:
            os.close(self._file)
            self._path.unlink(missing_ok=True)
            self._file = None
