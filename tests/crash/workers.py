"""A worker as a process of its own, to be killed, and its installation on a clock that goes."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from campaign.installation.wiring import Installation
from campaign.models import Delivery, DeliveryKind
from campaign.services.digests.editions import make_edition
from campaign.services.petitions.store import get_petition
from tests.conftest import SLUG
from tests.scenes.people import list_deliveries

ROOT = Path(__file__).parent.parent.parent


def environment(installation: Installation, **settings: str) -> dict[str, str]:
    """What a process of this installation is started with, and nothing else."""
    return {
        "PYTHONPATH": str(ROOT),
        "CAMPAIGN_DATA_DIR": str(installation.settings.data_dir),
        "CAMPAIGN_DATABASE_URL": installation.settings.database_url,
        **{f"CAMPAIGN_{name.upper()}": value for name, value in settings.items()},
    }


def run(installation: Installation, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """One command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "campaign", *words],
        env=environment(installation, **settings),
        cwd=installation.settings.data_dir,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@contextmanager
def worker(installation: Installation, smtp_url: str, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that is killed with SIGKILL at the end of the block, wherever it is then."""
    with (installation.settings.data_dir / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "campaign", "worker"],
            env=environment(installation, smtp_url=smtp_url, **settings),
            cwd=installation.settings.data_dir,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
        assert process.poll() is None, (installation.settings.data_dir / "worker.log").read_text()
    finally:
        process.kill()
        process.wait()


def enqueue_digest(installation: Installation) -> None:
    """An edition for all readers, as `campaign digest send` makes it."""
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        make_edition(
            session, petition, installation.links, installation.dispatch, period="by hand", now=installation.now()
        )


def digests(installation: Installation) -> list[Delivery]:
    """The edition's part of the ledger."""
    return [item for item in list_deliveries(installation) if item.kind is DeliveryKind.DIGEST]
