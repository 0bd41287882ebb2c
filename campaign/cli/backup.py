"""The commands that write a backup, and put one in the place of the database."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import copyfile

import click
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError as BrokenFile
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from campaign.cli.wired import wired
from campaign.db import open_database, open_file
from campaign.errors import DatabaseError, InvalidFile
from campaign.installation.leases import standing_still
from campaign.installation.wiring import Campaign
from campaign.services.operations.backup import count_rows, whole_or_not_at_all, write_backup
from campaign.services.operations.restore import Restored, check_keys, read_note
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
    """Write all that the database holds into FILE. The keys are not in it; keep their copy elsewhere.

    The server may run meanwhile. An older FILE is replaced when the new one is whole.
    It is the same whether the database is SQLite or PostgreSQL.
    """
    campaign = wired()
    if file.is_dir():
        raise InvalidFile(f"{file} is a folder. Name a file in it.")
    if file.resolve() == campaign.settings.keyring.resolve():
        raise InvalidFile(f"{file} is the keyring; a backup has to go elsewhere.")
    with whole_or_not_at_all(file) as part, _reported(file):
        engine = open_file(part, write=True)
        with campaign.database.snapshots() as session, engine.begin() as target:
            total = count_rows(session)
            with _progress("Backing up", total) as progress:
                write_backup(session, target, mark=campaign.vault.mark, now=campaign.now(), copied=progress.update)
            stamp(target)
    click.echo(f"{total} rows are in {file}. Names and addresses in it are sealed; the keyring is not in it.")


@contextmanager
def _reported(file: Path) -> Iterator[None]:
    """A full disk is said to be that of the backup, not the database's."""
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
    help="A copy of the file of this name in the data directory, where the server is lost.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(file: Path, tombstones: Path | None, yes: bool) -> None:
    """Put the backup FILE in the place of all that the database holds; stop web server and worker before.

    Who was erased since it was made is erased again. What may have been sent since is not sent by itself.
    """
    campaign = wired()
    for needed in (file, tombstones):
        if needed is not None and not needed.is_file():
            raise InvalidFile(f"There is no file {needed}.")
    with standing_still(campaign), _refusing_broken(), _opened(file, campaign.settings.data_dir) as engine:
        with engine.connect() as source:
            note = read_note(source)
            with Session(source) as session:
                check_keys(session, campaign.vault, note.get("keyring"))
                total = count_rows(session)
            stones = read_stones(campaign.settings.tombstones)
            stones |= read_stones(tombstones) if tombstones else set()
            if not yes:
                click.confirm(
                    f"The backup of {note['made_at']} with {total} rows takes the place of all that the database "
                    "holds now. Go on?",
                    abort=True,
                    err=True,
                )
            done = _put_back(campaign, source, total, stones)
        campaign.jobs.forget_all()
        campaign.database.truncate_log()
    click.echo(f"The database is as it was on {note['made_at']}, but for {done.erased} rows that were erased since.")
    if done.paused:
        click.echo(f"{done.paused} editions wait for a decision: resume or cancel each, its page says why.")
    if done.organizers:
        click.echo(f"{done.organizers} organizers have to sign in again. Look whether all of them still should.")


def _put_back(campaign: Campaign, source: Connection, total: int, stones: set[Stone]) -> Restored:
    with _progress("Restoring", total) as progress, campaign.database.sessions.begin() as session:
        return put_back(session, source, stones=stones, now=campaign.now(), copied=progress.update)


@contextmanager
def _refusing_broken() -> Iterator[None]:
    """What the backup lacks, or has no place here, is found by the database at the latest; it has changed nothing."""
    try:
        yield
    except (IntegrityError, DataError, TypeError, ValueError, LookupError):  # or a value that no column reads
        raise InvalidFile("The rows of the backup do not fit together; nothing was changed.") from None
    except BrokenFile as error:
        if "no such" not in str(error.orig) and "malformed" not in str(error.orig):
            raise
        raise InvalidFile("This is not a backup, or a part of it is missing; nothing was changed.") from None


@contextmanager
def _opened(file: Path, folder: Path) -> Iterator[Engine]:
    """The backup's file, or, where an older version wrote it, a copy of it that was brought up to date."""
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
