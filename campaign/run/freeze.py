"""The command that copies the public pages to files: the command line's, with the pages of the web."""

import sys
from pathlib import Path

import click

from campaign.cli.wired import keyless
from campaign.web.server.static_copy import FrozenCopy


def add_to(cli: click.Group) -> None:
    """Add this command."""
    cli.add_command(freeze)


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--language", help="Of the front page. Default: the first one of the first petition.")
def freeze(folder: Path, language: str | None) -> None:
    """Copy the public pages into DIR, which any web host can serve. Works while locked, without keys.

    DIR is new, empty, or an older copy, which is replaced when the new one is whole.
    """
    copy, target = FrozenCopy(keyless(), language), folder.absolute()
    hidden = not sys.stderr.isatty()
    with click.progressbar(copy.write(target), len(copy.pages), "Copying", file=sys.stderr, hidden=hidden) as pages:
        for _ in pages:
            pass
    click.echo(f"{len(copy.pages)} pages are in {folder}. Begin at {folder / 'index.html'}")
