"""The command ``freeze``, which copies the public pages into files. It joins the command line with the web."""

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
@click.option("--language", help="The front page's language; default: the first language of the first petition.")
def freeze(folder: Path, language: str | None) -> None:
    """Copy the public pages into DIR, which any web host can serve.

    DIR must be new, empty, or an older copy, which is replaced when the new copy is complete. The command needs no
    keys, and works while the server is locked.
    """
    copy, target = FrozenCopy(keyless(), language), folder.absolute()
    hidden = not sys.stderr.isatty()
    with click.progressbar(copy.write(target), len(copy.pages), "Copying", file=sys.stderr, hidden=hidden) as pages:
        for _ in pages:
            pass
    click.echo(f"{len(copy.pages)} pages were written into {folder}. The first page is {folder / 'index.html'}")
