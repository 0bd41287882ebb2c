"""Commands for an emergency: lock and unlock the server, and burn a petition (destroy its personal data)."""

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click

from campaign.cli.wired import keyless, unchecked
from campaign.crypto.keyring import Keyring
from campaign.crypto.keyring_file import move_keyring
from campaign.errors import CampaignError, InvalidInput, KeyringError
from campaign.installation.wiring import Installation
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.operations.scrub import scrub_burned
from campaign.services.operations.server_lock import lock_others, unlock_everywhere
from campaign.services.petitions.counts import count_confirmed
from campaign.services.petitions.store import get_petition
from campaign.services.privacy.burn import burn as burn_petition
from campaign.services.privacy.burn import count_left

_DATABASE_WITHIN = 10.0


def add_to(cli: click.Group) -> None:
    """Add these commands."""
    for command in (lock, unlock, burn):
        cli.add_command(command)


@click.command()
@click.option("--reason", help="A note for yourselves; it is recorded, and shown to nobody else.")
@click.option(
    "--keyring-to",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also move the keyring from this machine to this new file, for example on a USB stick.",
)
def lock(reason: str | None, keyring_to: Path | None) -> None:
    """Lock the server: it forgets its keys. Until ``unlock`` nobody can sign or sign in, and nothing is sent or
    exported.

    The petition, its updates and the count can still be read.
    """
    installation = unchecked()
    if not installation.settings.data_dir.is_dir():
        raise CampaignError(
            f"There is no installation in {installation.settings.data_dir} (CAMPAIGN_DATA_DIR), so nothing was locked. "
            "Run this command with the server's settings."
        )
    now, reason = installation.now(), (reason or "").strip()[:200] or None
    try:
        installation.lock.close_here(reason, now=now)
    except OSError as error:
        raise CampaignError(f"This machine cannot be locked ({error.strerror}). Stop the server instead.") from None
    # If one step fails, the other steps are still done.
    problems = [*_lock_others(installation, reason, now), *_move_keyring(installation, keyring_to)]
    if problems:
        raise CampaignError(" ".join(["This machine is locked.", *problems]))
    click.echo("Locked. Within ten seconds no process of this server has the keys in its memory.")
    if keyring_to is None:
        click.echo(
            f"The keyring is still on this disk, in {installation.settings.keyring}: a person who takes the disk "
            "has it. To move it away: campaign lock --keyring-to FILE"
        )
    else:
        click.echo(f"The keyring is now only in {keyring_to}. Put it back before you unlock the server.")


def _lock_others(installation: Installation, reason: str | None, now: datetime) -> Iterator[str]:
    sessions = installation.database.sessions
    if not lock_others(sessions, reason, actor=COMMAND_LINE, now=now, within=_DATABASE_WITHIN):
        yield "The database does not answer. If the server has other machines, run campaign lock on each of them."


def _move_keyring(installation: Installation, target: Path | None) -> Iterator[str]:
    if target is not None:
        try:
            move_keyring(installation.settings.keyring, target)
        except KeyringError as error:
            yield error.sentence


@click.command()
def unlock() -> None:
    """Unlock the server: it reads its keys again. Signing, sending and signing in go on where they stopped."""
    installation = keyless()
    Keyring.read(installation.settings.keyring)
    was_on = installation.lock.is_on
    with installation.database.sessions.begin() as session:
        unlock_everywhere(session, actor=COMMAND_LINE, now=installation.now())
    installation.lock.open_here()
    click.echo("Unlocked. The server goes on within a few seconds." if was_on else "The server was not locked.")


@click.command()
@click.argument("slug")
@click.option("--confirm", metavar="SLUG:NUMBER", help="The answer to the two questions, if nobody can be asked.")
def burn(slug: str, confirm: str | None) -> None:
    """Destroy the personal data of all signers and readers of SLUG. Nobody can restore it.

    The count, the days, the texts, the updates and the digests stay on the page. The command needs no keys, and works
    while the server is locked.
    """
    installation = keyless()
    with installation.database.snapshots() as session:
        petition = get_petition(session, slug)
        number, left = count_confirmed(session, petition.id), count_left(session, petition)
    _require_certainty(slug, number, confirm)
    burning = burn_petition(installation.database.sessions, petition.id, actor=COMMAND_LINE, now=installation.now())
    _show_burning(burning, left)
    clean = scrub_burned(installation.database, installation.settings.outbox)
    click.echo(f"“{slug}” is burned. Its page still shows the number of signatures: {number}.")
    if not clean:
        click.echo(
            "Another process was reading the database. Run the command once more, so that its log is emptied too.",
            err=True,
        )
    click.echo(
        "Not destroyed: backups, exported lists, mails that were sent, and the data of the mail provider. "
        "Destroy by hand what is yours."
    )


def _require_certainty(slug: str, number: int, confirm: str | None) -> None:
    if confirm is None and not sys.stdin.isatty():
        raise InvalidInput("confirm", f"Nobody can be asked here. Confirm with: --confirm {slug}:NUMBER")
    if confirm is None:
        click.echo(
            f"This destroys the data of all who signed “{slug}”: names, addresses, comments, countries. "
            "Nothing can restore it."
        )
        typed = click.prompt("Type the petition's name as it is written in its address")
        confirm = typed + ":" + click.prompt(f"Type the number of signatures ({number})")
    if confirm != f"{slug}:{number}":
        raise InvalidInput("confirm", f"This is not “{slug}” with the number of its signatures. Nothing was burned.")


def _show_burning(burning: Iterator[int], left: int) -> None:
    if sys.stderr.isatty():
        with click.progressbar(length=left, label="Burning", file=sys.stderr) as bar:
            for burned in burning:
                bar.update(burned)
        return
    done = 0
    for burned in burning:
        done += burned
        click.echo(f"{done} of {max(done, left)} rows are burned.", err=True)
