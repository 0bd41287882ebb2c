"""The command that reads mail that came back: one message from a pipe, or a mailbox."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy.exc import OperationalError

from campaign.cli.wired import wired
from campaign.errors import CampaignError, InvalidInput
from campaign.mail.returned.reports import MOST_BYTES, ReportKind
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
    help=f"Read a mailbox instead, and empty it: maildir:///path or imaps://user:password@host; default: {_SETTING}.",
)
def bounce(url: str | None) -> None:
    """Take back one message that came back, from standard input.

    Made for a mail server's pipe: it exits 0 for whatever it could read, and 75 where the message should be kept and
    handed over again later.
    """
    if url is None:
        with _kept_by_the_mail_server():
            _take_back_one()
        return
    campaign = wired()
    chosen = campaign.settings.bounces_url if url == _SETTING else url
    if not chosen:
        raise InvalidInput("from", f"No mailbox is named: set {_SETTING}, or write it after --from.")
    tally = read_mailbox(campaign.database.sessions, campaign.vault, chosen, now=campaign.now())
    click.echo(f"Read {tally.total()}: " + ", ".join(f"{kind} {tally[kind]}" for kind in ReportKind) + ".")


@contextmanager
def _kept_by_the_mail_server() -> Iterator[None]:
    """A message that cannot be recorded now is not to be returned to its sender, who is a mail server."""
    try:
        yield
    except (CampaignError, OperationalError) as error:
        click.echo(error.sentence if isinstance(error, CampaignError) else "The database cannot be used now.", err=True)
        sys.exit(os.EX_TEMPFAIL)


def _take_back_one() -> None:
    message = sys.stdin.buffer.read(MOST_BYTES)
    # To the end, lest the mail server think that we have died.
    while sys.stdin.buffer.read(MOST_BYTES):
        pass
    campaign = wired()
    with campaign.database.sessions.begin() as session:
        outcome = take_back(session, campaign.vault, message, now=campaign.now())
    click.echo(str(outcome))
