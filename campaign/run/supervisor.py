"""Everything on one machine: it sets up what is missing, loads the built-in petition, and runs web and worker."""

import signal
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import click

from campaign.cli.own_process import run_in_own_process
from campaign.installation.setup import set_up
from campaign.installation.wiring import Installation, wire
from campaign.models import Petition, Role
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.organizers.members import add_organizer
from campaign.services.petitions.file_reader import read_petition_file
from campaign.services.petitions.lifecycle import open_petition
from campaign.services.petitions.store import find_petition, load_petition
from campaign.settings import read_settings
from campaign.web.core.sites import Door
from campaign.web.server.gunicorn import check_port_is_free

BUILT_IN = Path(__file__).parents[1] / "campaigns" / "kazakhstan.toml"
FIRST_ORGANIZER = "organizer@example.org"
_RESTART_AFTER = 2.0
_STOP_WITHIN = 40.0


def run_everything() -> int:
    """Run until stopped by a signal; returns the exit status. Raises CampaignError if it cannot start."""
    settings = read_settings()
    for door in (Door.PUBLIC, Door.ORGANIZERS) if settings.organizers_apart else (Door.ALL,):
        check_port_is_free(settings, door)
    greeting = run_in_own_process(_prepare)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    children = [_Child("serve"), _Child("worker")]
    pages = [(children[0], settings.host, settings.port, settings.trusted_hosts[0])]
    if settings.organizers_apart:
        children.append(_Child("serve", "--organizers"))
        name = settings.trusted_organize_hosts[0]
        pages.append((children[-1], settings.organize_host, settings.organize_port, name))
    # The greeting names addresses of both servers.
    if all(_wait_for_page(stopping, *page) for page in pages):
        click.echo(greeting)
        sys.stdout.flush()
    try:
        while not stopping.wait(0.5):
            for child in children:
                child.keep_alive()
    finally:
        for child in children:
            child.stop()
    return 0


class _Child:
    """A process of one of our commands, started again when it ends."""

    def __init__(self, *words: str) -> None:
        self._words = words
        self._command = [sys.executable, "-m", "campaign", *words]
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(self._command, start_new_session=True)  # noqa: S603 (our own command)
        self._ended: float | None = None

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def keep_alive(self) -> None:
        if self.is_running:
            return
        if self._ended is None:
            self._ended = time.monotonic()
            click.echo(
                f"{' '.join(self._words)} ended with status {self._process.returncode}. It will be started again.",
                err=True,
            )
        elif time.monotonic() - self._ended > _RESTART_AFTER:
            self._start()

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()


def _prepare() -> str:
    """Set up the missing parts of the installation; returns the greeting with the server's addresses."""
    installation = wire(read_settings())
    set_up(installation)
    return _greeting(installation, *_load_built_in(installation))


def _load_built_in(installation: Installation) -> tuple[Petition, str | None]:
    """The built-in petition, and a one-time sign-in link if the server can be reached only from this machine."""
    now = installation.now()
    with installation.database.sessions.begin() as session:
        file = read_petition_file(BUILT_IN)
        petition = find_petition(session, file.slug)
        if petition is None:
            petition = load_petition(session, file, actor=COMMAND_LINE, now=now)
            open_petition(session, petition, actor=COMMAND_LINE, now=now)
        if not installation.settings.is_local or installation.lock.is_on:
            return petition, None
        organizer = add_organizer(session, FIRST_ORGANIZER, petition, Role.OWNER, actor=COMMAND_LINE, now=now)
        return petition, installation.links.welcome(organizer)


def _wait_for_page(stopping: threading.Event, web: _Child, host: str, port: int, name: str) -> bool:
    """Whether ``web`` answers, which calls itself ``name``; False where it has ended, or is told to stop."""
    while web.is_running and not stopping.wait(0.1):
        try:
            connection = HTTPConnection(host, port, timeout=2)
            connection.request("GET", "/healthz", headers={"Host": name})
            if connection.getresponse().status == 200:
                return True
        except (OSError, HTTPException):
            continue
    return False


def _greeting(installation: Installation, petition: Petition, welcome: str | None) -> str:
    settings = installation.settings
    lines = ["", f"  Petition:   {installation.public_links.petition(petition.languages[0], petition.slug)}"]
    if welcome:
        lines.append(f"  Organizer:  {welcome}   (one-time sign-in link)")
    if settings.is_local and not settings.smtp_url:
        lines.append(
            f"  Mails:      {settings.base_url}/outbox   (no mail server is set, so mails are written into files)"
        )
    if installation.lock.is_on:
        lines.append("  The server is locked: its pages can only be read. Unlock it with: campaign unlock")
    return "\n".join([*lines, "", "Stop with Ctrl-C."])
