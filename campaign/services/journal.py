"""What a sender has begun and finished since its last commit, in a file that survives ``kill -9``.

The ledger is committed for many mails at once. After a kill the journal tells which of the claimed mails the server
was being given (one for each connection at most), which had been answered, and which had not been begun. It holds ids
and outcomes, no more. It is not synced to the disk: after a crash of the machine, which the boot id tells, nothing in
it is believed and every claimed mail is in doubt.
"""

import errno
import os
from dataclasses import dataclass, field
from pathlib import Path

from campaign.mail.transport import Answer, Outcome

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


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
        self._torn = False

    def find(self) -> Findings | None:
        """What the last sender of this name left; None where nothing can be told of what it had claimed."""
        try:
            lines = self._path.read_bytes().decode("utf-8", "replace").split("\n")
        except OSError:
            return None
        boot, *entries = lines[:-1]  # the last line is cut off, or empty
        if not boot or boot != _boot_id():
            return None
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
        if self._file is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._ended = ""
        self._torn = False
        os.ftruncate(self._file, 0)
        self._write("".join([f"{_boot_id()}\n", *(f"{number}\n" for number in self._begun)]))

    def start(self, number: int) -> None:
        """The server is about to be given the mail."""
        self._begun[number] = None
        self._write(f"{self._ended}{number}\n")
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
        if self._torn:
            raise OSError(errno.EIO, "an entry before this one is cut off")
        data = text.encode()
        self._torn = True
        if os.write(self._file, data) == len(data):
            self._torn = False
        else:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        """Everything is committed: nothing is left to tell."""
        if self._file is not None:
            os.close(self._file)
            self._path.unlink(missing_ok=True)
            self._file = None
