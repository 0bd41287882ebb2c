"""Logs: a fixed sentence and fields on a list; of an error its types and places, never a value."""

import ast
import io
import json
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from campaign import logs
from tests.scenes.log_canaries import find_canaries

ROOT = Path(__file__).parents[1]
SECRET = "aigerim@example.org"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """A process whose log nobody has set up yet; what it then writes to standard error."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers, root.level
    monkeypatch.setattr(sys, "stderr", stream)
    for hook in ("excepthook", "stderr"):
        monkeypatch.setattr(sys, hook, getattr(sys, hook))
    monkeypatch.setattr("threading.excepthook", None)
    root.handlers = []
    with warnings.catch_warnings():
        logs.install()
        yield stream
        logging.captureWarnings(False)
    root.handlers = handlers
    root.setLevel(level)
    logging.getLogger("flufl.bounce").setLevel(logging.NOTSET)


def lines(written: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_record_of_ours_is_its_sentence_and_the_fields_on_the_list(written: io.StringIO) -> None:
    given = {"edition": 3, "petition": "kazakhstan", "email": SECRET, "worker": f"w {SECRET}", "error": "OSError"}
    logging.getLogger("campaign.worker").error("Something failed", extra=given)
    (line,) = lines(written)
    assert line.pop("time")
    assert line == {
        "level": "ERROR",
        "logger": "campaign.worker",
        "event": "Something failed",
        "edition": 3,
        "petition": "kazakhstan",
        "worker": "(withheld)",
        "error": "OSError",
    }


def test_an_error_is_told_by_types_and_places_without_messages_however_it_is_chained(written: io.StringIO) -> None:
    try:
        try:
            int(SECRET)
        except ValueError as error:
            raise LookupError(SECRET) from error
    except LookupError:
        logging.getLogger("campaign.jobs").exception("A step failed")
    (line,) = lines(written)
    assert line["error"] == "LookupError < ValueError"
    trace = line["trace"]
    assert isinstance(trace, list)
    assert all(place.startswith("tests/test_logs.py:") for place in trace)
    assert SECRET not in written.getvalue()
    assert str(ROOT) not in written.getvalue()


def test_an_error_of_the_database_is_told_without_its_statement_and_values(written: io.StringIO) -> None:
    engine = create_engine("sqlite://")
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT * FROM nothing WHERE email = :email"), {"email": SECRET})
    except DBAPIError:
        logging.getLogger("campaign.web.core.errors").exception("The database cannot be used")
    assert "OperationalError < OperationalError" in written.getvalue()
    assert not [word for word in (SECRET, "SELECT", "nothing") if word in written.getvalue()]


@pytest.mark.parametrize("name", ["gunicorn.error", "dbos", "sqlalchemy.pool", "werkzeug", "asyncio", "campaignx"])
def test_what_a_library_says_is_withheld_and_its_place_told(written: io.StringIO, name: str) -> None:
    logging.getLogger(name).error("No mail for %s", SECRET, extra={"petition": SECRET})
    logging.getLogger(name).error(f"No mail for {SECRET}")
    for line in lines(written):
        assert line["event"] == logs.WITHHELD
        assert str(line["at"]).startswith("tests/test_logs.py:")
    assert SECRET not in written.getvalue()


def test_a_sentence_of_a_library_that_quotes_nothing_is_told(written: io.StringIO) -> None:
    logging.getLogger("gunicorn.error").critical("WORKER TIMEOUT (pid:%s)", 17)
    assert [line["event"] for line in lines(written)] == ["WORKER TIMEOUT (pid:%s)"]


def test_warnings_and_what_nobody_caught_are_told_in_the_same_way(written: io.StringIO) -> None:
    warnings.simplefilter("always")
    warnings.warn(f"odd: {SECRET}", UserWarning, stacklevel=1)
    try:
        os.environ[SECRET]  # noqa: TID251
    except KeyError as error:
        sys.excepthook(KeyError, error, error.__traceback__)
    assert [line["logger"] for line in lines(written)] == ["py.warnings", "campaign.logs"]
    assert SECRET not in written.getvalue()


def test_a_record_that_cannot_be_written_is_not_printed_by_other_means(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(_record: logging.LogRecord) -> None:
        raise ValueError(SECRET)

    monkeypatch.setattr(logs, "describe", break_down)
    logging.getLogger("campaign").error("Something")
    assert written.getvalue() == ""


def test_a_terminal_gets_the_same_in_words(written: io.StringIO) -> None:
    try:
        int(SECRET)
    except ValueError as error:
        record = logging.makeLogRecord(
            {
                "name": "campaign.x",
                "msg": "It failed",
                "exc_info": (ValueError, error, error.__traceback__),
                "edition": 2,
            }
        )
    told = logs.PlainLines().format(record)
    assert "campaign.x: It failed (edition 2, error ValueError)\n    tests/test_logs.py:" in told
    assert SECRET not in told


def test_who_has_a_log_already_keeps_it() -> None:
    before = list(logging.getLogger().handlers)
    assert before
    logs.install()
    assert logging.getLogger().handlers == before


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted((ROOT / "campaign").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id in {"_log", "logger", "log"}
            ):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_every_call_of_ours_gives_one_fixed_sentence_and_fields_on_the_list() -> None:
    calls = [(where, call) for where, call in _calls() if call.func.attr != "addHandler"]  # type: ignore[attr-defined]
    wrong = []
    for where, call in calls:
        extra = [word.value for word in call.keywords if word.arg == "extra"]
        keys = [
            key.value
            for given in extra
            if isinstance(given, ast.Dict)
            for key in given.keys
            if isinstance(key, ast.Constant)
        ]
        sentence = call.args[0] if len(call.args) == 1 else None
        fixed = isinstance(sentence, ast.Constant) and "%" not in str(sentence.value)
        if not fixed or not set(keys) <= set(logs.FIELDS) or not all(isinstance(given, ast.Dict) for given in extra):
            wrong.append(where)
    assert wrong == []
    assert len(calls) > 10


@pytest.mark.parametrize(
    "canary",
    [
        "somebody@example.org",
        "192.0.2.17",
        "2001:db8::1",
        "Aigerim",
        "/confirm?next=x",
        "pX3kq0Zc1fVh2m4l7Tn9aBcDeFgHiJkL",
        "0123456789abcdef" * 3,
    ],
)
def test_the_watch_over_the_suite_knows_what_may_not_be_logged(canary: str) -> None:
    assert find_canaries(f'{{"event": "It failed for {canary} today"}}')


def test_the_watch_over_the_suite_finds_nothing_in_a_line_as_it_should_be(written: io.StringIO) -> None:
    test_an_error_is_told_by_types_and_places_without_messages_however_it_is_chained(written)
    assert find_canaries(written.getvalue()) == []


@pytest.mark.machine
def test_a_test_that_logs_an_address_fails(tmp_path: Path) -> None:
    """The whole suite runs under this plugin, so what is planted here would be found anywhere."""
    (tmp_path / "test_planted.py").write_text(
        "import logging\n"
        "def test_one(): logging.getLogger('campaign.x').error('Mail to ' + 'some.body@example.org')\n"
        "def test_two(): logging.getLogger('campaign.x').error('Mail to somebody')\n"
        "def test_three(): logging.getLogger('library').error('Mail to some.body@example.org')\n",
        encoding="utf-8",
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "tests.scenes.log_canaries",
            "-p",
            "no:cacheprovider",
            str(tmp_path),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},  # noqa: TID251
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "3 passed, 1 error" in done.stdout
    assert "ERROR test_planted.py::test_one" in done.stdout
