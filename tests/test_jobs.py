"""The workflow engine: work asked for in a transaction shares its fate, and what was asked for is done once."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, inspect, select, text

from campaign.installation.wiring import Installation
from campaign.jobs import QUEUE, running, wait_until_drained
from campaign.models import Edition
from campaign.services.digests.editions import make_edition
from campaign.services.digests.transitions import get_for_change, pause_edition, resume_edition
from campaign.services.petitions.store import get_petition
from tests.conftest import SLUG, MakeInstallation
from tests.scenes.people import add_readers


class Noted:
    """Work that notes what it is asked for, and fails or cannot reach the server as often as it is told."""

    def __init__(self, *, failing: int = 0) -> None:
        self.chunks: list[tuple[int, int, int]] = []
        self.failing = failing
        self.lock = threading.Lock()

    def send_chunk(self, edition_id: int, first: int, last: int) -> bool:
        with self.lock:
            self.chunks.append((edition_id, first, last))
            if self.failing:
                self.failing -= 1
                raise ValueError("aigul@example.org is in this message")
        return True

    def tick(self) -> None:
        pass


def enqueue(installation: Installation, *, commit: bool = True) -> Edition:
    with installation.database.sessions() as session:
        petition = get_petition(session, SLUG)
        edition = make_edition(
            session, petition, installation.links, installation.dispatch, period="by hand", now=installation.now()
        )
        if commit:
            session.commit()
        else:
            session.rollback()
    return edition


def drain(installation: Installation, work: Noted, *, grace_seconds: int = 0) -> None:
    """Do what waits. With time of grace the engine takes a second of it, however little there is to end."""
    with running(work, installation.settings.database_url, "worker-1", grace_seconds=grace_seconds):
        assert wait_until_drained(installation.jobs, "worker-1", seconds=30)


def test_work_asked_for_in_a_transaction_rolled_back_is_forgotten(installation: Installation) -> None:
    add_readers(installation, "a@example.org")
    enqueue(installation, commit=False)
    assert installation.jobs.is_drained("worker-1")
    with installation.database.snapshots() as session:
        assert session.scalars(select(func.count()).select_from(Edition)).one() == 0
    work = Noted()
    drain(installation, work, grace_seconds=5)
    assert work.chunks == []


def test_every_chunk_is_worked_off_once(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("campaign.services.digests.enqueue.CHUNK", 3)
    add_readers(installation, *(f"reader{number}@example.org" for number in range(7)))
    edition = enqueue(installation)
    assert not installation.jobs.is_drained("worker-1")
    work = Noted()
    drain(installation, work)
    first = min(chunk[1] for chunk in work.chunks)
    assert sorted(work.chunks) == [
        (edition.id, first, first + 2),
        (edition.id, first + 3, first + 5),
        (edition.id, first + 6, first + 6),
    ]
    drain(installation, again := Noted())
    assert again.chunks == []


def test_a_step_that_fails_is_tried_again_and_its_message_is_not_kept(installation: Installation) -> None:
    add_readers(installation, "a@example.org")
    enqueue(installation)
    work = Noted(failing=1)
    drain(installation, work)
    assert len(work.chunks) == 2
    kept = []
    with installation.database.snapshots() as session:
        bind = session.get_bind()
        inspector = inspect(bind)
        for schema in {None, "dbos"} & {None, *inspector.get_schema_names()}:
            for table in inspector.get_table_names(schema):
                name = f'"{schema}"."{table}"' if schema else f'"{table}"'
                kept += [str(row) for row in session.execute(text(f"SELECT * FROM {name}"))]
    assert kept
    assert not any("aigul@example.org" in row for row in kept)


def test_finished_work_is_forgotten_after_a_week_and_waiting_work_never(installation: Installation) -> None:
    add_readers(installation, "a@example.org")
    enqueue(installation)
    long_after = installation.now() + timedelta(days=3650)
    installation.jobs.forget_finished(now=long_after)
    assert not installation.jobs.is_drained("worker-1")
    drain(installation, Noted())
    # The tick may have come in between: it is no chunk.
    assert len(installation.jobs._client.list_workflows(queue_name=QUEUE)) == 1
    installation.jobs.forget_finished(now=long_after)
    assert installation.jobs._client.list_workflows(queue_name=QUEUE) == []


def test_an_edition_that_waits_is_not_asked_for_and_each_start_has_jobs_of_its_own(installation: Installation) -> None:
    add_readers(installation, "a@example.org")
    edition = enqueue(installation)
    drain(installation, first := Noted())
    with installation.database.sessions.begin() as session:
        edition = get_for_change(session, edition.petition_id, 1)
        pause_edition(session, edition, "somebody", installation.now())
    drain(installation, paused := Noted())
    with installation.database.sessions.begin() as session:
        edition = get_for_change(session, edition.petition_id, 1)
        resume_edition(session, edition, "somebody", installation.now(), installation.dispatch)
    drain(installation, resumed := Noted())
    assert (len(first.chunks), paused.chunks, resumed.chunks) == (1, [], first.chunks)


def test_asking_for_the_same_edition_twice_sends_it_once(make_installation: MakeInstallation) -> None:
    installation = make_installation()
    add_readers(installation, "a@example.org")
    edition = enqueue(installation)
    with installation.database.sessions.begin() as session:
        installation.jobs.enqueue_edition(session, edition)
    work = Noted()
    drain(installation, work)
    assert len(work.chunks) == 1
