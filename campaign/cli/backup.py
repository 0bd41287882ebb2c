"""The commands ``backup`` and ``restore``."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import copyfile

import click
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError as BrokenFile
from sqlalchemy.exc import DataError, IntegrityError

from campaign.cli.wired import wired
from campaign.db import open_database, open_file
from campaign.errors import DatabaseError, InvalidFile
from campaign.installation.leases import exclusive_lease
from campaign.installation.wiring import Installation
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.operations.backup import count_rows, whole_or_not_at_all, write_backup
from campaign.services.operations.restore import Restored, check_backup, read_note
from campaign.services.operations.restore import restore as put_back
from campaign.services.operations.schema import is_up_to_date, migrate, stamp
from campaign.services.privacy.tombstones import Stone, read_stones


def add_to(cli: click.Group) -> None:
    """Add these commands."""
    for command in (backup, restore):
        cli.add_command(command)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Write the whole content of the database into FILE. FILE does not contain the keys; keep a copy of them elsewhere.

    The server may run meanwhile. An existing FILE is replaced when the new one is complete.
    The format is the same for SQLite and PostgreSQL.
    """
    installation = wired()
    if file.is_dir():
        raise InvalidFile(f"{file} is a folder. Give the name of a file.")
    if file.resolve() == installation.settings.keyring.resolve():
        raise InvalidFile(f"{file} is the keyring. Give another file for the backup.")
    with whole_or_not_at_all(file) as part, _reported(file):
        engine = open_file(part, write=True)
        with installation.database.snapshots() as session, engine.begin() as target:
            total = count_rows(session)
            with _progress("Backing up", total) as progress:
                write_backup(
                    session, target, mark=installation.vault.mark, now=installation.now(), copied=progress.update
                )
            stamp(target)
    click.echo(f"{total} rows were written into {file}. Names and addresses in it are sealed; it has no keyring.")


@contextmanager
def _reported(file: Path) -> Iterator[None]:
    """Report a full disk as an error of the backup file, not of the database. Raises InvalidFile."""
    try:
        yield
    except BrokenFile as error:
        if "full" not in str(error.orig) and "disk I/O" not in str(error.orig):
            raise
        raise InvalidFile(f"{file} cannot be written: {error.orig}.") from None


@contextmanager
def _progress(label: str, total: int) -> Iterator["click._termui_impl.ProgressBar[int]"]:
    hidden = not sys.stderr.isatty()
    with click.progressbar(length=total, label=label, file=sys.stderr, hidden=hidden) as progress:
        yield progress


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--tombstones",
    type=click.Path(path_type=Path),
    help="A copy of the file “tombstones” from the data directory, if the server itself was lost.",
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def restore(file: Path, tombstones: Path | None, yes: bool) -> None:
    """Replace the whole content of the database by the backup FILE. Stop the web server and the worker before.

    Persons who were erased after the backup was made are erased again. Mails that may have been sent after it are not
    sent again by themselves.
    """
    installation = wired()
    for needed in (file, tombstones):
        if needed is not None and not needed.is_file():
            raise InvalidFile(f"There is no file {needed}.")
    with exclusive_lease(installation), _refusing_broken(), _opened(file, installation.settings.data_dir) as engine:
        with engine.connect() as source:
            note, total = check_backup(source, installation.vault)
            stones = read_stones(installation.settings.tombstones)
            stones |= read_stones(tombstones) if tombstones else set()
            if not yes:
                click.confirm(
                    f"The backup of {note['made_at']} with {total} rows will replace the whole content of the "
                    "database. Go on?",
                    abort=True,
                    err=True,
                )
            done = _put_back(installation, source, total, stones)
        installation.jobs.forget_all()
        installation.database.truncate_log()
    click.echo(f"The database is as it was on {note['made_at']}, without {done.erased} rows that were erased later.")
    if done.paused:
        click.echo(f"{done.paused} editions wait for a decision: resume or cancel each one; its page says why.")
    if done.organizers:
        click.echo(
            f"{done.organizers} organizers must sign in again. Check whether each of them should still have access."
        )


def _put_back(installation: Installation, source: Connection, total: int, stones: set[Stone]) -> Restored:
    with _progress("Restoring", total) as progress, installation.database.sessions.begin() as session:
        return put_back(
            session, source, stones=stones, actor=COMMAND_LINE, now=installation.now(), copied=progress.update
        )


@contextmanager
def _refusing_broken() -> Iterator[None]:
    """Refuse a backup with missing or unknown parts. The database finds them at the latest, and has changed nothing."""
    try:
        yield
    except (IntegrityError, DataError, TypeError, ValueError, LookupError):  # the last three: an unreadable value
        raise InvalidFile("The rows of the backup do not fit together; nothing was changed.") from None
    except BrokenFile as error:
        if "no such" not in str(error.orig) and "malformed" not in str(error.orig):
            raise
        raise InvalidFile("This is not a backup, or a part of it is missing; nothing was changed.") from None


@contextmanager
def _opened(file: Path, folder: Path) -> Iterator[Engine]:
    """Open the backup file. If an older version wrote it, open a copy that was migrated to this version."""
    engine = open_file(file)
    with engine.connect() as source:
        read_note(source)
    try:
        current = is_up_to_date(engine)
    except DatabaseError:
        raise InvalidFile("The backup was made by a newer version of this program. Update the program.") from None
    if current:
        yield engine
        return
    copy = folder / "restoring.sqlite"
    try:
        copyfile(file, copy)
        copy.chmod(0o600)
        older = open_database(f"sqlite:///{copy.absolute()}")
        migrate(older.engine)
        older.close_file()
        yield open_file(copy)
    finally:
        for left in folder.glob("restoring.sqlite*"):
            with suppress(FileNotFoundError):
                left.unlink()
