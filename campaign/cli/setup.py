"""The commands ``init`` and ``migrate``, which set up an installation."""

import click

from campaign.cli.wired import unchecked
from campaign.installation.setup import bring_up_to_date, set_up


def add_to(cli: click.Group) -> None:
    """Add these commands."""
    for command in (init, migrate):
        cli.add_command(command)


@click.command()
def init() -> None:
    """Create the data directory, the keyring and the database of a new installation."""
    installation = unchecked()
    fresh = set_up(installation)
    settings = installation.settings
    click.echo(f"The database is ready: {installation.database.engine.url.render_as_string(hide_password=True)}")
    if fresh:
        click.echo(
            f"New keys are in {settings.keyring}. Keep a copy in another place: without them no name can be read."
        )
    else:
        click.echo(f"The keys in {settings.keyring} stay as they are.")


@click.command()
def migrate() -> None:
    """Migrate the database to this version of the program."""
    bring_up_to_date(unchecked())
    click.echo("The database is up to date.")
