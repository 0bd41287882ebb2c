"""The commands ``serve`` and ``worker``, which keep running. They join the command line with web and worker, so this
package is above all three."""

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
from campaign.installation.leases import shared_lease
from campaign.installation.wiring import Installation
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
@click.option("--organizers", is_flag=True, help="Serve the organizers' pages, if they listen separately.")
def serve(organizers: bool) -> None:
    """Serve the pages. If the organizers' pages listen separately (CAMPAIGN_ORGANIZE_PORT), they are not included."""
    _forbid_core_dumps()
    run_in_own_process(check_keys)
    installation = keyless()
    if not installation.settings.organizers_apart:
        if organizers:
            raise InvalidSettings("The organizers' pages do not listen separately. Set CAMPAIGN_ORGANIZE_PORT first.")
        door = Door.ALL
    else:
        door = Door.ORGANIZERS if organizers else Door.PUBLIC
    with shared_lease(installation.settings):
        serve_web(installation, door)


@click.command()
@click.option("--once", is_flag=True, help="Send the mails that are due now, then exit.")
def worker(once: bool) -> None:
    """Send mails and digests until stopped."""
    _forbid_core_dumps()
    if once:
        installation = wired()
        with shared_lease(installation.settings):
            work_once(installation)
        return
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    installation = keyless()
    if _wait_while_locked(installation, stopping):
        _work_until_locked(installation, stopping)


def _forbid_core_dumps() -> None:
    """Forbid core dumps, which would write the keys and the personal data in memory to the disk."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _wait_while_locked(installation: Installation, stopping: threading.Event) -> bool:
    """Wait until the server is not locked; returns False if the worker is stopped before."""
    announced = False
    while installation.lock.is_on:
        if not announced:
            click.echo("The server is locked. The worker sends nothing until it is unlocked.", err=True)
            announced = True
        if stopping.wait(LOOK_EVERY):
            return False
    return True


def _work_until_locked(installation: Installation, stopping: threading.Event) -> None:
    """Work until stopped. When the server is locked, restart the process, so that its memory has no keys.

    It restarts even if a mail is still in flight; that mail is then in doubt, as if the process had been killed.
    """
    locked = threading.Event()

    def forget() -> None:
        locked.set()
        stopping.set()
        time.sleep(_FORGET_WITHIN)
        _restart()

    installation.lock.call_when_turned(forget, was_on=False)
    _ = installation.vault
    with shared_lease(installation.settings):
        work(installation, stopping)
    if locked.is_set():
        _restart()


def _restart() -> None:
    """Replace this process by a new one of the same program (exec), so that nothing of its memory is left."""
    sys.stderr.flush()
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606 (our own command)
