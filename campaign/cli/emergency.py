"""Commands for the worst night: lock and unlock the server, burn a petition's people."""

import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from campaign.cli.wired import keyless, unchecked
from campaign.crypto.keyring import Keyring
from campaign.crypto.keyring_file import move_keyring
from campaign.errors import CampaignError, InvalidInput, KeyringError
from campaign.installation.wiring import Campaign
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.operations.scrub import scrub
from campaign.services.operations.server_lock import lock_everywhere, unlock_everywhere
from campaign.services.petitions.counts import count_confirmed
from campaign.services.petitions.store import get_petition
from campaign.services.privacy.burn import BURNED_TABLES, count_left
from campaign.services.privacy.burn import burn as burn_petition

_DATABASE_WITHIN = 10.0


def add_to(cli: click.Group) -> None:
    """Add these commands."""
    for command in (lock, unlock, burn):
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
    if not campaign.settings.data_dir.is_dir():
        raise CampaignError(
            f"There is no installation in {campaign.settings.data_dir} (CAMPAIGN_DATA_DIR), and nothing was locked. "
            "Run this where the server's settings are."
        )
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


@click.command()
@click.argument("slug")
@click.option("--confirm", metavar="SLUG:NUMBER", help="Instead of the two questions, where nobody can be asked.")
def burn(slug: str, confirm: str | None) -> None:
    """Destroy the personal data of all who signed SLUG or get its digest. Nobody can bring it back.

    The count, the days, the texts, the updates and the digests stay on the page. Works while locked, without keys.
    """
    campaign = keyless()
    with campaign.database.snapshots() as session:
        petition = get_petition(session, slug)
        number, left = count_confirmed(session, petition.id), count_left(session, petition)
    _require_certainty(slug, number, confirm)
    burning = burn_petition(campaign.database.sessions, petition.id, actor=COMMAND_LINE, now=campaign.now())
    _show_burning(burning, left)
    for mail in campaign.settings.outbox.glob("*.eml"):
        mail.unlink()
    clean = scrub(campaign.database, [table.__tablename__ for table in BURNED_TABLES])
    click.echo(f"“{slug}” is burned. How many signed is still on its page: {number}.")
    if not clean:
        click.echo("The database was being read: run the command once more, so that its log is emptied too.", err=True)
    click.echo(
        "Not burned: backups, exported lists, mails that were sent, and what the mail provider keeps. "
        "Destroy those that are yours by hand."
    )


def _require_certainty(slug: str, number: int, confirm: str | None) -> None:
    if confirm is None and not sys.stdin.isatty():
        raise InvalidInput("confirm", f"Nobody can be asked here. Say that you are certain: --confirm {slug}:NUMBER")
    if confirm is None:
        click.echo(f"This destroys who signed “{slug}”: names, addresses, comments, countries. Nothing brings it back.")
        typed = click.prompt("Type the petition's name as it is in its address")
        confirm = typed + ":" + click.prompt(f"Type how many have signed, as digits ({number})")
    if confirm != f"{slug}:{number}":
        raise InvalidInput("confirm", f"That is not “{slug}” and the number of its signatures; nothing was burned.")


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
