"""Leases of processes: one process for each worker name, heartbeats, and taking over the mails of a dead worker."""

import fcntl
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from campaign.errors import AlreadyRunning
from campaign.installation.wiring import Installation
from campaign.services.delivery.heartbeats import beat, forget_worker, list_silent
from campaign.services.delivery.ledger import settle_claims
from campaign.settings import Settings

_log = logging.getLogger(__name__)

RUNNING = "running.lock"
HEARTBEAT_EVERY = 15.0  # seconds; after two minutes without one a worker counts as dead (periods.WORKER_DEAD_AFTER)


@contextmanager
def worker_lease(installation: Installation, worker: str) -> Iterator[None]:
    """Hold a worker's name. Then it is certain that no other process sends the mails claimed under this name.

    The mails that an earlier process had claimed are settled first. Raises AlreadyRunning if a process holds the name.
    """
    folder = installation.settings.data_dir
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / f"{worker}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise AlreadyRunning(f"A worker named {worker} is running already.") from None
    try:
        with installation.database.hold_name(f"campaign worker {worker}") as held:
            if not held:
                raise AlreadyRunning(
                    f"A worker named {worker} is running on another machine. Set another CAMPAIGN_WORKER_NAME."
                )
            with installation.database.sessions.begin() as session:
                settle_claims(session, worker, installation.settings.journals, now=installation.now())
            yield
    finally:
        os.close(descriptor)


@contextmanager
def shared_lease(settings: Settings) -> Iterator[None]:
    """Hold the lease of a web server or worker, so that the database is not replaced meanwhile.

    Raises AlreadyRunning while a backup is being restored.
    """
    with _locked(settings, fcntl.LOCK_SH, "The database is being restored from a backup. Start again after that."):
        yield


@contextmanager
def exclusive_lease(installation: Installation) -> Iterator[None]:
    """Hold the database alone: no web server and no worker of this machine can start meanwhile.

    Raises AlreadyRunning if one is running, on this machine or on another.
    """
    with _locked(
        installation.settings, fcntl.LOCK_EX, "The web server or the worker is running. Stop both, then try again."
    ):
        if installation.database.count_other_processes():
            raise AlreadyRunning(
                "Another process uses the database. Stop the web server and the worker on every machine."
            )
        yield


@contextmanager
def _locked(settings: Settings, how: int, refusal: str) -> Iterator[None]:
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(settings.data_dir / RUNNING, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(refusal) from None
        yield
    finally:
        os.close(descriptor)


@contextmanager
def heartbeats(installation: Installation, *, every: float = HEARTBEAT_EVERY) -> Iterator[None]:
    """Send a heartbeat at once and then ``every`` so many seconds, from its own thread, since a chunk may take long.

    The last heartbeat stays in the database at the end, because an unfinished chunk may stay too: another worker takes
    it over, or this worker when it starts again.
    """
    ended = threading.Event()

    def keep_beating() -> None:
        while not ended.wait(every):
            _beat(installation)

    _beat(installation)
    thread = threading.Thread(target=keep_beating, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _beat(installation: Installation) -> None:
    try:
        with installation.database.sessions.begin() as session:
            beat(session, installation.settings.worker_name, now=installation.now())
    except SQLAlchemyError:
        _log.exception("The heartbeat could not be sent")


def take_over_dead_workers(installation: Installation) -> list[str]:
    """Settle the claims of silent workers, and let living workers send their chunks; returns the names of the dead.

    Holding the worker's name makes certain that the worker is dead and not slow, and that only one process takes over.
    The last heartbeat is deleted at the end, so that another process can take over if this one dies on the way.
    """
    taken = []
    with installation.database.snapshots() as session:
        silent = list_silent(session, now=installation.now())
    for worker in silent:
        try:
            with worker_lease(installation, worker):
                with installation.database.snapshots() as session:
                    still_silent = worker in list_silent(session, now=installation.now())
                if still_silent:
                    installation.jobs.resume_chunks(worker)
                    with installation.database.sessions.begin() as session:
                        forget_worker(session, worker)
                    taken.append(worker)
        except AlreadyRunning:
            _log.warning("A worker is running, but sends no heartbeat", extra={"worker": worker})
    return taken
