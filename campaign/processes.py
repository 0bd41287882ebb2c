"""The commands that keep running, ``serve`` and ``worker``: they join two doors, so they stand above them."""

import signal
import threading

import click

from campaign.cli.wired import wired
from campaign.errors import InvalidSettings
from campaign.web.doors import Door
from campaign.web.server import serve_web
from campaign.worker import work, work_once


def add_to(cli: click.Group) -> None:
    """Add these commands."""
    for command in (serve, worker):
        cli.add_command(command)


@click.command()
@click.option("--organizers", is_flag=True, help="The organizers' pages, where they listen apart.")
def serve(organizers: bool) -> None:
    """Serve the pages; without the organizers' where those listen apart (CAMPAIGN_ORGANIZE_PORT)."""
    campaign = wired()
    if not campaign.settings.organizers_apart:
        if organizers:
            raise InvalidSettings("The organizers' pages listen with the others; set CAMPAIGN_ORGANIZE_PORT first.")
        serve_web(campaign)
        return
    serve_web(campaign, Door.ORGANIZERS if organizers else Door.PUBLIC)


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
