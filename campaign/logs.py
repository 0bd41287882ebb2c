"""The log: one line for each record, with fields from a fixed list, and no text that came from outside.

A log is the first file that is copied to another machine, and the last that is erased. Therefore a record of ours is a
fixed sentence with fields from ``FIELDS``. Of an error the log has the types and the places in the code, never the
message, which may quote input. A library's message may quote input too: it is withheld, and the place in the code is
logged instead.
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

# The fields that may be logged with a sentence, given as ``extra``: names that we have made, row numbers without a
# meaning outside the database, and counts.
FIELDS = ("petition", "edition", "delivery", "worker", "step", "count", "status", "error")
WITHHELD = "A library's message, withheld"
# Sentences of libraries that quote no input; their arguments are omitted.
KNOWN = {
    "gunicorn.error": frozenset(
        {"WORKER TIMEOUT (pid:%s)", "Worker (pid:%s) was sent %s!%s", "Worker failed to boot."}
    ),
}
_PLAIN_VALUE = re.compile(r"[\w.:/-]{1,80}", re.ASCII)
_MAX_PLACES = 60
_ROOT = Path(__file__).parent.parent


def _loggable(value: object) -> int | str:
    if isinstance(value, int):
        return value
    return value if isinstance(value, str) and _PLAIN_VALUE.fullmatch(value) else "(withheld)"


def _file(path: str) -> str:
    """The path without the folder of the installation, which may be named after a person."""
    _, inside, rest = path.rpartition("site-packages/")
    if inside:
        return rest
    return str(Path(path).relative_to(_ROOT)) if Path(path).is_relative_to(_ROOT) else Path(path).name


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and its causes, the latest first, each once."""
    seen = set[int]()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _places(error: BaseException) -> Iterator[str]:
    for frame in extract_tb(error.__traceback__):
        yield f"{_file(frame.filename)}:{frame.lineno}:{frame.name}"


def describe(record: logging.LogRecord) -> dict[str, Any]:
    """The fields of ``record`` that may be logged."""
    ours = record.name == "campaign" or record.name.startswith("campaign.")
    sentence = str(record.msg)
    fields: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        # Never with the arguments: our sentences have none, and those of a library may contain personal data.
        "event": sentence if ours or sentence in KNOWN.get(record.name, ()) else WITHHELD,
    }
    if fields["event"] == WITHHELD:
        fields["at"] = f"{_file(record.pathname)}:{record.lineno}:{record.funcName}"
    if ours:
        given = ((name, record.__dict__[name]) for name in FIELDS if name in record.__dict__)
        fields |= {name: _loggable(value) for name, value in given}
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        errors = list(_chain(error))
        fields["error"] = " < ".join(type(one).__name__ for one in errors)
        fields["trace"] = [place for one in errors for place in _places(one)][-_MAX_PLACES:]
    return fields


class JsonLines(logging.Formatter):
    """The format for files and journals: one JSON object on each line."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(describe(record))


class PlainLines(logging.Formatter):
    """The format for a terminal: the same content as text."""

    def format(self, record: logging.LogRecord) -> str:
        fields = describe(record)
        time, level, logger, event = (fields.pop(name) for name in ("time", "level", "logger", "event"))
        places = "".join(f"\n    {place}" for place in fields.pop("trace", ()))
        rest = ", ".join(f"{name} {value}" for name, value in fields.items())
        return f"{time} {level} {logger}: {event}{f' ({rest})' if rest else ''}{places}"


class _ToStandardError(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the library's name)
        """Do nothing, since the library would print the record with its arguments."""


def install() -> None:
    """Log every record, and every error that was not caught, to standard error. An existing log handler is kept."""
    root = logging.getLogger()
    if root.handlers:
        return
    handler = _ToStandardError(sys.stderr)
    handler.setFormatter(PlainLines() if sys.stderr.isatty() else JsonLines())
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    # It logs an error for every bounce that one of its detectors cannot parse.
    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda ended: _log_uncaught(ended.exc_type, ended.exc_value, ended.exc_traceback)


def _log_uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if error is None or issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger(__name__).critical(
        "An unexpected error ended a thread or the process", exc_info=(kind, error, trace)
    )
