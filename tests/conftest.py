"""What most tests stand on: a database made by the migrations (SQLite and PostgreSQL), a campaign, a clock to turn."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser
from sqlalchemy import delete
from sqlalchemy.orm import Session

from campaign.installation.setup import set_up
from campaign.installation.wiring import Installation, wire
from campaign.jobs import QUEUE
from campaign.mail.smtp.transport import Transport
from campaign.models import AuditEntry, Petition
from campaign.run.supervisor import BUILT_IN
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.petitions.file_reader import read_petition_file
from campaign.services.petitions.lifecycle import open_petition
from campaign.services.petitions.store import get_petition, load_petition
from campaign.settings import Settings
from campaign.web.app import create_app
from tests.servers.browser import chromium
from tests.servers.missing import or_skip
from tests.servers.postgresql import PrivateCluster

pytest_plugins = [
    "tests.plugin",
    "tests.scenes.commands",
    "tests.scenes.copies",
    "tests.scenes.log_canaries",
    "tests.scenes.organizing",
]

# A Monday noon in Almaty.
START = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
SLUG = "kazakhstan"
# Who does what has to be there before a test begins; tests read the audit trail without it.
STAGE = "the stage"


class Clock:
    """A clock that a test turns by hand."""

    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment

    def turn(self, by: timedelta) -> None:
        self.moment += by

    def sleep(self, seconds: float) -> None:
        """Waiting takes no time of the test: the clock goes on by so much at once."""
        self.turn(timedelta(seconds=seconds))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def settings_for(folder: Path, **overrides: object) -> Settings:
    """Settings of a test's own installation, whatever the environment says."""
    values: dict[str, object] = {"data_dir": folder / "var", "form_min_seconds": 0, "source_limit": "off", **overrides}
    return Settings(_env_file=None, **values)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, here for all tests: playwright allows one in a thread, and an imported fixture would be another."""
    with or_skip(), chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def cluster() -> Iterator[PrivateCluster]:
    with or_skip(), PrivateCluster() as cluster:
        yield cluster


def _load(installation: Installation) -> None:
    set_up(installation)
    # In the database, where the engine reads it: by the usual pace each start of a worker would wait a quarter second.
    queue = installation.jobs._client.retrieve_queue(QUEUE)
    assert queue is not None
    queue.set_polling_interval_sec(0.02)
    with installation.database.sessions.begin() as session:
        open_petition(
            session,
            load_petition(session, read_petition_file(BUILT_IN), actor=COMMAND_LINE, now=START),
            actor=COMMAND_LINE,
            now=START,
        )
        session.flush()
        session.execute(delete(AuditEntry))  # tests look at the trail of what they do themselves


def close_installation(installation: Installation) -> None:
    """Close all that it has open."""
    installation.database.engine.dispose()
    installation.jobs.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the built-in campaign, to be copied: making one takes a second, copying it none."""
    folder = tmp_path_factory.mktemp("template")
    installation = wire(settings_for(folder))
    _load(installation)
    close_installation(installation)
    return folder / "var"


@pytest.fixture(scope="session")
def postgresql_template(cluster: PrivateCluster, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("template-pg")
    url = cluster.create_database()
    installation = wire(settings_for(folder, database_url=url))
    _load(installation)
    close_installation(installation)
    return url, folder / "var"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


MakeInstallation = Callable[..., Installation]


@pytest.fixture
def make_sqlite_installation(folder: Path, sqlite_template: Path, clock: Clock) -> Iterator[MakeInstallation]:
    """Make an installation on SQLite with the petition open; keywords are settings, or ``open_transport``."""
    made: list[Installation] = []

    def make(open_transport: Callable[[], Transport] | None = None, **settings: object) -> Installation:
        if not (folder / "var").exists():
            shutil.copytree(sqlite_template, folder / "var")
        installation = wire(
            settings_for(folder, **settings), now=clock, sleep=clock.sleep, open_transport=open_transport
        )
        made.append(installation)
        return installation

    yield make
    for installation in made:
        close_installation(installation)


@pytest.fixture
def sqlite_installation(make_sqlite_installation: MakeInstallation) -> Installation:
    return make_sqlite_installation()


@pytest.fixture(params=["sqlite", "postgresql"])
def make_installation(request: pytest.FixtureRequest, folder: Path, clock: Clock) -> Iterator[MakeInstallation]:
    """The same on both databases: a test that takes it runs twice."""
    if request.param == "sqlite":
        yield request.getfixturevalue("make_sqlite_installation")
        return
    cluster: PrivateCluster = request.getfixturevalue("cluster")
    template, template_folder = request.getfixturevalue("postgresql_template")
    shutil.copytree(template_folder, folder / "var")
    url = cluster.create_database(template)
    made: list[Installation] = []

    def make(open_transport: Callable[[], Transport] | None = None, **settings: object) -> Installation:
        installation = wire(
            settings_for(folder, database_url=url, **settings),
            now=clock,
            sleep=clock.sleep,
            open_transport=open_transport,
        )
        made.append(installation)
        return installation

    yield make
    for installation in made:
        close_installation(installation)
    cluster.drop_database(url)


@pytest.fixture
def installation(make_installation: MakeInstallation) -> Installation:
    return make_installation()


@pytest.fixture
def session(installation: Installation) -> Iterator[Session]:
    """A writing session that is committed at the end; for tests that need one transaction only."""
    with installation.database.sessions.begin() as session:
        yield session


@pytest.fixture
def petition(session: Session) -> Petition:
    return get_petition(session, SLUG)


def quick_app(installation: Installation) -> Flask:
    """The application with the cheapest argon2 there is: tests sign in hundreds of times."""
    app = create_app(installation)
    app.extensions["security"].pwd_context.update(argon2__time_cost=1, argon2__memory_cost=8, argon2__parallelism=1)
    return app


@pytest.fixture
def app(installation: Installation) -> Flask:
    return quick_app(installation)
