"""The command line: ``campaign …``. Exit status 0 for success, 1 with one sentence on stderr, 2 for wrong usage."""

import gc
import sys
from importlib import import_module

import click
from sqlalchemy.exc import OperationalError

from campaign import logs
from campaign.errors import CampaignError

# The module of each command. A command needs few of the many libraries, and importing all of them takes a second.
MODULES = {
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
    """Commands; the module of a command is imported when the command is called, or when all commands are listed."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.modules = dict(MODULES)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """The names of all commands, sorted."""
        return sorted(self.modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name; None if there is none."""
        if cmd_name in self.modules and cmd_name not in self.commands:
            gc.disable()  # imported objects stay; searching them for garbage takes a fifth of the start
            import_module(self.modules[cmd_name]).add_to(self)
            gc.enable()
        return super().get_command(ctx, cmd_name)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Petitions and digests for solidarity movements."""


def printable(sentence: str) -> str:
    """The sentence with unprintable characters escaped, since it may quote input, which could move the cursor."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in sentence)


def run() -> None:
    """Run the command in the process's arguments, and exit with its status."""
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
        click.echo("The database cannot be used now. Check CAMPAIGN_DATABASE_URL.", err=True)
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
