"""Who visits every address, and what there is to see."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from campaign.installation.wiring import Installation
from campaign.models import Role
from tests.scenes.addresses import furnish
from tests.scenes.organizing import enroll


@pytest.fixture
def visited(installation: Installation) -> Installation:
    """An installation in which there is something to see at every address."""
    furnish(installation)
    return installation


@pytest.fixture
def visitors(app: Flask, visited: Installation) -> dict[str, FlaskClient]:
    """A stranger, and an owner who is signed in."""
    return {"stranger": app.test_client(), "owner": enroll(app, visited, Role.OWNER)}
