"""A pytest plugin: how a run goes, whatever is tested: in memory, the longest first, and what is told at its end."""

import gc
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from tests.crash import table as crash_table
from tests.fuzz import table as fuzz_table
from tests.scenes.compiled import compile_once

# Tests make very many small files, which a disk may take a millisecond for, each.
MEMORY = Path("/dev/shm")
ROOM = 3 << 30  # bytes; a run has had less than 1 GiB at once

# Modules with a test of many seconds. They begin first, for one that begins last would be waited for alone.
LONGEST = (
    "tests/safety/test_canary_scan.py",
    "tests/fuzz/test_web.py",
    "tests/crash/test_kill.py",
    "tests/crash/test_pacing.py",
    "tests/services/operations/test_server_lock.py",
    "tests/repository/test_matrix.py",
    "tests/repository/test_dependencies.py",
    "tests/web/server/test_crowd.py",
    "tests/web/core/test_sites.py",
    "tests/fuzz/test_mails.py",
    "tests/fuzz/test_openapi.py",
    "tests/browser/test_signing.py",
    "tests/browser/test_challenge.py",
    "tests/browser/test_organizing.py",
    "tests/browser/test_scanner.py",
    "tests/cli/test_commands.py",
)
# What asks for one of these, or for the database of this name, needs a program that pip does not install.
PROGRAMS = {"cluster", "browser"}
POSTGRESQL = "postgresql"


def pytest_configure() -> None:
    """Keep what tests write in memory, where there is room for it and nobody has named another place."""
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM:  # noqa: TID251
        os.environ["TMPDIR"] = str(MEMORY)  # noqa: TID251
        tempfile.tempdir = None
    compile_once()
    # Tests leave little that is garbage and much that lives: searching for it at the usual pace takes a sixth of a run.
    gc.set_threshold(200_000, 50, 50)
    # How long a case takes says how busy the machine is.
    settings.register_profile("untimed", deadline=None)
    settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the ``machine``, and put the longest first."""
    for item in items:
        parameters = getattr(item, "callspec", None)
        if PROGRAMS & set(getattr(item, "fixturenames", ())) or (
            parameters is not None and POSTGRESQL in parameters.params.values()
        ):
            item.add_marker("machine")
    places = {module: place for place, module in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    crash_table.write_table(terminalreporter)
    fuzz_table.write_table(terminalreporter)
