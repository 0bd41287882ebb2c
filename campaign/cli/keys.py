"""Commands for an organizer's own machine: make a key, open an encrypted list. They need no server."""

import sys
from pathlib import Path

import click

from campaign.cli.output import open_output
from campaign.crypto.organizer_keys import OrganizerKey
from campaign.errors import InvalidFile
from campaign.services.exports.age_lists import Opening, open_list
from campaign.services.exports.rows import Format


def add_to(cli: click.Group) -> None:
    """Add these commands."""
    for command in (key, open_):
        cli.add_command(command)


@click.group()
def key() -> None:
    """Keys of organizers, stored on their own machines."""


@key.command()
@click.argument("file", type=click.Path(path_type=Path))
def new(file: Path) -> None:
    """Make a key in FILE, and print its public line for the petition file."""
    made = OrganizerKey.fresh()
    made.write(file)
    click.echo(made.public.line)
    click.echo(
        f"Put this line into the petition file, under sealed_to. The key itself is in {file}. Give it to nobody, and "
        "keep a copy in another safe place: without it nobody can ever read the names that are sealed to it.",
        err=True,
    )


@key.command()
@click.argument("file", type=click.Path(path_type=Path))
def show(file: Path) -> None:
    """Print the public line of the key in FILE once more."""
    click.echo(OrganizerKey.read(file).public.line)


@click.command("open")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--key",
    "keys",
    type=click.Path(path_type=Path),
    required=True,
    multiple=True,
    help="Your key file; may be repeated.",
)
@click.option("--output", type=click.Path(path_type=Path), help="A file; default: standard output.")
@click.option("--format", "kind", type=click.Choice([kind.value for kind in Format]), default="csv")
@click.option("--partial", is_flag=True, help="Leave a name empty if none of the keys opens it.")
def open_(file: Path, keys: tuple[Path, ...], output: Path | None, kind: str, partial: bool) -> None:
    """Decrypt an encrypted list from `campaign export`, with all names in it, as CSV or JSON lines."""
    own = [OrganizerKey.read(path) for path in keys]
    try:
        source = file.open("rb")
    except OSError as error:
        raise InvalidFile(f"{file} cannot be read: {error.strerror}.") from None
    hidden = not sys.stderr.isatty() or (output is None and sys.stdout.isatty())
    bar = click.progressbar(length=1, label="Opening", file=sys.stderr, hidden=hidden)
    with source, open_output(output, whole=True) as target, bar:

        def began(rows: int) -> None:
            bar.length = rows

        opening = Opening(own, target, Format(kind), began, bar.update)
        open_list(source, opening, partial=partial)
    if opening.sealed_to_others:
        click.echo(f"{opening.sealed_to_others} names are empty, because they were sealed to other keys.", err=True)
    if output is not None:
        click.echo(f"{opening.rows} rows were written into {output}.", err=True)
