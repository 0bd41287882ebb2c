"""The command-line door: ``campaign …``. Exit status 0, 1 with one sentence on stderr, 2 for wrong usage."""

import gc
import sys
from importlib import import_module

import click
from sqlalchemy.exc import OperationalError

from campaign import logs
from campaign.errors import CampaignError

# Where each command is. A command needs a few of the many libraries, and importing all of them takes a second.
PLACES = {
    "backup": "campaign.cli.backup",
    "bounce": "campaign.cli.bounce",
    "burn": "campaign.cli.emergency",
    "digest": "campaign.cli.digest",
    "dkim": "campaign.cli.dkim",
    "doctor": "campaign.cli.doctor",
    "export": "campaign.cli.lists",
    "forget": "campaign.cli.people",
    "history": "campaign.cli.people",
    "init": "campaign.cli.setup",
    "key": "campaign.cli.keys",
    "keyring": "campaign.cli.keyring",
    "lock": "campaign.cli.emergency",
    "migrate": "campaign.cli.setup",
    "open": "campaign.cli.keys",
    "organizer": "campaign.cli.organizers",
    "petition": "campaign.cli.petition",
    "receipt": "campaign.cli.people",
    "restore": "campaign.cli.backup",
    "retention": "campaign.cli.retention",
    "sign": "campaign.cli.petition",
    "unlock": "campaign.cli.emergency",
    "update": "campaign.cli.petition",
}


class Commands(click.Group):
    """Commands whose modules are imported when one of them is asked for, by its name or for the list of all."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.places = dict(PLACES)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Every name, in the order of the alphabet."""
        return sorted(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or ``None``: there is none of this name."""
        if cmd_name in self.places and cmd_name not in self.commands:
            gc.disable()  # what is imported stays; to search it for garbage takes a fifth of the start
            import_module(self.places[cmd_name]).add_to(self)
            gc.enable()
        return super().get_command(ctx, cmd_name)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Petitions and digests for solidarity movements."""


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
