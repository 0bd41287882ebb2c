"""An installation with something at every address, whose every change is undone after each case."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient

from campaign.models import Role
from tests.conftest import MakeInstallation, quick_app
from tests.fuzz.places import Form, list_forms
from tests.fuzz.running import Sandbox, sandbox, take_count
from tests.scenes.addresses import furnish
from tests.scenes.organizing import enroll


@pytest.fixture(autouse=True)
def _count(record_property: Callable[[str, object], None]) -> Iterator[None]:
    """Report how many cases the test has checked."""
    take_count()
    yield
    record_property("fuzzed", take_count())


@dataclass
class Target:
    """What is fuzzed: the application, and the browsers that have something to see in it."""

    app: Flask
    sandbox: Sandbox
    stranger: FlaskClient
    owner: FlaskClient

    def list_forms(self) -> list[Form]:
        return list_forms(self.app, self.sandbox.installation, [self.stranger, self.owner])


def _target(make: MakeInstallation) -> Iterator[Target]:
    # Behind a proxy, so that what it hands on is looked at too.
    installation = make(trusted_proxies=1)
    furnish(installation)
    with sandbox(installation) as box:
        app = quick_app(box.installation)
        yield Target(app, box, app.test_client(), enroll(app, box.installation, Role.OWNER))


@pytest.fixture
def target(make_sqlite_installation: MakeInstallation) -> Iterator[Target]:
    yield from _target(make_sqlite_installation)


@pytest.fixture
def target_on_both(make_installation: MakeInstallation) -> Iterator[Target]:
    yield from _target(make_installation)
