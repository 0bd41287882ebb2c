"""The command ``bounce``: it reads returned mail, one message from a pipe or a whole mailbox."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy.exc import OperationalError

from campaign.cli.wired import wired
from campaign.errors import CampaignError, InvalidInput
from campaign.mail.returned.reports import MAX_BYTES, ReportKind
from campaign.services.bounces.intake import read_mailbox, take_back

_SETTING = "CAMPAIGN_BOUNCES_URL"


def add_to(cli: click.Group) -> None:
    """Add this command."""
    cli.add_command(bounce)


@click.command()
@click.option(
    "--from",
    "url",
    is_flag=False,
    flag_value=_SETTING,
    help=f"Read and empty a mailbox instead: maildir:///path or imaps://user:password@host; default: {_SETTING}.",
)
def bounce(url: str | None) -> None:
    """Read one returned message from standard input.

    Made for a mail server's pipe. Exit status 0: the message was read. Exit status 75: the mail server should keep the
    message and deliver it again later.
    """
    if url is None:
        with _kept_by_the_mail_server():
            _take_back_one()
        return
    installation = wired()
    chosen = installation.settings.bounces_url if url == _SETTING else url
    if not chosen:
        raise InvalidInput("from", f"No mailbox is given. Set {_SETTING}, or write the mailbox after --from.")
    tally = read_mailbox(installation.database.sessions, installation.vault, chosen, now=installation.now())
    click.echo(f"Read {tally.total()}: " + ", ".join(f"{kind} {tally[kind]}" for kind in ReportKind) + ".")


@contextmanager
def _kept_by_the_mail_server() -> Iterator[None]:
    """Exit with EX_TEMPFAIL if the message cannot be recorded now, so that it is not returned to its sender.

    The sender is a mail server, which would do nothing with it.
    """
    try:
        yield
    except (CampaignError, OperationalError) as error:
        click.echo(error.sentence if isinstance(error, CampaignError) else "The database cannot be used now.", err=True)
        sys.exit(os.EX_TEMPFAIL)


def _take_back_one() -> None:
    message = sys.stdin.buffer.read(MAX_BYTES)
    # Read to the end: otherwise the mail server would believe that this program has crashed.
    while sys.stdin.buffer.read(MAX_BYTES):
        pass
    installation = wired()
    with installation.database.sessions.begin() as session:
        outcome = take_back(session, installation.vault, message, now=installation.now())
    click.echo(str(outcome))
