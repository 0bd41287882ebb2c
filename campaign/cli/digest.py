"""The commands ``digest …``."""

import sys
from functools import partial
from zoneinfo import ZoneInfo

import click

from campaign.cli.wired import wired
from campaign.errors import NotFound
from campaign.models import DeliveryKind, DeliveryState, Edition, EditionState, Petition, ReaderFrequency
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.delivery.ledger_audit import audit_ledger
from campaign.services.digests.archive import preview_digest
from campaign.services.digests.editions import send_digest
from campaign.services.digests.lint_check import check_next_edition
from campaign.services.digests.send_test import rehearse_edition
from campaign.services.digests.steps import choose_number, pause_digest, resume_digest, take_step
from campaign.services.digests.transitions import approve_edition, cancel_edition
from campaign.services.petitions.store import get_petition

TITLES = {DeliveryKind.CONFIRMATION: "Confirmations", DeliveryKind.LINK: "Lost links"}


def add_to(cli: click.Group) -> None:
    """Add these commands."""
    cli.add_command(digest)


@click.group()
def digest() -> None:
    """Preview, send, pause and audit the digest."""


@digest.command()
@click.argument("slug")
@click.option("--language", help="Only this language.")
@click.option(
    "--frequency",
    type=click.Choice([frequency.value for frequency in ReaderFrequency]),
    default=ReaderFrequency.EACH.value,
    help="The edition for readers who chose this.",
)
def preview(slug: str, language: str | None, frequency: str) -> None:
    """Show the next edition in each language: subject, text and HTML. Problems are printed on standard error."""
    installation = wired()
    with installation.database.snapshots() as session:
        found = get_petition(session, slug)
        if language not in (None, *found.languages):
            raise NotFound(f"The petition is not in “{language}”, only in {', '.join(found.languages)}.")
        languages = [language] if language else found.languages
        sample = preview_digest(
            session,
            found,
            installation.links,
            now=installation.now(),
            languages=languages,
            frequency=ReaderFrequency(frequency),
        )
        findings = check_next_edition(session, found, installation.links)
    for code, content in sample.contents.items():
        click.echo(f"=== {code} · subject ===\n{content.subject}\n")
        click.echo(f"=== {code} · text ===\n{content.text}")
        click.echo(f"=== {code} · html ===\n{content.html}")
    for finding in findings:
        if language in (None, finding.language):
            click.echo(f"To mend: {finding}", err=True)
    if sample.news.is_empty:
        click.echo("There is nothing new since the last edition, so the next one would be skipped.", err=True)
    elif not sample.reaches_them:
        click.echo("Readers who chose this frequency do not get this edition.", err=True)


@digest.command()
@click.argument("slug")
def send(slug: str) -> None:
    """Make the next edition now. The worker sends it, unless it must wait for approval or for its time."""
    installation = wired()
    with installation.database.sessions.begin() as session:
        found = get_petition(session, slug)
        edition = send_digest(
            session, found, installation.links, installation.dispatch, actor=COMMAND_LINE, now=installation.now()
        )
    if edition.state is EditionState.SKIPPED:
        click.echo(f"Skipped: {edition.reason}.")
    elif edition.state is EditionState.SENDING:
        click.echo(
            f"Edition {edition.number} is made. Readers: {edition.candidates}. A running worker sends it. "
            "If no worker is running, start one: campaign worker"
        )
    else:
        click.echo(f"Edition {edition.number} is made. {_what_next(found, edition)}")


def _what_next(petition: Petition, edition: Edition) -> str:
    if edition.state is EditionState.DRAFT:
        return f"A second person must approve it: campaign digest approve {petition.slug}"
    if edition.state is EditionState.SCHEDULED and edition.send_at is not None:
        start = edition.send_at.astimezone(ZoneInfo(petition.timezone))
        cancel = f"Until then it can be cancelled: campaign digest cancel {petition.slug}"
        return f"Sending starts at {start:%Y-%m-%d %H:%M} ({petition.timezone}). {cancel}"
    if edition.state is EditionState.PAUSED:
        return f"It is paused: {edition.reason} To send it all the same: campaign digest resume {petition.slug}"
    return "The worker sends it: campaign worker"


_one_edition = click.option("--edition", "number", type=int, help="The number, if several editions are unfinished.")


@digest.command()
@click.argument("slug")
@_one_edition
def approve(slug: str, number: int | None) -> None:
    """Approve an edition that waits for approval. The person who made it cannot approve it."""
    installation = wired()
    with installation.database.sessions.begin() as session:
        found = get_petition(session, slug)
        chosen = choose_number(session, found, EditionState.DRAFT) if number is None else number
        step = partial(approve_edition, dispatch=installation.dispatch)
        edition = take_step(session, found, chosen, step, actor=COMMAND_LINE, now=installation.now())
    click.echo(f"Edition {edition.number} is approved. {_what_next(found, edition)}")


@digest.command()
@click.argument("slug")
@_one_edition
def cancel(slug: str, number: int | None) -> None:
    """Cancel an edition for ever: no further mail of it is sent. The next edition contains its news."""
    installation = wired()
    with installation.database.sessions.begin() as session:
        found = get_petition(session, slug)
        chosen = choose_number(session, found) if number is None else number
        edition = take_step(session, found, chosen, cancel_edition, actor=COMMAND_LINE, now=installation.now())
    click.echo(f"Edition {edition.number} is cancelled: no further mail of it is sent.")


@digest.command()
@click.argument("slug")
@click.option("--to", "email", required=True, metavar="EMAIL", help="An organizer who may send the digest.")
@click.option("--language", help="Only this language.")
def test(slug: str, email: str, language: str | None) -> None:
    """Send a test to an organizer: the edition that waits, or the next one as it would be made now."""
    installation = wired()
    with installation.database.sessions.begin() as session:
        found = get_petition(session, slug)
        tests = rehearse_edition(session, found, email, actor=COMMAND_LINE, now=installation.now(), language=language)
    languages = ", ".join(str(item.language) for item in tests)
    click.echo(f"A test in {languages} for {email} is queued. The worker sends it: campaign worker")


@digest.command()
@click.argument("slug")
def audit(slug: str) -> None:
    """Print the ledger: how many mails were queued, and their states. Exit status 1 if it does not balance."""
    installation = wired()
    with installation.database.snapshots() as session:
        accounts = audit_ledger(session, get_petition(session, slug))
    for account in accounts:
        states = ", ".join(f"{state} {account.states[state]}" for state in DeliveryState if account.states[state])
        verdict = "balances" if account.balances else "DOES NOT BALANCE"
        title = TITLES.get(account.kind) or f"Edition {account.edition}"
        click.echo(f"{title}: expected {account.owed} = {account.states.total()} ({states or 'none'}): {verdict}")
    if not all(account.balances for account in accounts):
        sys.exit(1)


@digest.command()
@click.argument("slug")
def pause(slug: str) -> None:
    """Pause the schedule and every edition that is being sent or waits for its time, until ``resume``."""
    installation = wired()
    with installation.database.sessions.begin() as session:
        found = get_petition(session, slug)
        stopped = pause_digest(session, found, actor=COMMAND_LINE, now=installation.now())
    click.echo(f"The schedule of “{slug}” is paused. To go on: campaign digest resume {slug}")
    for edition in stopped:
        click.echo(f"Edition {edition.number} is paused.")


@digest.command()
@click.argument("slug")
def resume(slug: str) -> None:
    """Resume the schedule and every paused edition. Missed editions become one edition."""
    installation = wired()
    with installation.database.sessions.begin() as session:
        found = get_petition(session, slug)
        resumed = resume_digest(session, found, installation.dispatch, actor=COMMAND_LINE, now=installation.now())
    click.echo(f"The digest of “{slug}” follows its schedule again.")
    for edition in resumed:
        resumed_or_not = "is not resumed" if edition.state is EditionState.PAUSED else "is resumed"
        click.echo(f"Edition {edition.number} {resumed_or_not}. {_what_next(found, edition)}")
