"""Commands about the digest."""

import sys

import click

from campaign.cli.wired import wired
from campaign.errors import NotFound
from campaign.models import DeliveryState, EditionState, ReaderFrequency, Schedule
from campaign.services.accounts import audit_ledger
from campaign.services.auditing import COMMAND_LINE, record
from campaign.services.checking import check_next_edition
from campaign.services.petitions import get_petition
from campaign.services.showing import preview_digest


def add_to(cli: click.Group) -> None:
    """Add these commands."""
    cli.add_command(digest)


@click.group()
def digest() -> None:
    """Preview, send and audit the digest."""


@digest.command()
@click.argument("slug")
@click.option("--language", help="Only this one.")
@click.option(
    "--frequency",
    type=click.Choice([frequency.value for frequency in ReaderFrequency]),
    default=ReaderFrequency.EACH.value,
    help="As a reader gets it who wants this.",
)
def preview(slug: str, language: str | None, frequency: str) -> None:
    """Show the next edition in each language: subject, text, HTML; and on standard error what is to be mended."""
    campaign = wired()
    with campaign.database.snapshots() as session:
        found = get_petition(session, slug)
        if language not in (None, *found.languages):
            raise NotFound(f"The petition is not in “{language}”, only in {', '.join(found.languages)}.")
        languages = [language] if language else found.languages
        sample = preview_digest(
            session, found, campaign.links, languages=languages, frequency=ReaderFrequency(frequency)
        )
        findings = check_next_edition(session, found, campaign.links)
    for code, content in sample.contents.items():
        click.echo(f"=== {code} · subject ===\n{content.subject}\n")
        click.echo(f"=== {code} · text ===\n{content.text}")
        click.echo(f"=== {code} · html ===\n{content.html}")
    for finding in findings:
        if language in (None, finding.language):
            click.echo(f"To mend: {finding}", err=True)
    if sample.news.is_empty:
        click.echo("Nothing is new since the last edition: it would be skipped.", err=True)
    elif not sample.reaches_them:
        click.echo("It passes no milestone: readers who want milestones only do not get it.", err=True)


@digest.command()
@click.argument("slug")
def send(slug: str) -> None:
    """Make the next edition now; the worker sends it."""
    campaign = wired()
    with campaign.database.sessions.begin() as session:
        found = get_petition(session, slug)
        edition = campaign.jobs.send_digest(session, found, campaign.links, actor=COMMAND_LINE, now=campaign.now())
    if edition.state is EditionState.SKIPPED:
        click.echo(f"Skipped: {edition.reason}.")
    else:
        click.echo(
            f"Edition {edition.number} is made for {edition.candidates} readers. The worker sends it: campaign worker"
        )


@digest.command()
@click.argument("slug")
def audit(slug: str) -> None:
    """Print the ledger: how many mails were owed, and where each of them is. Exit 1 if it does not balance."""
    campaign = wired()
    with campaign.database.snapshots() as session:
        accounts = audit_ledger(session, get_petition(session, slug))
    for account in accounts:
        states = ", ".join(f"{state} {account.states[state]}" for state in DeliveryState if account.states[state])
        verdict = "balances" if account.balances else "DOES NOT BALANCE"
        title = "Confirmations" if account.edition is None else f"Edition {account.edition}"
        click.echo(f"{title}: owed {account.owed} = {account.states.total()} ({states or 'none'}): {verdict}")
    if not all(account.balances for account in accounts):
        sys.exit(1)


def _set_paused(slug: str, *, paused: bool) -> None:
    campaign = wired()
    with campaign.database.sessions.begin() as session:
        found = get_petition(session, slug)
        session.get_one(Schedule, found.id).paused = paused
        record(session, COMMAND_LINE, "digest paused" if paused else "digest resumed", found.id, now=campaign.now())


@digest.command()
@click.argument("slug")
def pause(slug: str) -> None:
    """Make no edition by schedule until resumed."""
    _set_paused(slug, paused=True)
    click.echo(f"No digest of “{slug}” is made by schedule. Go on with: campaign digest resume {slug}")


@digest.command()
@click.argument("slug")
def resume(slug: str) -> None:
    """Make editions by schedule again; missed ones become one."""
    _set_paused(slug, paused=False)
    click.echo(f"The digest of “{slug}” goes by its schedule again.")
