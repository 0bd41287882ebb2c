"""Pages for signing in."""

import pytest

from campaign.installation.wiring import Campaign


@pytest.fixture
def campaign(sqlite_campaign: Campaign) -> Campaign:
    """One database is enough for pages: the services are tested on both."""
    return sqlite_campaign
