"""The commands that answer a person's requests: ``history`` (what is stored), ``forget`` (erase it), ``receipt``."""

import sys
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import click

from campaign.cli.wired import wired
from campaign.models import CommentState, DeliveryKind, ReaderFrequency, Subscription
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.privacy import erase_person
from campaign.services.privacy.delivery_history import Account, Event, tell_history
from campaign.services.privacy.receipts import Receipt, find_petition_of, read_receipt, write_receipt
from campaign.text.email_address import parse_email_address

FREQUENCIES = {
    ReaderFrequency.EACH: "each edition",
    ReaderFrequency.MONTHLY: "one a month",
    ReaderFrequency.MILESTONES: "milestones only",
}
UNKNOWN = (
    "Nothing is known about this address. After updates are stopped or a signature is erased, nothing is kept by which "
    "they could be found. The person's own link, in any of their mails, shows which mails were sent to them."
)

TITLES = {DeliveryKind.CONFIRMATION: "confirmation mail", DeliveryKind.LINK: "mail with the link to their page"}


def add_to(cli: click.Group) -> None:
    """Add these commands."""
    for command in (history, forget, receipt):
        cli.add_command(command)


@click.command()
@click.argument("email")
def history(email: str) -> None:
    """Print everything known about EMAIL, and every mail to it with its reason. The request is recorded.

    If nothing is known about the address, one sentence says so; the exit status is 0 then too.
    """
    installation = wired()
    address = parse_email_address(email, allow_smtputf8=True)
    with installation.database.sessions.begin() as session:
        found = tell_history(session, installation.vault, address, actor=COMMAND_LINE, now=installation.now())
        lines = [line for account in found.accounts for line in _account(account)]
    if found.suppression is not None:
        since = found.suppression.since_on
        click.echo(f"Suppressed since {since} ({found.suppression.reason}): this server sends nothing to the address.")
    for line in lines:
        click.echo(line)
    if found.allowance is not None:
        last = found.allowance.last_at.date()
        click.echo(f"Unanswered confirmation mails to the address: {found.allowance.mails}, last on {last}")
    for slug, request in found.requests:
        sealed = "" if request.sealed_address is None else "; the address is kept, sealed, until the mail is sent"
        day = request.asked_at.date()
        click.echo(f"The link to the person's own page under petition “{slug}” was requested on {day}{sealed}")
    if found.is_empty:
        click.echo(UNKNOWN)


@click.command()
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def forget(email: str, yes: bool) -> None:
    """Erase everything stored about EMAIL, under every petition: signatures, updates, requests. It cannot be undone.

    If nothing is known about the address, one sentence says so; the exit status is 0 then too.
    """
    installation = wired()
    address = parse_email_address(email, allow_smtputf8=True)
    if not yes and sys.stdin.isatty():
        click.confirm("Erase everything stored about this address, under every petition?", abort=True)
    now = installation.now()
    with installation.database.sessions.begin() as session:
        gone = erase_person.forget(session, installation.vault, address, actor=COMMAND_LINE, now=now)
    if gone.is_nothing and gone.suppression is None:
        click.echo(UNKNOWN)
        return
    for slug, signed, followed in gone.petitions:
        words = " and ".join([*(["the signature"] if signed else []), *(["the updates"] if followed else [])])
        click.echo(f"Petition “{slug}”: erased: {words}.")
    if gone.mails_counted:
        click.echo("The number of confirmation mails to the address: erased.")
    if gone.links_asked:
        click.echo("The request for the link to the person's own page: erased.")
    if gone.suppression is not None:
        click.echo(
            f"Kept: the suppression of the address ({gone.suppression.reason}, since {gone.suppression.since_on}). "
            "It is stored as a keyed hash only, and it keeps this server from writing to the address again."
        )
    if not gone.is_nothing:
        click.echo(f"Receipt: {write_receipt(installation.vault, Receipt(None, now.date()))}")


@click.command()
@click.argument("code")
def receipt(code: str) -> None:
    """Check the CODE of an erasure receipt. Exit status 1 if this server did not write it."""
    installation = wired()
    found = read_receipt(installation.vault, code)
    with installation.database.snapshots() as session:
        petition = find_petition_of(session, found)
    under = f"under the petition “{petition.slug}”" if petition is not None else "under all petitions of this server"
    click.echo(
        f"This server wrote this receipt: on {found.day} (UTC) everything stored about one person {under} was erased."
    )
    click.echo("It does not say who the person was. All persons who were erased on that day have the same code.")


def _account(account: Account) -> Iterator[str]:
    yield f"Petition “{account.petition.slug}”"
    yield from _signature(account)
    yield f"  updates: {_subscription(account.subscription)}"
    zone = ZoneInfo(account.petition.timezone)
    for event in account.events:
        yield f"  {event.at.astimezone(zone):%Y-%m-%d} {_event(event)}"


def _signature(account: Account) -> Iterator[str]:
    signature, person = account.signature, account.person
    if signature is None:
        yield "  signature: none"
        return
    day, number = f" on {signature.signed_on}" if signature.signed_on else "", signature.number
    yield f"  signature: {signature.state}{day}{f', number {number}' if number else ''}"
    if signature.expires_at is not None:
        yield f"    erased on {signature.expires_at.date()}, unless confirmed"
    if signature.sealed_address is not None:
        yield "    address: kept, sealed, until the signature is confirmed"
    if person is not None:
        yield f"    name: {person.name}"
        yield from (
            f"    {what}: {text}" for what, text in (("place", person.place), ("comment", person.comment)) if text
        )
    else:
        yield f"    name and comment: {'erased' if signature.sealed_person is None else 'sealed to the organizers'}"
    yield f"    country: {signature.country or 'none'}, language: {signature.language}, display: {signature.display}"
    if signature.source is not None:
        yield f"    came by the link: “{signature.source}”, kept until the signature counts"
    yield f"    demands: version {signature.text_version.short_digest}"
    if signature.comment_state is not CommentState.PRIVATE:
        yield f"    comment for everybody: {signature.comment_state}"
    if signature.wrong_codes:
        yield f"    wrong codes typed: {signature.wrong_codes}"
    if account.suspicions:
        yield f"    suspicious because of: {', '.join(account.suspicions)}"


def _subscription(subscription: Subscription | None) -> str:
    if subscription is None:
        return "none, or stopped"
    words = [f"since {subscription.since_on}", FREQUENCIES[subscription.frequency], f"in {subscription.language}"]
    words.append("address kept, sealed")
    if subscription.paused:
        words.append("paused")
    if subscription.merged:
        words.append("one mail for all petitions")
    if subscription.soft_bounces:
        words.append(f"bounced {subscription.soft_bounces} times")
    return ", ".join(words)


def _event(event: Event) -> str:
    title = TITLES.get(event.kind) or f"edition {event.edition}"
    parts = [f"{title}: {event.fate}", *([event.reason] if event.reason else [])]
    if event.returned:
        parts.append(f"returned: {event.returned}")
    return "; ".join(parts)
