"""The command ``doctor``: it checks the whole installation and says what to fix."""

import sys
from collections import Counter

import click

from campaign.cli.wired import unchecked
from campaign.doctor.check import Check, Colour
from campaign.doctor.examination import examine

_WORDS = {Colour.GREEN: "ok", Colour.YELLOW: "look", Colour.RED: "broken"}


def add_to(cli: click.Group) -> None:
    """Add this command."""
    cli.add_command(doctor)


@click.command()
@click.option("--network/--no-network", default=True, help="Whether to ask the mail server and the DNS.")
def doctor(network: bool) -> None:
    """Check keys, disk, database, mail server and DNS, and say what to fix. Exit status 1 if anything is broken."""
    installation = unchecked()
    counts: Counter[Colour] = Counter()
    for check in examine(installation.settings, installation.database, now=installation.now(), network=network):
        counts[check.colour] += 1
        _print(check)
    click.echo(", ".join(f"{counts[colour]} {_WORDS[colour]}" for colour in Colour))
    if counts[Colour.RED]:
        sys.exit(1)


def _print(check: Check) -> None:
    # click omits the colour if the output is no terminal.
    word = click.style(f"{_WORDS[check.colour]:<7}", fg=check.colour.value)
    click.echo(f"{word} {check.name}: {check.sentence}")
    if check.fix:
        click.echo(f"        → {check.fix}")
