"""The database: engine, base class, constraint names, times in UTC, and how a transaction begins."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from sqlalchemy import (
    URL,
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Integer,
    MetaData,
    NullPool,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

try:
    from pysqlite3 import dbapi2 as sqlite
except ImportError:  # other systems than Linux: Python's own, which may be older
    import sqlite3 as sqlite

# Before 3.51.3 two processes that checkpoint at once could corrupt a WAL database (sqlite.org/wal.html).
SAFE_WAL = (3, 51, 3)
_BUSY_MILLISECONDS = 30_000
# After these times a database server that does not answer, or whose connection is cut, is an error; otherwise a process
# would wait for hours. Values in the URL have precedence (postgresql.org, libpq connection parameters).
_CONNECT_SECONDS = 10
_SILENT_MILLISECONDS = 30_000


class _SqliteDialect(SQLiteDialect_pysqlite):
    """``sqlite+campaign://``: every user of the URL, also the workflow engine, loads the same SQLite library.

    Two copies of SQLite in one process release each other's locks on the file (sqlite.org/howtocorrupt.html §2.2.1).
    """

    driver = "campaign"
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> ModuleType:
        return cast("ModuleType", sqlite)


BigId = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """The base class of all tables. Constraints have names, so that a migration can refer to them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UTCDateTime(TypeDecorator[datetime]):
    """A time with timezone, stored as UTC. Raises ValueError for a time without timezone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time without a timezone cannot be stored.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        return _read_moment if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


@lru_cache(maxsize=256)
def _read_moment(stored: str | None) -> datetime | None:
    """Read a time that SQLite stores as text. It is cached, since thousands of rows have the same time of queueing."""
    return None if stored is None else datetime.fromisoformat(stored).replace(tzinfo=UTC)


def _process_name() -> str:
    """The name by which PostgreSQL distinguishes this process's connections from others."""
    return f"campaign {os.getpid()}"


def _postgresql_engine(url: URL) -> Engine:
    waits = {"connect_timeout": _CONNECT_SECONDS, "tcp_user_timeout": _SILENT_MILLISECONDS}
    ours = {name: value for name, value in waits.items() if name not in url.query}
    named = {**ours, "application_name": _process_name()}
    return create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=named)


@dataclass(frozen=True)
class Database:
    """One database with two kinds of sessions.

    ``sessions`` are for writing; SQLite has one writer at a time. ``snapshots`` are for reading: each reads one
    consistent state and does not wait for writers.
    """

    engine: Engine
    sessions: sessionmaker[Session]
    snapshots: sessionmaker[Session]

    @contextmanager
    def hold_name(self, name: str) -> Iterator[bool]:
        """Hold ``name`` on the database server within the block; yields False if another connection holds it.

        For SQLite it yields True: its file is on one machine, where a file lock does the same.
        """
        if self.engine.dialect.name != "postgresql":
            yield True
            return
        lock = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
        unlock = text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))")
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            held = bool(connection.scalar(lock, {"name": name}))
            try:
                yield held
            finally:
                if held:
                    connection.execute(unlock, {"name": name})

    def count_other_processes(self) -> int:
        """The number of connections of other processes to the database server; 0 for SQLite, which has no server."""
        if self.engine.dialect.name != "postgresql":
            return 0
        others = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND application_name IS DISTINCT FROM :ours"
        )
        with self.engine.connect() as connection:
            return int(connection.scalar(others, {"ours": _process_name()}) or 0)

    def ping(self) -> None:
        """Raise OperationalError if the database cannot be read."""
        with self.snapshots() as session:
            session.execute(text("SELECT 1"))

    def close_file(self) -> None:
        """Close a SQLite file that no other process has open, so that all its data is in one file."""
        with self.engine.connect() as connection:
            cast("Any", connection.connection.dbapi_connection).execute("PRAGMA journal_mode = DELETE")
        self.engine.dispose()

    def truncate_log(self) -> None:
        """Remove deleted data from SQLite's write-ahead log too, unless another process is reading the log now."""
        if self.engine.dialect.name != "sqlite":
            return
        with self.engine.connect() as connection:
            raw = cast("Any", connection.connection.dbapi_connection)
            raw.execute("PRAGMA busy_timeout = 100")  # milliseconds; while it waits, nobody can write
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            raw.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")


def _set_pragmas(connection: Any) -> None:
    """Set up a connection to our SQLite file: durable commits, overwritten deletions, checked references."""
    safe_wal = sqlite.sqlite_version_info >= SAFE_WAL
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
    connection.execute(f"PRAGMA journal_mode = {'WAL' if safe_wal else 'DELETE'}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA temp_store = MEMORY")  # sorting writes no temporary files beside the database


@contextmanager
def _file_lock(path: str) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _prepare_sqlite(engine: Engine, path: str) -> None:
    """Let writing transactions take SQLite's write lock when they begin, one at a time.

    SQLite's own busy handler sleeps between attempts. A writer that waits in ``flock`` wakes as soon as the writer
    before it has finished; this keeps the slowest signature as quick as the median (docs/decisions/0004).
    """

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # BEGIN is sent below
        _set_pragmas(connection)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("read_only"):
            connection.exec_driver_sql("BEGIN")
            return
        if "gate" not in connection.info:
            gate = _file_lock(path + ".lock")
            gate.__enter__()
            connection.info["gate"] = gate
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(engine, "reset")
    def _finished(_connection: Any, entry: ConnectionPoolEntry, _state: Any) -> None:
        if gate := entry.info.pop("gate", None):
            gate.__exit__(None, None, None)


def _sqlite_engine(url: URL) -> Engine:
    registry.register("sqlite.campaign", __name__, "_SqliteDialect")
    return create_engine(
        url.set(drivername="sqlite+campaign"),
        hide_parameters=True,
        pool_size=32,
        max_overflow=32,
        connect_args={"check_same_thread": False},
    )


def open_database(url: str) -> Database:
    """The database at ``url``: ``sqlite:///path`` or ``postgresql+psycopg://…``. It connects on first use."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = _sqlite_engine(parsed)
        _prepare_sqlite(engine, str(parsed.database))
        reading = engine.execution_options(read_only=True)
    else:
        engine = _postgresql_engine(parsed)
        reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Database(
        engine=engine,
        sessions=sessionmaker(engine, expire_on_commit=False),
        snapshots=sessionmaker(reading, expire_on_commit=False),
    )


def upsert(session: Session, table: type[Base]) -> Any:
    """An INSERT that supports ON CONFLICT. Both databases have it, but SQLAlchemy has a separate class for each."""
    insert = insert_postgresql if session.get_bind().dialect.name == "postgresql" else insert_sqlite
    return insert(table)


def open_for_workflows(url: str) -> Engine:
    """A separate connection pool to the same database for the workflow engine, which sends BEGIN itself and polls."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return _postgresql_engine(parsed)
    engine = _sqlite_engine(parsed)

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = "IMMEDIATE"
        _set_pragmas(connection)

    return engine


def open_file(path: Path, *, write: bool = False) -> Engine:
    """Open a SQLite file that is written once by one process, or only read. No other file is made beside it."""
    query = {"mode": "rwc" if write else "ro", "uri": "true"}
    url = URL.create("sqlite", database=path.absolute().as_uri(), query=query)
    engine = create_engine(url, module=sqlite, poolclass=NullPool, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # BEGIN is sent below
        if write:
            connection.execute("PRAGMA journal_mode = OFF")  # if writing fails, the file is deleted
            connection.execute("PRAGMA synchronous = OFF")  # the caller syncs the file once, when it is complete

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine
