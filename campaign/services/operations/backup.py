"""A backup: our tables, copied row by row into a SQLite file of their own, whichever database they are in.

Names and addresses in it are sealed as they are in the database, and the keys are not in it.
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
# What is about processes that run, not about people and petitions.
_NOT_KEPT = frozenset({"heartbeat", "sending_pace", "server_lock"})
# What holds back repeated mails, for a month at most. Nothing would tell of a restored row that its person has been
# forgotten since, so these are in no backup, and a restore empties them.
SHORT_LIVED = (LinkRequest.__table__, ConfirmationAllowance.__table__)

# What the backup is, as names and values.
NOTE = Table("backup_note", MetaData(), Column("name", Text, primary_key=True), Column("value", Text, nullable=False))


def list_tables() -> list[Table]:
    """The tables that are kept, each after those that it refers to."""
    return [table for table in Base.metadata.sorted_tables if table.name not in _NOT_KEPT and table not in SHORT_LIVED]


def count_rows(session: Session) -> int:
    """How many rows a backup would have."""
    return sum(session.scalar(select(func.count()).select_from(table)) or 0 for table in list_tables())


@contextmanager
def whole_or_not_at_all(path: Path) -> Iterator[Path]:
    """A file of this user's alone to write to, which takes the name ``path`` when it is on the disk.

    Raises InvalidFile where it cannot be written.
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
    """Copy all rows that ``session`` sees, a snapshot, into the empty database of ``target``."""
    Base.metadata.create_all(target)  # what is not kept too, empty: a later migration may change it
    NOTE.create(target)
    notes = {"format": FORMAT, "made_at": now.isoformat(), "keyring": mark}
    target.execute(insert(NOTE), [{"name": name, "value": value} for name, value in notes.items()])
    copy_rows(session.connection(), target, copied)


def copy_rows(source: Connection, target: Connection, copied: Callable[[int], object]) -> None:
    """Copy every row of every table; ``copied`` is told how many each time."""
    for table in list_tables():
        found = source.execute(select(table).execution_options(yield_per=_AT_A_TIME))
        for rows in found.mappings().partitions():
            target.execute(insert(table), [dict(row) for row in rows])
            copied(len(rows))
