"""The installation that a command works on."""

from campaign.migrating import check_schema
from campaign.settings import read_settings
from campaign.wiring import Campaign, wire


def unchecked() -> Campaign:
    """The installation, whatever state its database is in. Raises InvalidSettings."""
    return wire(read_settings())


def wired() -> Campaign:
    """The installation, ready for work. Raises InvalidSettings, KeyringError, DatabaseError."""
    campaign = unchecked()
    _ = campaign.vault
    check_schema(campaign.database.engine)
    return campaign
