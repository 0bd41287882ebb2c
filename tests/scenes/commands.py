"""Commands as a person types them, run in this process: what they print and how they end."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from campaign.__main__ import main
from campaign.clock import now
from campaign.installation.wiring import Installation
from campaign.settings import Settings
from tests.conftest import Clock


@dataclass(frozen=True)
class Done:
    status: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> Command:
    """`command("petition", "list")` as typed in a folder with an installation's settings in the environment."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"CAMPAIGN_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAMPAIGN_DATA_DIR", "var")

    def run_main(*words: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["campaign", *words])
        status = 0
        capfdbinary.readouterr()
        try:
            main()
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 1
        out, err = capfdbinary.readouterr()
        return Done(status, out.decode(), err.decode())

    return run_main


@pytest.fixture
def installed(sqlite_installation: Installation, clock: Clock) -> Installation:
    """The installation that the commands find, seen from the test; on the clock of the commands."""
    clock.moment = now()
    return sqlite_installation


def refused(done: Done, words: str) -> None:
    assert done.status == 1
    assert done.out == ""
    assert done.err.endswith("\n")
    assert done.err.count("\n") == 1
    assert words in done.err
