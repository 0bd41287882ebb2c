"""Removes deleted data from the database's files, where it stays until its place is used again."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from sqlalchemy import text

from campaign.db import Database
from campaign.services.privacy.burn import BURNED_TABLES

_WAIT_MILLISECONDS = 30_000


def scrub_burned(database: Database, outbox: Path) -> bool:
    """Remove from the disk what burning a petition has deleted, and the mails in the outbox. Returns as ``scrub``."""
    for mail in outbox.glob("*.eml"):
        mail.unlink()
    return scrub(database, [table.__tablename__ for table in BURNED_TABLES])


def scrub(database: Database, tables: Iterable[str]) -> bool:
    """Write the database anew without deleted data. Returns whether none of it is left in the files.

    False means that another process was reading SQLite's log, which keeps older pages until the next call. PostgreSQL
    writes ``tables`` anew; a client cannot reach its own log (WAL) and its archives.
    """
    if database.engine.dialect.name == "postgresql":
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in tables:
                quoted = connection.dialect.identifier_preparer.quote(table)
                connection.execute(text(f"VACUUM FULL {quoted}"))
        return True
    with database.engine.connect() as connection:
        raw = cast("Any", connection.connection.dbapi_connection)
        raw.execute("VACUUM")
        raw.execute(f"PRAGMA busy_timeout = {_WAIT_MILLISECONDS}")
        busy, *_ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy
