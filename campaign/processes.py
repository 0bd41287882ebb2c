"""The commands that keep running, ``serve`` and ``worker``: they join two doors, so they stand above them."""

import signal
import threading

import click

from campaign.cli.wired import wired
from campaign.living import running
from campaign.web.server import serve_web
from campaign.worker import work, work_once


def add_to(cli: click.Group) -> None:
    """Add these commands."""
    for command in (serve, worker):
        cli.add_command(command)


@click.command()
def serve() -> None:
    """Serve the pages."""
    campaign = wired()
    with running(campaign.settings):
        serve_web(campaign)


@click.command()
@click.option("--once", is_flag=True, help="Send what is due now, then end.")
def worker(once: bool) -> None:
    """Send mails and digests, until stopped."""
    campaign = wired()
    if once:
        with running(campaign.settings):
            work_once(campaign)
        return
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    with running(campaign.settings):
        work(campaign, stopping)
