"""A backup: our tables, copied row by row into a SQLite file, from either kind of database.

Names and addresses in it are sealed as in the database, and the keys are not in it.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, Table, Text, func, insert, select
from sqlalchemy.orm import Session

from campaign.db import Base
from campaign.errors import InvalidFile
from campaign.models import ConfirmationAllowance, LinkRequest

FORMAT = "1"
_AT_A_TIME = 1000
# Tables about running processes, not about people and petitions.
_NOT_KEPT = frozenset({"heartbeat", "sending_pace", "server_lock"})
# Tables that prevent repeated mails, for a month at most. If such a row were restored, nothing would say that its
# person was forgotten since; so these tables are in no backup, and a restore empties them.
SHORT_LIVED = (LinkRequest.__table__, ConfirmationAllowance.__table__)

# What the backup says about itself, as names and values.
NOTE = Table("backup_note", MetaData(), Column("name", Text, primary_key=True), Column("value", Text, nullable=False))


def list_tables() -> list[Table]:
    """The tables of a backup, each after the tables that it refers to."""
    return [table for table in Base.metadata.sorted_tables if table.name not in _NOT_KEPT and table not in SHORT_LIVED]


def count_rows(session: Session) -> int:
    """The number of rows that a backup would have."""
    return sum(session.scalar(select(func.count()).select_from(table)) or 0 for table in list_tables())


@contextmanager
def whole_or_not_at_all(path: Path) -> Iterator[Path]:
    """A file to write to, readable by this user alone, which gets the name ``path`` when it is complete on the disk.

    Raises InvalidFile if it cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        yield part
        _sync(part)
        part.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise InvalidFile(f"{path} cannot be written: {error.strerror}.") from None
    finally:
        part.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_backup(
    session: Session, target: Connection, *, mark: str, now: datetime, copied: Callable[[int], object]
) -> None:
    """Copy all rows in the snapshot of ``session`` into the empty database of ``target``."""
    Base.metadata.create_all(target)  # tables that are not copied too, empty: a later migration may change them
    NOTE.create(target)
    notes = {"format": FORMAT, "made_at": now.isoformat(), "keyring": mark}
    target.execute(insert(NOTE), [{"name": name, "value": value} for name, value in notes.items()])
    copy_rows(session.connection(), target, copied)


def copy_rows(source: Connection, target: Connection, copied: Callable[[int], object]) -> None:
    """Copy every row of every table; ``copied`` is called with the number of rows of each batch."""
    for table in list_tables():
        found = source.execute(select(table).execution_options(yield_per=_AT_A_TIME))
        for rows in found.mappings().partitions():
            target.execute(insert(table), [dict(row) for row in rows])
            copied(len(rows))
