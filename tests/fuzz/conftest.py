"""An installation with something at every address, whose every change is undone after each case."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient

from campaign.models import Role
from campaign.services.auditing import COMMAND_LINE, record
from campaign.web import create_app
from tests.conftest import MakeCampaign
from tests.fuzz.places import Form, list_forms
from tests.fuzz.running import Sandbox, sandbox
from tests.repository.test_routes import READER, SIGNER
from tests.services.people import add_readers, find_petition, make_digest, sign
from tests.web.organizing import enroll
from tests.web.visiting import mails


@dataclass
class Target:
    """What is fuzzed: the application, and the browsers that have something to see in it."""

    app: Flask
    sandbox: Sandbox
    stranger: FlaskClient
    owner: FlaskClient

    def list_forms(self) -> list[Form]:
        return list_forms(self.app, self.sandbox.campaign, [self.stranger, self.owner])


def _target(make: MakeCampaign) -> Iterator[Target]:
    # Behind a proxy, so that what it hands on is looked at too.
    campaign = make(trusted_proxies=1)
    add_readers(campaign, READER, "second@example.org")
    sign(campaign, SIGNER)
    mails(campaign)
    make_digest(campaign)
    with campaign.database.sessions.begin() as session:
        record(session, COMMAND_LINE, "export", find_petition(campaign).id, now=campaign.now())
    with sandbox(campaign) as box:
        app = create_app(box.campaign)
        # What argon2 costs is not the question here.
        cheap = {"argon2__rounds": 1, "argon2__memory_cost": 64, "argon2__parallelism": 1}
        app.extensions["security"].pwd_context.update(**cheap)
        yield Target(app, box, app.test_client(), enroll(app, box.campaign, Role.OWNER))


@pytest.fixture
def target(make_sqlite_campaign: MakeCampaign) -> Iterator[Target]:
    yield from _target(make_sqlite_campaign)


@pytest.fixture
def target_on_both(make_campaign: MakeCampaign) -> Iterator[Target]:
    yield from _target(make_campaign)
