"""The commands ``keyring …``."""

import sys

import click

from campaign.cli.wired import wired
from campaign.crypto.keyring import Keyring
from campaign.crypto.keyring_file import changing
from campaign.installation.wiring import Installation
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.operations.key_rotation import (
    count_left,
    record_rotation,
    reseal_all,
    wait_for_open_transactions,
)

_WAIT_FOR_OTHERS = 60.0  # seconds; the transaction of a page or of a batch takes less


def add_to(cli: click.Group) -> None:
    """Add these commands."""
    cli.add_command(keyring)


@click.group()
def keyring() -> None:
    """The keys by which names and addresses are sealed."""


@keyring.command()
@click.option("--keep-old", is_flag=True, help="Keep the old key in the file, for example for other machines.")
def rotate(keep_old: bool) -> None:
    """Make a new key, seal everything anew with it, then remove the old key.

    The command may be stopped; run it again to go on. Web server and worker may run meanwhile.
    """
    installation = wired()
    path = installation.settings.keyring
    with changing(path):
        keys = Keyring.read(path)
        begun_before = len(keys.sealing) > 1
        if begun_before:
            click.echo(f"Key {keys.newest} is in the keyring already; the rotation goes on with it.")
        else:
            keys = keys.with_new_key()
            keys.replace(path)
            click.echo(f"Key {keys.newest} is in {path} and is used from now on. Copy the file to its other place.")
        alone = wait_for_open_transactions(installation.database.sessions, within=_WAIT_FOR_OTHERS)
        old = [version for version in keys.sealing if version != keys.newest]
        done = _reseal_all(installation, old)
        left = count_left(installation.database.snapshots, old)
        record_rotation(installation.database.sessions, keys.newest, done, actor=COMMAND_LINE, now=installation.now())
        installation.database.truncate_log()
        click.echo(f"{done} values were sealed anew with key {keys.newest}.")
        if keep_old:
            click.echo("The old key is still in the keyring. To remove it, run: campaign keyring rotate")
        elif left or not alone:
            click.echo(
                "The old key is still in the keyring, because a running process may still use it. "
                "To remove it, run this command again: campaign keyring rotate"
            )
        else:
            keys.with_newest_only().replace(path)
            click.echo("The old key is no longer in the keyring. Copy the file to its other place.")
        if begun_before:
            click.echo("To make another new key, run the command again.")


def _reseal_all(installation: Installation, old: list[int]) -> int:
    total, done = count_left(installation.database.snapshots, old), 0
    with click.progressbar(
        length=total, label="Sealing anew", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as progress:
        for batch in reseal_all(installation.database.sessions, installation.vault, old):
            done += batch
            progress.update(batch)
    return done
