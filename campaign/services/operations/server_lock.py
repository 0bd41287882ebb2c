"""The server lock: while it is on, no process has the keys, so nobody signs or signs in, and nothing is sent.

It is a file on each machine, which can be made without the database, and a row, which all machines see.
"""

import json
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from campaign.db import Database, upsert
from campaign.errors import ServerLocked
from campaign.models import AuditAction, ServerLock
from campaign.services.audit_log import record

N_ = str  # marks a sentence for the translators; the page translates it

_THE_ROW = 1
LOOK_EVERY = 1.0  # seconds
LOCKED = N_("The server is locked: its keys are not in memory. To unlock it, run: campaign unlock")


@dataclass(frozen=True)
class Lock:
    """The lock of one installation, as this machine sees it."""

    file: Path
    database: Database

    @property
    def is_on(self) -> bool:
        """Whether the keys must not be read here. If the database cannot be reached, only the file decides."""
        return bool(self._look())

    def _look(self) -> bool | None:
        if self.file.exists():
            return True
        url = self.database.engine.url
        if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
            return None  # connecting would make the file
        try:
            with self.database.snapshots() as session:
                return session.get(ServerLock, _THE_ROW) is not None
        except SQLAlchemyError:
            return None

    def refuse(self) -> None:
        """Raise ServerLocked while the lock is on."""
        if self.is_on:
            raise ServerLocked(LOCKED)

    def close_here(self, reason: str | None, *, now: datetime) -> None:
        """Lock this machine, whatever the state of the database. It can be repeated. Raises OSError."""
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"since": now.isoformat(), "reason": reason}, file)
            file.flush()
            os.fsync(file.fileno())
        _sync_folder(self.file.parent)

    def open_here(self) -> None:
        """Unlock this machine. It can be repeated."""
        self.file.unlink(missing_ok=True)
        _sync_folder(self.file.parent)

    def call_when_turned(self, call: Callable[[], None], *, was_on: bool) -> threading.Event:
        """Check each second, in separate threads, and ``call`` once when the lock has changed.

        A database that cannot be reached is no change: it neither locks nor unlocks. A database that hangs does not
        delay the lock of this machine, because another thread checks its file. Set the returned event to stop.
        """

        def call_once() -> None:
            if called.acquire(blocking=False):
                ended.set()
                call()

        def look(has_turned: Callable[[], bool]) -> None:
            while not has_turned():
                if ended.wait(LOOK_EVERY):
                    return
            call_once()

        ended, called = threading.Event(), threading.Lock()
        looks: list[Callable[[], bool]] = [lambda: self._look() not in (None, was_on)]
        if not was_on:
            looks.append(self.file.exists)
        for each in looks:
            threading.Thread(target=look, args=(each,), name="lock", daemon=True).start()
        return ended


def lock_others(
    sessions: sessionmaker[Session], reason: str | None, *, actor: str, now: datetime, within: float
) -> bool:
    """Lock the other machines through the database. Returns whether it answered ``within`` so many seconds.

    A database that hangs does not stop the caller.
    """
    locked = threading.Event()

    def lock() -> None:
        with suppress(SQLAlchemyError), sessions.begin() as session:
            lock_everywhere(session, reason, actor=actor, now=now)
            session.commit()
            locked.set()

    threading.Thread(target=lock, daemon=True).start()
    return locked.wait(within)


def lock_everywhere(session: Session, reason: str | None, *, actor: str, now: datetime) -> None:
    """Lock every machine that uses this database. It can be repeated: the first reason and time stay."""
    row = {"id": _THE_ROW, "since": now, "reason": reason}
    locked = session.execute(upsert(session, ServerLock).values(row).on_conflict_do_nothing().returning(ServerLock.id))
    if locked.scalar_one_or_none() is not None:
        record(session, actor, AuditAction.SERVER_LOCKED, None, now=now, reason=reason)


def unlock_everywhere(session: Session, *, actor: str, now: datetime) -> None:
    """Unlock every machine, except those that are locked by their own file."""
    if session.execute(delete(ServerLock).returning(ServerLock.id)).scalar_one_or_none() is not None:
        record(session, actor, AuditAction.SERVER_UNLOCKED, None, now=now)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
