"""A database that is copied and put back by other means than `campaign restore`, on SQLite and PostgreSQL."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from campaign.installation.wiring import Campaign, wire
from campaign.mail.smtp.transport import Transport
from tests.conftest import Clock, close_campaign
from tests.servers.postgresql import PrivateCluster


class Copies:
    """Copies of one campaign's database. A copy may be put back several times."""

    def __init__(self, folder: Path, clock: Clock, request: pytest.FixtureRequest) -> None:
        self._folder = folder
        self._clock = clock
        self._request = request
        self._made: list[Campaign] = []

    def make(self, campaign: Campaign) -> str:
        """Copy the database as it is now."""
        close_campaign(campaign)
        if campaign.database.engine.dialect.name == "sqlite":
            copy = self._folder / "copy"
            copy.mkdir()
            for path in campaign.settings.data_dir.glob("campaign.sqlite*"):
                shutil.copy(path, copy)
            return str(copy)
        return self._cluster.create_database(campaign.settings.database_url)

    def put_back(
        self, campaign: Campaign, copy: str, open_transport: Callable[[], Transport] | None = None
    ) -> Campaign:
        """The same installation with the copy as its database; all other files stay as they are."""
        close_campaign(campaign)
        settings = campaign.settings
        if campaign.database.engine.dialect.name == "sqlite":
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
        for campaign in self._made:
            close_campaign(campaign)


@pytest.fixture
def copies(folder: Path, clock: Clock, request: pytest.FixtureRequest) -> Iterator[Copies]:
    made = Copies(folder, clock, request)
    yield made
    made.close()
