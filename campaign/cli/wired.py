"""The installation that a command works on."""

from campaign.migrating import check_schema
from campaign.settings import read_settings
from campaign.wiring import Campaign, wire


def unchecked() -> Campaign:
    """The installation, whatever state its database is in. Raises InvalidSettings."""
    return wire(read_settings())


def wired() -> Campaign:
    """The installation, ready for work. Raises InvalidSettings, KeyringError, ServerLocked, DatabaseError."""
    campaign = unchecked()
    _ = campaign.vault
    check_schema(campaign.database.engine)
    return campaign


def keyless() -> Campaign:
    """The installation, for work that needs no key and is done also while the server is locked.

    Raises InvalidSettings, DatabaseError.
    """
    campaign = unchecked()
    check_schema(campaign.database.engine)
    return campaign


def check_keys() -> None:
    """Raise KeyringError where the keys are wanted and cannot be read."""
    campaign = unchecked()
    if not campaign.lock.is_on:
        _ = campaign.vault
