"""Commands that set up and run the server."""

import signal
import threading

import click

from campaign.cli.wired import unchecked, wired
from campaign.setting_up import set_up
from campaign.web.server import serve_web
from campaign.worker import work, work_once


def add_to(cli: click.Group) -> None:
    """Add these commands."""
    for command in (init, migrate, serve, worker):
        cli.add_command(command)


@click.command()
def init() -> None:
    """Make the data directory, the keyring and the database of a new installation."""
    campaign = unchecked()
    fresh = set_up(campaign)
    settings = campaign.settings
    click.echo(f"The database is ready: {campaign.database.engine.url.render_as_string(hide_password=True)}")
    if fresh:
        click.echo(
            f"New keys are in {settings.keyring}. Keep a copy in another place: without them no name can be read."
        )
    else:
        click.echo(f"The keys in {settings.keyring} stay as they are.")


@click.command()
def migrate() -> None:
    """Bring the database to this version of the program."""
    set_up(unchecked())
    click.echo("The database is up to date.")


@click.command()
def serve() -> None:
    """Serve the pages."""
    serve_web(wired())


@click.command()
@click.option("--once", is_flag=True, help="Send what is due now, then end.")
def worker(once: bool) -> None:
    """Send mails and digests, until stopped."""
    campaign = wired()
    if once:
        work_once(campaign)
        return
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    work(campaign, stopping)
