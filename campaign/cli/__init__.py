"""The command-line door: ``campaign …``. Exit status 0, 1 with one sentence on stderr, 2 for wrong usage."""

import sys

import click
from sqlalchemy.exc import OperationalError

from campaign import logs
from campaign.cli import (
    backup,
    bounce,
    digest,
    dkim,
    doctor,
    emergency,
    keyring,
    keys,
    lists,
    organizers,
    people,
    petition,
    retention,
    setup,
)
from campaign.errors import CampaignError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Petitions and digests for solidarity movements."""


for commands in (
    setup,
    petition,
    organizers,
    lists,
    keys,
    digest,
    dkim,
    backup,
    bounce,
    doctor,
    people,
    retention,
    keyring,
    emergency,
):
    commands.add_to(cli)


def printable(sentence: str) -> str:
    """A sentence may quote what was typed: nothing of it moves a terminal's cursor, or cannot be printed."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in sentence)


def run() -> None:
    """Run the command that the process's arguments name."""
    logs.install()
    try:
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except CampaignError as error:
        click.echo(printable(error.sentence), err=True)
        sys.exit(1)
    except OperationalError:
        click.echo("The database cannot be used now; see CAMPAIGN_DATABASE_URL.", err=True)
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
