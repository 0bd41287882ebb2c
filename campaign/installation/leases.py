"""Workers and their names: one process for each name, signs of life, and what a dead one leaves is taken over."""

import fcntl
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from campaign.errors import AlreadyRunning
from campaign.installation.wiring import Campaign
from campaign.services.delivery.heartbeats import beat, forget_worker, list_silent
from campaign.services.delivery.ledger import settle_claims
from campaign.settings import Settings

_log = logging.getLogger(__name__)

RUNNING = "running.lock"
BEAT_EVERY = 15.0  # seconds; a worker is held for dead after two minutes


@contextmanager
def holding(campaign: Campaign, worker: str) -> Iterator[None]:
    """Hold a worker's name: what a process of this name had claimed is then certain to be nobody's any more.

    What it had claimed is settled first. Raises AlreadyRunning where a process of this name lives.
    """
    folder = campaign.settings.data_dir
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / f"{worker}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise AlreadyRunning(f"A worker named {worker} is running already.") from None
    try:
        with campaign.database.hold_name(f"campaign worker {worker}") as held:
            if not held:
                raise AlreadyRunning(
                    f"A worker named {worker} is running on another machine; set CAMPAIGN_WORKER_NAME."
                )
            with campaign.database.sessions.begin() as session:
                settle_claims(session, worker, campaign.settings.journals, now=campaign.now())
            yield
    finally:
        os.close(descriptor)


@contextmanager
def running(settings: Settings) -> Iterator[None]:
    """Serve or work: nobody replaces the database meanwhile. Raises AlreadyRunning while somebody does."""
    with _locked(settings, fcntl.LOCK_SH, "The database is being restored from a backup; start this when it is done."):
        yield


@contextmanager
def standing_still(campaign: Campaign) -> Iterator[None]:
    """Keep web server and worker of this machine from starting. Raises AlreadyRunning where one runs, on any."""
    with _locked(campaign.settings, fcntl.LOCK_EX, "Web server or worker is running: stop both, then try again."):
        if campaign.database.count_other_processes():
            raise AlreadyRunning("Something else uses the database: stop web server and worker, on every machine.")
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
def beating(campaign: Campaign, *, every: float = BEAT_EVERY) -> Iterator[None]:
    """Give a sign of life at once and every so many seconds, from a thread of its own: a chunk may take long.

    The last sign is left behind at the end, since a chunk may be: another worker takes it over, or this one next time.
    """
    ended = threading.Event()

    def give_signs() -> None:
        while not ended.wait(every):
            _beat(campaign)

    _beat(campaign)
    thread = threading.Thread(target=give_signs, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _beat(campaign: Campaign) -> None:
    try:
        with campaign.database.sessions.begin() as session:
            beat(session, campaign.settings.worker_name, now=campaign.now())
    except SQLAlchemyError:
        _log.exception("The sign of life could not be given")


def take_over_dead(campaign: Campaign) -> list[str]:
    """Settle what silent workers had claimed, and have their chunks sent by the living; which workers those were.

    Holding the dead worker's name makes it certain that it is dead, not slow, and that one alone takes over; the sign
    that it gave last is forgotten when all is done, so that a taker who dies on the way is taken over from as well.
    """
    taken = []
    with campaign.database.snapshots() as session:
        silent = list_silent(session, now=campaign.now())
    for worker in silent:
        try:
            with holding(campaign, worker):
                with campaign.database.snapshots() as session:
                    still_silent = worker in list_silent(session, now=campaign.now())
                if still_silent:
                    campaign.jobs.resume_chunks(worker)
                    with campaign.database.sessions.begin() as session:
                        forget_worker(session, worker)
                    taken.append(worker)
        except AlreadyRunning:
            _log.warning("A worker is running, but gives no sign of life", extra={"worker": worker})
    return taken
