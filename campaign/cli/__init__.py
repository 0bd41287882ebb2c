"""The command-line door: ``campaign …``. Exit status 0, 1 with one sentence on stderr, 2 for wrong usage."""

import logging
import sys

import click
from sqlalchemy.exc import OperationalError

from campaign.cli import bounce, digest, dkim, doctor, lists, people, petition, retention, setup
from campaign.errors import CampaignError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Petitions and digests for solidarity movements."""


for commands in (setup, petition, lists, digest, dkim, bounce, doctor, people, retention):
    commands.add_to(cli)


def run() -> None:
    """Run the command that the process's arguments name."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # It reports each form of bounce that its heuristics trip over, with a traceback.
    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)
    try:
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except CampaignError as error:
        click.echo(error.sentence, err=True)
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
