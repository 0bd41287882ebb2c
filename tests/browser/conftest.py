"""What browser tests stand on: a mail server, and the whole program in a folder of its own."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser

from campaign.run.supervisor import BUILT_IN
from campaign.services.petitions.file_reader import read_petition_file
from tests.browser.installation import RunningServer, run_server
from tests.browser.served import Served
from tests.browser.states import furnished
from tests.browser.visitor import Visit, visiting


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """``python app.py`` on a new machine, with a mail server."""
    with run_server(tmp_path_factory.mktemp("installation")) as running:
        yield running


@pytest.fixture
def visit(browser: Browser, running: RunningServer) -> Iterator[Visit]:
    """Begin a visit in a browser profile of its own; keywords are playwright's, for the profile."""
    with ExitStack() as stack:
        yield lambda **profile: stack.enter_context(visiting(browser, running.base_url, **profile))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The built-in campaign in this process, with people in every state."""
    with furnished(tmp_path_factory.mktemp("served"), read_petition_file(BUILT_IN)) as place:
        yield place
