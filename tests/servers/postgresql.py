"""A PostgreSQL server of our own: temporary, on a Unix socket only, gone after the test run."""

import itertools
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import LiteralString, Self

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

from .child import start, unprivileged
from .missing import Missing

# Nothing here needs to outlive the run, so durability is switched off for speed.
CONFIGURATION = """
listen_addresses = ''
unix_socket_directories = '{folder}'
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 200
"""


def _programs() -> Path:
    """The folder of initdb, postgres and pg_ctl; Debian keeps it off PATH, one per version."""
    folders = [p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    folders.sort(key=lambda folder: float(folder.parent.name))
    on_path = shutil.which("initdb")
    if on_path:
        folders.insert(0, Path(on_path).resolve().parent)
    for folder in reversed(folders):
        if all((folder / name).exists() for name in ("initdb", "postgres", "pg_ctl")):
            return folder
    raise Missing("PostgreSQL")


class PrivateCluster:
    """`with PrivateCluster() as cluster: url = cluster.create_database()`."""

    def __init__(self) -> None:
        self._programs = _programs()
        self._identity = unprivileged("postgres")
        self._numbers = itertools.count(1)
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        # A socket's path may have 107 bytes, which a long TMPDIR would use up.
        room = tempfile.gettempdir()
        self._folder = Path(tempfile.mkdtemp(prefix="pg-", dir=room if len(room) < 50 else "/tmp"))
        try:
            if self._identity["user"] is not None:
                shutil.chown(self._folder, self._identity["user"])
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def create_database(self, template: str | None = None) -> str:
        """Create a database, empty or a copy of the one at the URL `template`, and return its URL."""
        name = f"test_{next(self._numbers)}"
        source = (make_url(template).database if template else None) or "template1"
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, source)
        url = URL.create(
            "postgresql+psycopg",
            username="postgres",
            database=name,
            query={"host": str(self._folder)},
        )
        return url.render_as_string(hide_password=False)

    def drop_database(self, url: str) -> None:
        """Drop the database at `url`, even while connections to it are open."""
        name = make_url(url).database
        assert name
        self._execute("DROP DATABASE {} WITH (FORCE)", name)

    def _execute(self, statement: LiteralString, *names: str) -> None:
        with self._connect() as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _connect(self) -> psycopg.Connection:
        # The maintenance database, since a template must have no connection while it is copied.
        return psycopg.connect(host=str(self._folder), user="postgres", dbname="postgres", autocommit=True)

    def _start(self) -> None:
        data = self._folder / "data"
        # Nobody else can enter the folder of the socket, so trusting every connection is safe.
        self._run(
            "initdb", "--pgdata", str(data), "--username=postgres", "--auth=trust", "--no-sync",
            "--encoding=UTF8", "--locale=C.UTF-8",
        )  # fmt: skip
        with (data / "postgresql.conf").open("a") as configuration:
            configuration.write(CONFIGURATION.format(folder=self._folder))
        with (self._folder / "log").open("wb") as log:
            command = (self._programs / "postgres", "-D", data)
            # INT is PostgreSQL's fast shutdown.
            self._server = start(command, self._identity, stop="INT", output=log, folder=self._folder)
        self._wait_until_it_answers(seconds=30)

    def _wait_until_it_answers(self, seconds: float) -> None:
        assert self._server
        deadline = time.monotonic() + seconds
        while True:
            try:
                self._connect().close()
            except psycopg.OperationalError:
                if self._server.poll() is not None or time.monotonic() > deadline:
                    log = (self._folder / "log").read_text(errors="replace")
                    raise RuntimeError(f"PostgreSQL did not start:\n{log}") from None
                time.sleep(0.05)
            else:
                return

    def _stop(self) -> None:
        if self._server and self._server.poll() is None:
            data = str(self._folder / "data")
            self._run("pg_ctl", "stop", "--mode=fast", "--wait", "--pgdata", data)
            self._server.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *words: str) -> None:
        done = subprocess.run(
            [self._programs / program, *words],
            cwd=self._folder,  # the current folder may be closed to that user
            capture_output=True,
            text=True,
            check=False,
            **self._identity,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed:\n{done.stdout}{done.stderr}")
