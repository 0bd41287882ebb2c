"""Who visits every address, and what there is to see."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from campaign.installation.wiring import Campaign
from campaign.models import Role
from tests.scenes.addresses import furnish
from tests.scenes.organizing import enroll


@pytest.fixture
def visited(campaign: Campaign) -> Campaign:
    """An installation in which there is something to see at every address."""
    furnish(campaign)
    return campaign


@pytest.fixture
def visitors(app: Flask, visited: Campaign) -> dict[str, FlaskClient]:
    """A stranger, and an owner who is signed in."""
    return {"stranger": app.test_client(), "owner": enroll(app, visited, Role.OWNER)}
