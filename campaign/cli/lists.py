"""The command ``export``."""

import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import click

from campaign.cli.output import open_output
from campaign.cli.wired import wired
from campaign.errors import InvalidInput
from campaign.models import SignatureState
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.exports import lists
from campaign.services.exports import rows as export_rows
from campaign.services.exports.export import export_list, write_list
from campaign.services.petitions.store import get_petition
from campaign.text.personal_text import clean_reason


def add_to(cli: click.Group) -> None:
    """Add these commands."""
    cli.add_command(export)


def _with_progress(rows: Iterable[export_rows.Row], total: int, *, quiet: bool) -> Iterator[export_rows.Row]:
    hidden = quiet or not sys.stderr.isatty()
    with click.progressbar(rows, length=total, label="Exporting", file=sys.stderr, hidden=hidden) as shown:
        yield from shown


@click.command()
@click.argument("slug")
@click.option("--format", "kind", type=click.Choice([kind.value for kind in export_rows.Format]), default="csv")
@click.option("--state", type=click.Choice([state.value for state in SignatureState]), default="confirmed")
@click.option("--subscribers", is_flag=True, help="Export the digest's readers with their addresses instead.")
@click.option("--age", is_flag=True, help="Encrypt to the petition's organizers; always done for a sealed petition.")
@click.option(
    "--to", "lines", multiple=True, metavar="PUBLICLINE", help="Encrypt to this key instead; may be repeated."
)
@click.option("--reason", default="", help="The purpose of the list; it is recorded, so write nothing about a signer.")
@click.option("--output", type=click.Path(path_type=Path), help="A file; default: standard output.")
def export(
    slug: str,
    kind: str,
    state: str,
    subscribers: bool,
    age: bool,
    lines: tuple[str, ...],
    reason: str,
    output: Path | None,
) -> None:
    """Write the list of signatures, or of the digest's readers. The export is recorded."""
    installation = wired()
    purpose = clean_reason(reason) if reason else None
    with installation.database.sessions.begin() as session:
        found = get_petition(session, slug)
        chosen = lists.SUBSCRIBERS if subscribers else lists.SIGNATURES
        wanted = lists.want(found, chosen, lists.AGE if age or lines else kind, SignatureState(state))
        made = export_list(
            session, found, wanted, reason=purpose, lines=lines, actor=COMMAND_LINE, now=installation.now()
        )
        if made.recipients and output is None and sys.stdout.isatty():
            raise InvalidInput("output", "An encrypted file cannot be shown on a terminal. Give a file with --output.")
    # On a terminal the rows themselves show the progress.
    show = partial(_with_progress, quiet=output is None and sys.stdout.isatty())
    with installation.database.snapshots() as session, open_output(output) as target:
        total = write_list(session, installation.vault, found, made, target, show=show)
    if output is not None:
        click.echo(f"{total} {chosen} were written into {output}.", err=True)
