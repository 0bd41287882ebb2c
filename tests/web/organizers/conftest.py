"""Pages of organizers."""

import pytest

from campaign.installation.wiring import Installation


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough for pages: the services are tested on both."""
    return sqlite_installation
