"""The command that exports lists."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import click

from campaign.cli.wired import wired
from campaign.errors import InvalidFile
from campaign.models import SignatureState
from campaign.services import exporting
from campaign.services.auditing import COMMAND_LINE, record
from campaign.services.petitions import get_petition
from campaign.services.subscribing import count_active


def add_to(cli: click.Group) -> None:
    """Add these commands."""
    cli.add_command(export)


@contextmanager
def _target(output: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or a file that is there whole or not at all, readable by its owner alone."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = output.with_name(output.name + ".part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            yield file
        part.replace(output)
    except OSError as error:
        raise InvalidFile(f"{output} cannot be written: {error.strerror}.") from None
    finally:
        with suppress(OSError):  # where there is no such folder
            part.unlink()


def _with_progress(rows: Iterable[exporting.Row], total: int, *, quiet: bool) -> Iterator[exporting.Row]:
    hidden = quiet or not sys.stderr.isatty()
    with click.progressbar(rows, length=total, label="Exporting", file=sys.stderr, hidden=hidden) as shown:
        yield from shown


@click.command()
@click.argument("slug")
@click.option("--format", "kind", type=click.Choice([kind.value for kind in exporting.Format]), default="csv")
@click.option("--state", type=click.Choice([state.value for state in SignatureState]), default="confirmed")
@click.option("--subscribers", is_flag=True, help="The digest's readers instead, with their addresses.")
@click.option("--output", type=click.Path(path_type=Path), help="A file; default: standard output.")
def export(slug: str, kind: str, state: str, subscribers: bool, output: Path | None) -> None:
    """Write the signature list, or the digest's readers. The export is recorded."""
    campaign = wired()
    chosen = "subscribers" if subscribers else "signatures"
    with campaign.database.sessions.begin() as session:
        found = get_petition(session, slug)
        details: dict[str, Any] = {"list": chosen, "format": kind, **({} if subscribers else {"state": state})}
        record(session, COMMAND_LINE, "export", found.id, now=campaign.now(), **details)
    wanted = SignatureState(state)
    with campaign.database.snapshots() as session, _target(output) as target:
        if subscribers:
            total = count_active(session, found.id)
            rows = exporting.list_subscribers(session, campaign.vault, found)
        else:
            total = exporting.count_signatures(session, found, wanted)
            rows = exporting.list_signatures(session, campaign.vault, found, wanted)
        columns = exporting.SUBSCRIBER_COLUMNS if subscribers else exporting.SIGNATURE_COLUMNS
        # On a terminal the rows themselves show how far it is.
        shown = _with_progress(rows, total, quiet=output is None and sys.stdout.isatty())
        for piece in exporting.write_rows(shown, columns, exporting.Format(kind)):
            target.write(piece)
    if output is not None:
        click.echo(f"{total} {chosen} are in {output}.", err=True)
