"""SQLite as we open it: what is deleted is overwritten, what is committed is synced, an old library gets no WAL."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine

from campaign import db
from campaign.db import Database, open_database, open_for_workflows
from campaign.installation.wiring import Installation
from campaign.worker import work_once
from tests.scenes.people import disown, get_signature, sign

# PRAGMA → value: https://sqlite.org/pragma.html
WANTED = {"secure_delete": 1, "synchronous": 2, "foreign_keys": 1, "journal_mode": "wal", "busy_timeout": 30_000}
OPENED: dict[str, Callable[[str], Engine]] = {
    "ours": lambda url: open_database(url).engine,
    "the workflow engine's": open_for_workflows,
}


@pytest.fixture(params=OPENED)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    engine = OPENED[request.param](f"sqlite:///{tmp_path / 'one.sqlite'}")
    yield engine
    engine.dispose()


def pragmas(engine: Engine, count: int = 3) -> list[dict[str, object]]:
    """Those of some connections that are open at the same time."""
    with ExitStack() as stack:
        raws = [stack.enter_context(engine.connect()).connection.dbapi_connection for _ in range(count)]
        return [
            {name: raw.cursor().execute(f"PRAGMA {name}").fetchone()[0] for name in WANTED}  # type: ignore[union-attr]
            for raw in raws
        ]


def test_every_connection_overwrites_what_is_deleted_and_syncs_what_is_committed(engine: Engine) -> None:
    assert pragmas(engine) == [WANTED] * 3
    engine.dispose()
    assert pragmas(engine) == [WANTED] * 3


def test_a_library_whose_wal_may_corrupt_gets_a_rollback_journal_that_is_synced(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "SAFE_WAL", (99, 0, 0))
    assert pragmas(engine) == [WANTED | {"journal_mode": "delete"}] * 3


def held_anywhere(database: Database, what: bytes) -> bool:
    path = Path(str(database.engine.url.database))
    return any(what in file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


@pytest.mark.parametrize("wal", [True, False], ids=["WAL", "rollback journal"])
def test_what_was_erased_is_in_no_file_after_the_workers_tick(
    sqlite_installation: Installation, monkeypatch: pytest.MonkeyPatch, wal: bool
) -> None:
    if not wal:
        monkeypatch.setattr(db, "SAFE_WAL", (99, 0, 0))
    installation = sqlite_installation
    sign(installation, "gone@example.org", comment="From the mine, at length. " * 30)
    signature = get_signature(installation, "gone@example.org")
    assert signature.sealed_person is not None
    assert signature.fingerprint is not None
    erased = (signature.sealed_person[-500:], signature.sealed_address or b"-", signature.fingerprint)
    disown(installation, "gone@example.org")
    work_once(installation)
    assert not any(held_anywhere(installation.database, part) for part in erased[:2])
    # By it the address is kept from getting mail.
    assert held_anywhere(installation.database, erased[2])


def test_the_write_ahead_log_is_empty_after_the_workers_tick(sqlite_installation: Installation) -> None:
    log = Path(f"{sqlite_installation.database.engine.url.database}-wal")
    sign(sqlite_installation, "a@example.org")
    assert log.stat().st_size > 0
    sqlite_installation.database.truncate_log()
    assert log.stat().st_size == 0


def test_while_somebody_reads_the_log_stays_and_nothing_waits(sqlite_installation: Installation) -> None:
    log = Path(f"{sqlite_installation.database.engine.url.database}-wal")
    with sqlite_installation.database.snapshots() as session:
        session.connection().exec_driver_sql("SELECT count(*) FROM signature").all()
        sign(sqlite_installation, "a@example.org")
        sqlite_installation.database.truncate_log()
        assert log.stat().st_size > 0
    sqlite_installation.database.truncate_log()
    assert log.stat().st_size == 0
