"""The workflow engine (DBOS): the digest's schedule, and the sending of an edition in chunks that survive a crash.

The only module that knows DBOS. Importing it registers and starts nothing. The engine repeats a step that was cut
short; that no mail is sent twice is not its doing but the ledger's (``campaign.services.delivery.send``).
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, Protocol, cast

from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, WorkflowSerializationFormat
from sqlalchemy import Engine, QueuePool
from sqlalchemy.orm import Session

from campaign.db import open_for_workflows
from campaign.models import Edition
from campaign.periods import FINISHED_JOBS_KEPT
from campaign.services.digests.enqueue import list_chunks

APPLICATION: Final = "campaign"
VERSION: Final = "1"  # raised only when the steps of a workflow change
QUEUE: Final = "chunks"
SEND_CHUNK: Final = "send_chunk"  # these names are in the database
TICK: Final = "tick"
FINISHED: Final = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
WAIT_FOR_SERVER: Final = 30.0

_log = logging.getLogger(__name__)


class Work(Protocol):
    """What the engine makes happen; ids only go through it."""

    def send_chunk(self, edition_id: int, first: int, last: int) -> bool:
        """Send the chunk's waiting mails; whether the mail server could be used to the end."""

    def tick(self) -> None:
        """Do what is due by the clock. Called once a minute, over all workers."""


class Jobs:
    """For processes that only ask for work: no thread, and no connection until it is used."""

    def __init__(self, database_url: str) -> None:
        self._engine = open_for_workflows(database_url)
        self._client = DBOSClient(
            system_database_engine=self._engine,
            serializer=DBOSPortableJSONSerializer(),  # the default is pickle
            application_name=APPLICATION,
            lazy=True,
            retry_connection_errors=False,  # else a request waits for ever on a lost database
        )

    def migrate(self) -> None:
        """Create or upgrade the engine's own tables, its queue and its schedule. Repeatable."""
        DBOS.migrate(self._engine.url.render_as_string(hide_password=False))
        # worker_, not global_concurrency: the latter also counts what a dead machine left behind. One at a time: a
        # chunk's claims bear its name, and that of a resumed edition would settle those of the start before.
        self._client.register_queue(QUEUE, worker_concurrency=1, polling_interval_sec=0.25)
        self._client.apply_schedules([{"schedule_name": TICK, "workflow_name": TICK, "schedule": "* * * * *"}])

    def enqueue_edition(self, session: Session, edition: Edition) -> None:
        """Add the jobs that send an edition which has just started, in the caller's transaction: all of them, or none.

        Each start has its own jobs. The jobs of the start before have ended, or end at their next batch.
        """
        for first, last in list_chunks(session, edition):
            self._client.enqueue_in_transaction(
                session,
                {
                    "workflow_name": SEND_CHUNK,
                    "queue_name": QUEUE,
                    "workflow_id": f"edition-{edition.id}-{first}-{edition.starts}",
                    "app_version": VERSION,
                    "serialization_type": WorkflowSerializationFormat.PORTABLE,
                },
                edition.id,
                first,
                last,
            )

    def resume_chunks(self, worker: str) -> None:
        """Put what the dead ``worker`` had begun back into the queue, where any worker takes it up where it stopped.

        The caller makes sure that it is dead, and that nobody else does this now.
        """
        begun = self._client.list_workflows(
            status="PENDING",
            executor_id=worker,
            application_name=APPLICATION,
            load_input=False,
            load_output=False,
        )
        chunks = [workflow.workflow_id for workflow in begun if workflow.name == SEND_CHUNK]
        if chunks:
            self._client.resume_workflows(chunks, queue_name=QUEUE)
        for workflow in begun:
            if workflow.name == TICK:  # the next minute's does the same
                self._client.cancel_workflow(workflow.workflow_id)

    def is_drained(self, worker: str) -> bool:
        """Whether no chunk waits, and none is being sent by ``worker``; what another one sends is its own affair."""
        return not (self._has_chunks(["ENQUEUED", "DELAYED"]) or self._has_chunks(["PENDING"], worker))

    def _has_chunks(self, status: list[str], worker: str | None = None) -> bool:
        found = self._client.list_workflows(
            queue_name=QUEUE,
            status=status,
            application_name=APPLICATION,
            limit=1,
            load_input=False,
            load_output=False,
            executor_id=worker,
        )
        return bool(found)

    def forget_finished(self, *, now: datetime) -> None:
        """Delete the engine's records of work long done; it has no collector of its own."""
        before = (now - FINISHED_JOBS_KEPT).isoformat()
        while done := self._client.list_workflows(
            status=FINISHED,
            completed_before=before,
            application_name=APPLICATION,
            limit=500,
            load_input=False,
            load_output=False,
        ):
            self._client.delete_workflows([workflow.workflow_id for workflow in done])

    def forget_all(self) -> None:
        """Delete all work, done or not: it was about a database that has been replaced since."""
        while known := self._client.list_workflows(
            application_name=APPLICATION, limit=500, load_input=False, load_output=False
        ):
            self._client.delete_workflows([workflow.workflow_id for workflow in known])

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()


