"""What browser tests stand on: a mail server, and the whole program in a folder of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser

from tests.browser.installation import Installation, installation
from tests.browser.visitor import Visitor, visiting

Visit = Callable[..., Visitor]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """``python app.py`` on a new machine, with a mail server."""
    with installation(tmp_path_factory.mktemp("installation")) as running:
        yield running


@pytest.fixture
def visit(browser: Browser, running: Installation) -> Iterator[Visit]:
    """Begin a visit in a browser profile of its own; keywords are playwright's, for the profile."""
    with ExitStack() as stack:
        yield lambda **profile: stack.enter_context(visiting(browser, running.base_url, **profile))
