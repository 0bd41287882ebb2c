"""The results of a benchmark, an installation to run it on, and the measuring of a rate."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from campaign.installation.setup import set_up
from campaign.installation.wiring import Installation, wire
from campaign.mail.smtp.transport import Transport
from campaign.run.supervisor import BUILT_IN
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.petitions.file_reader import read_petition_file
from campaign.services.petitions.lifecycle import open_petition
from campaign.services.petitions.store import load_petition
from campaign.settings import Settings

SLUG = "kazakhstan"


@dataclass(frozen=True)
class Result:
    """A rate beside its limit: ``ours`` and ``limit`` are things per second; ``limit_is`` says what the limit is."""

    what: str
    ours: float
    limit: float
    limit_is: str


@dataclass(frozen=True)
class Line:
    """Figures without a limit to compare with."""

    what: str
    figures: str


def new_installation(folder: Path, open_transport: Callable[[], Transport] | None = None) -> Installation:
    """An installation on SQLite with the built-in petition open."""
    settings = Settings(_env_file=None, data_dir=folder, source_limit="off", form_min_seconds=0)
    installation = wire(settings, open_transport=open_transport)
    set_up(installation)
    with installation.database.sessions.begin() as session:
        open_petition(
            session,
            load_petition(session, read_petition_file(BUILT_IN), actor=COMMAND_LINE, now=installation.now()),
            actor=COMMAND_LINE,
            now=installation.now(),
        )
    return installation


def per_second(count: int, work: Callable[[], object]) -> float:
    """The things per second, if ``work`` does ``count`` things."""
    began = time.perf_counter()
    work()
    return count / (time.perf_counter() - began)