def _guarded(what: str, work: Any, *arguments: object) -> Any:
    """Run a step; where it fails, tell the engine only the kind of error: it keeps messages, which may name people."""
    try:
        return work(*arguments)
    except Exception as error:  # noqa: BLE001 (whatever it is, the engine repeats the step)
        _log.exception("A step failed and is tried again", extra={"step": what})
        raise RuntimeError(f"{what} failed: {type(error).__name__}") from None


def _register(work: Work) -> None:
    @DBOS.step(name="send_chunk_step", retries_allowed=True, interval_seconds=1, max_attempts=20, backoff_rate=2)
    def send(edition_id: int, first: int, last: int) -> bool:
        return bool(_guarded(SEND_CHUNK, work.send_chunk, edition_id, first, last))

    @DBOS.workflow(name=SEND_CHUNK, max_recovery_attempts=1000)
    def send_chunk(edition_id: int, first: int, last: int) -> None:
        while not send(edition_id, first, last):
            DBOS.sleep(WAIT_FOR_SERVER)

    @DBOS.step(name="tick_step")
    def tick_once() -> None:
        _guarded(TICK, work.tick)

    @DBOS.workflow(name=TICK)
    def tick(_at: datetime, _context: Any) -> None:
        tick_once()


@contextmanager
def running(work: Work, database_url: str, worker: str, *, grace_seconds: int) -> Iterator[None]:
    """The engine at work in this process, taking up first what ``worker`` had begun when it was killed.

    One live process for each name: the caller holds a lock for it. ``grace_seconds`` is how long a chunk may go on
    after the end was asked for; it is resumed next time.
    """
    engine: Engine = open_for_workflows(database_url)
    config: DBOSConfig = {
        "name": APPLICATION,
        "system_database_engine": engine,
        "run_migrations": False,
        "executor_id": worker,
        "application_version": VERSION,
        "serializer": DBOSPortableJSONSerializer(),
        "log_level": "WARNING",
        "enable_otlp": False,
        "max_executor_threads": 8,
        # Nothing here waits for a notification, so no query is made; but the engine's end waits until the thread that
        # listens for them wakes up.
        "notification_listener_polling_interval_sec": 0.05,
    }
    log = logging.getLogger("dbos")
    if not log.handlers:
        log.addHandler(logging.NullHandler())  # else DBOS installs a handler of its own
    _register(work)
    DBOS(config=config)
    try:
        DBOS.launch()
        yield
    finally:
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=grace_seconds)
        _close(engine)


def _close(engine: Engine) -> None:
    """Close all connections. Threads of the library that are not waited for give theirs back in a moment."""
    pool = cast("QueuePool", engine.pool)
    until = time.monotonic() + 2
    while pool.checkedout() and time.monotonic() < until:
        time.sleep(0.01)
    engine.dispose()


def wait_until_drained(jobs: Jobs, worker: str, *, seconds: float) -> bool:
    """Wait until no chunk is left for ``worker``; False where some are after ``seconds``."""
    until, pause = time.monotonic() + seconds, 0.01
    while not (drained := jobs.is_drained(worker)) and time.monotonic() < until:
        time.sleep(pause)
        pause = min(0.2, 2 * pause)  # few mails are sent in a moment, many take hours
    return drained
