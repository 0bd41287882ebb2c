"""Sets up an installation: its data directory, its keys, its tables."""

import os
from pathlib import Path

from sqlalchemy.engine import make_url

from campaign.crypto.keyring import Keyring
from campaign.errors import DatabaseError, KeyringError
from campaign.installation.wiring import Installation
from campaign.services.operations.schema import has_personal_data, migrate


def set_up(installation: Installation) -> bool:
    """Create the missing parts of an installation; returns whether new keys were made. It can be repeated.

    New keys are never made for a database whose data was sealed with other keys. Raises KeyringError and DatabaseError.
    """
    settings = installation.settings
    os.umask(0o077)  # other users must not read the files made here
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).absolute().parent.is_dir():
        raise DatabaseError(f"There is no folder for the database {url.database}.")
    locked = installation.lock.is_on  # the keyring of a locked server may be elsewhere, so it is not required
    fresh = not locked and not settings.keyring.exists()
    if fresh and has_personal_data(installation.database.engine):
        raise KeyringError(
            f"There is no keyring at {settings.keyring}, but the database contains data that was sealed with one. "
            "Put a copy of that keyring back: new keys cannot read the data."
        )
    if fresh:
        settings.keyring.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        Keyring.fresh().write(settings.keyring)
    bring_up_to_date(installation)
    return fresh


def bring_up_to_date(installation: Installation) -> None:
    """Migrate the tables of an installation that has its keys to this version. It can be repeated.

    Raises KeyringError and DatabaseError.
    """
    os.umask(0o077)
    if not installation.lock.is_on:
        Keyring.read(installation.settings.keyring)
    migrate(installation.database.engine)
    installation.jobs.migrate()
