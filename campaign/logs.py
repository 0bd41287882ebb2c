"""What the log may hold: one line a record, of fields on a list, and no word that came from outside.

A log is the first thing that is copied to another machine, and the last that is erased. So a record of ours is a fixed
sentence and fields from ``FIELDS``; an error is its types and the places it passed, never its message, which may quote
what was typed. A library's message may quote too: it is withheld, and where it was logged is told instead.
"""

import json
import logging
import re
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from traceback import extract_tb
from types import TracebackType
from typing import Any, TextIO

# What may stand beside a sentence, given as ``extra``: names of our own making, row numbers that mean nothing outside
# the database, and counts.
FIELDS = ("petition", "edition", "delivery", "worker", "step", "count", "status", "error")
WITHHELD = "A library's message, withheld"
# Sentences of libraries that quote nothing; their arguments are left out.
KNOWN = {
    "gunicorn.error": frozenset(
        {"WORKER TIMEOUT (pid:%s)", "Worker (pid:%s) was sent %s!%s", "Worker failed to boot."}
    ),
}
_PLAIN_VALUE = re.compile(r"[\w.:/-]{1,80}", re.ASCII)
_MOST_PLACES = 60
_ROOT = Path(__file__).parent.parent


def _told(value: object) -> int | str:
    if isinstance(value, int):
        return value
    return value if isinstance(value, str) and _PLAIN_VALUE.fullmatch(value) else "(withheld)"


def _file(path: str) -> str:
    """Without the folder of the installation, which may be named after a person."""
    _, inside, rest = path.rpartition("site-packages/")
    if inside:
        return rest
    return str(Path(path).relative_to(_ROOT)) if Path(path).is_relative_to(_ROOT) else Path(path).name


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those it came from, the last first; each once."""
    seen = set[int]()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _places(error: BaseException) -> Iterator[str]:
    for frame in extract_tb(error.__traceback__):
        yield f"{_file(frame.filename)}:{frame.lineno}:{frame.name}"


def describe(record: logging.LogRecord) -> dict[str, Any]:
    """Everything of ``record`` that a log may hold."""
    ours = record.name == "campaign" or record.name.startswith("campaign.")
    said = str(record.msg)
    told: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        # Never with its arguments: a sentence of ours has none, a library's are what must not be told.
        "event": said if ours or said in KNOWN.get(record.name, ()) else WITHHELD,
    }
    if told["event"] == WITHHELD:
        told["at"] = f"{_file(record.pathname)}:{record.lineno}:{record.funcName}"
    if ours:
        given = ((name, record.__dict__[name]) for name in FIELDS if name in record.__dict__)
        told |= {name: _told(value) for name, value in given}
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        errors = list(_chain(error))
        told["error"] = " < ".join(type(one).__name__ for one in errors)
        told["trace"] = [place for one in errors for place in _places(one)][-_MOST_PLACES:]
    return told


class JsonLines(logging.Formatter):
    """For files and journals: an object on each line."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(describe(record))


class PlainLines(logging.Formatter):
    """For a person at a terminal: the same in words."""

    def format(self, record: logging.LogRecord) -> str:
        told = describe(record)
        time, level, logger, event = (told.pop(name) for name in ("time", "level", "logger", "event"))
        places = "".join(f"\n    {place}" for place in told.pop("trace", ()))
        rest = ", ".join(f"{name} {value}" for name, value in told.items())
        return f"{time} {level} {logger}: {event}{f' ({rest})' if rest else ''}{places}"


class _ToStandardError(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the library's name)
        """Nothing: the library's way prints the record with its arguments."""


def install() -> None:
    """Log to standard error as described, whatever logs; also what nobody caught. A log that is there already stays."""
    root = logging.getLogger()
    if root.handlers:
        return
    handler = _ToStandardError(sys.stderr)
    handler.setFormatter(PlainLines() if sys.stderr.isatty() else JsonLines())
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    # It reports each form of bounce that its heuristics trip over.
    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda ended: _log_uncaught(ended.exc_type, ended.exc_value, ended.exc_traceback)


def _log_uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if error is None or issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger(__name__).critical("An unforeseen error ended this", exc_info=(kind, error, trace))
