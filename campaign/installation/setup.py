"""A new installation: its folder, its keys, its tables."""

import os
from pathlib import Path

from sqlalchemy.engine import make_url

from campaign.crypto.keyring import Keyring
from campaign.errors import DatabaseError, KeyringError
from campaign.installation.wiring import Campaign
from campaign.services.operations.schema import has_personal_data, migrate


def set_up(campaign: Campaign) -> bool:
    """Make what is missing; whether the keys are new. Repeatable. Raises KeyringError, DatabaseError.

    Keys are never made beside a database that was sealed with others.
    """
    settings = campaign.settings
    os.umask(0o077)  # what is made here is nobody else's to read
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).absolute().parent.is_dir():
        raise DatabaseError(f"There is no folder for the database {url.database}.")
    locked = campaign.lock.is_on  # then the keyring may be elsewhere, and nobody asks for it
    fresh = not locked and not settings.keyring.exists()
    if fresh and has_personal_data(campaign.database.engine):
        raise KeyringError(
            f"There is no keyring at {settings.keyring}, but the database holds what was sealed with one. "
            "Put the keyring's copy back: new keys could not read them."
        )
    if fresh:
        settings.keyring.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        Keyring.fresh().write(settings.keyring)
    bring_up_to_date(campaign)
    return fresh


def bring_up_to_date(campaign: Campaign) -> None:
    """Give an installation that has its keys the tables of this version. Repeatable. Raises KeyringError."""
    os.umask(0o077)
    if not campaign.lock.is_on:
        Keyring.read(campaign.settings.keyring)
    migrate(campaign.database.engine)
    campaign.jobs.migrate()
