"""A database that is copied and put back by other means than `campaign restore`, on SQLite and PostgreSQL."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from campaign.installation.wiring import Installation, wire
from campaign.mail.smtp.transport import Transport
from tests.conftest import Clock, close_installation
from tests.servers.postgresql import PrivateCluster


class Copies:
    """Copies of one campaign's database. A copy may be put back several times."""

    def __init__(self, folder: Path, clock: Clock, request: pytest.FixtureRequest) -> None:
        self._folder = folder
        self._clock = clock
        self._request = request
        self._made: list[Installation] = []

    def make(self, installation: Installation) -> str:
        """Copy the database as it is now."""
        close_installation(installation)
        if installation.database.engine.dialect.name == "sqlite":
            copy = self._folder / "copy"
            copy.mkdir()
            for path in installation.settings.data_dir.glob("campaign.sqlite*"):
                shutil.copy(path, copy)
            return str(copy)
        return self._cluster.create_database(installation.settings.database_url)

    def put_back(
        self, installation: Installation, copy: str, open_transport: Callable[[], Transport] | None = None
    ) -> Installation:
        """The same installation with the copy as its database; all other files stay as they are."""
        close_installation(installation)
        settings = installation.settings
        if installation.database.engine.dialect.name == "sqlite":
            for path in settings.data_dir.glob("campaign.sqlite*"):
                path.unlink()
            for path in Path(copy).iterdir():
                shutil.copy(path, settings.data_dir)
        else:
            settings = settings.model_copy(update={"database_url": self._cluster.create_database(copy)})
        restored = wire(settings, now=self._clock, open_transport=open_transport)
        self._made.append(restored)
        return restored

    @property
    def _cluster(self) -> PrivateCluster:
        cluster: PrivateCluster = self._request.getfixturevalue("cluster")
        return cluster

    def close(self) -> None:
        for installation in self._made:
            close_installation(installation)


@pytest.fixture
def copies(folder: Path, clock: Clock, request: pytest.FixtureRequest) -> Iterator[Copies]:
    made = Copies(folder, clock, request)
    yield made
    made.close()
