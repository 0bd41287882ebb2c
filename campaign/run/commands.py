"""The commands that keep running, ``serve`` and ``worker``: they join two doors, so they stand above them."""

import os
import resource
import signal
import sys
import threading
import time

import click

from campaign.cli.own_process import run_in_own_process
from campaign.cli.wired import check_keys, keyless, wired
from campaign.errors import InvalidSettings
from campaign.installation.leases import running
from campaign.installation.wiring import Campaign
from campaign.services.operations.server_lock import LOOK_EVERY
from campaign.web.core.sites import Door
from campaign.web.server.gunicorn import serve_web
from campaign.worker import work, work_once

_FORGET_WITHIN = 5.0


def add_to(cli: click.Group) -> None:
    """Add these commands."""
    for command in (serve, worker):
        cli.add_command(command)


@click.command()
@click.option("--organizers", is_flag=True, help="The organizers' pages, where they listen apart.")
def serve(organizers: bool) -> None:
    """Serve the pages; without the organizers' where those listen apart (CAMPAIGN_ORGANIZE_PORT)."""
    _leave_no_core()
    run_in_own_process(check_keys)
    campaign = keyless()
    if not campaign.settings.organizers_apart:
        if organizers:
            raise InvalidSettings("The organizers' pages listen with the others; set CAMPAIGN_ORGANIZE_PORT first.")
        door = Door.ALL
    else:
        door = Door.ORGANIZERS if organizers else Door.PUBLIC
    with running(campaign.settings):
        serve_web(campaign, door)


@click.command()
@click.option("--once", is_flag=True, help="Send what is due now, then end.")
def worker(once: bool) -> None:
    """Send mails and digests, until stopped."""
    _leave_no_core()
    if once:
        campaign = wired()
        with running(campaign.settings):
            work_once(campaign)
        return
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    campaign = keyless()
    if _wait_while_locked(campaign, stopping):
        _work_until_locked(campaign, stopping)


def _leave_no_core() -> None:
    """A core dump would write the keys, and what was being signed, to the disk."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _wait_while_locked(campaign: Campaign, stopping: threading.Event) -> bool:
    """Whether there is work to do, the lock being off; False where the worker was told to stop before."""
    told = False
    while campaign.lock.is_on:
        if not told:
            click.echo("The server is locked: the worker sends nothing until it is unlocked.", err=True)
            told = True
        if stopping.wait(LOOK_EVERY):
            return False
    return True


def _work_until_locked(campaign: Campaign, stopping: threading.Event) -> None:
    """Work; when the server is locked, begin anew in a memory without keys, even where a mail is still under way.

    That mail is then in doubt, as if the process had been killed.
    """
    locked = threading.Event()

    def forget() -> None:
        locked.set()
        stopping.set()
        time.sleep(_FORGET_WITHIN)
        _begin_anew()

    campaign.lock.call_when_turned(forget, was_on=False)
    _ = campaign.vault
    with running(campaign.settings):
        work(campaign, stopping)
    if locked.is_set():
        _begin_anew()


def _begin_anew() -> None:
    """Put the same program in the place of this one: of its memory nothing is left."""
    sys.stderr.flush()
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606 (our own command)
