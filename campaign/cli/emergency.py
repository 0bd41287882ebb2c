"""Commands for the worst night: lock and unlock the server, burn a petition's people."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from campaign.cli.wired import keyless, unchecked
from campaign.errors import CampaignError, KeyringError
from campaign.services.locking import lock_everywhere, unlock_everywhere
from campaign.vault import Keyring, move_keyring
from campaign.wiring import Campaign

_DATABASE_WITHIN = 10.0


def add_to(cli: click.Group) -> None:
    """Add these commands."""
    for command in (lock, unlock):
        cli.add_command(command)


@click.command()
@click.option("--reason", help="For yourselves; it is recorded, and shown to nobody else.")
@click.option(
    "--keyring-to",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also move the keyring to this new file, on a stick say, and take it off this machine.",
)
def lock(reason: str | None, keyring_to: Path | None) -> None:
    """Forget the keys: nothing is signed, sent, exported, and nobody signs in, until unlocked.

    The petition, its updates and the count can be read all the while.
    """
    campaign = unchecked()
    now, reason = campaign.now(), (reason or "").strip()[:200] or None
    try:
        campaign.lock.close_here(reason, now=now)
    except OSError as error:
        raise CampaignError(f"This machine cannot be locked ({error.strerror}): stop the server instead.") from None
    # One thing that fails keeps none of the others from being done.
    problems = [*_tell_database(campaign, reason, now), *_move_keyring(campaign, keyring_to)]
    if problems:
        raise CampaignError(" ".join(["This machine is locked.", *problems]))
    click.echo("Locked. Within ten seconds no process of this server has the keys in its memory.")
    if keyring_to is None:
        click.echo(
            f"The keyring is still on this disk, in {campaign.settings.keyring}; who takes the disk has it. "
            "To take it away: campaign lock --keyring-to FILE"
        )
    else:
        click.echo(f"The keyring is now in {keyring_to} alone. Put it back before you unlock the server.")


def _tell_database(campaign: Campaign, reason: str | None, now: datetime) -> Iterator[str]:
    """Lock the other machines too, and say what went wrong. A database that is stuck keeps nobody waiting for long."""
    told = threading.Event()

    def tell() -> None:
        with suppress(SQLAlchemyError), campaign.database.sessions.begin() as session:
            lock_everywhere(session, reason, now=now)
            session.commit()
            told.set()

    threading.Thread(target=tell, daemon=True).start()
    if not told.wait(_DATABASE_WITHIN):
        yield "The database does not answer: if the server has other machines, run campaign lock on each of them."


def _move_keyring(campaign: Campaign, target: Path | None) -> Iterator[str]:
    if target is not None:
        try:
            move_keyring(campaign.settings.keyring, target)
        except KeyringError as error:
            yield error.sentence


@click.command()
def unlock() -> None:
    """Read the keys again: signing, sending and signing in go on where they stopped."""
    campaign = keyless()
    Keyring.read(campaign.settings.keyring)
    was_on = campaign.lock.is_on
    with campaign.database.sessions.begin() as session:
        unlock_everywhere(session, now=campaign.now())
    campaign.lock.open_here()
    click.echo("Unlocked: within a few seconds the server goes on." if was_on else "The server was not locked.")
