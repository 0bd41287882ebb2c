"""Signatures per second: one durable transaction each, in one thread."""

from pathlib import Path

from sqlalchemy import text

from .measuring import Result, new_installation, per_second
from .people import sign_many

COUNT = 2000


def signatures(folder: Path) -> Result:
    """The service ``sign``, compared with a transaction of one row by the same engine, which has the same fsyncs."""
    installation = new_installation(folder)
    ours = per_second(COUNT, lambda: sign_many(installation, COUNT))
    with installation.database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE bare (id INTEGER PRIMARY KEY, value BLOB)"))

    def bare() -> None:
        for _ in range(COUNT):
            with installation.database.engine.begin() as connection:
                connection.execute(text("INSERT INTO bare (value) VALUES (randomblob(200))"))

    return Result("signatures, one transaction each", ours, per_second(COUNT, bare), "one bare INSERT per transaction")
