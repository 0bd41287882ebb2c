"""The commands that answer a person: what is known of you here, forget it, and is this receipt yours?"""

import sys
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import click

from campaign.cli.wired import wired
from campaign.models import CommentState, DeliveryKind, Petition, ReaderFrequency, Subscription
from campaign.services.audit_log import COMMAND_LINE, record
from campaign.services.privacy import erase_person
from campaign.services.privacy.delivery_history import Account, Event, tell_history
from campaign.services.privacy.receipts import Receipt, read_receipt, write_receipt
from campaign.text.email_address import parse_email_address

FREQUENCIES = {
    ReaderFrequency.EACH: "each edition",
    ReaderFrequency.MONTHLY: "one a month",
    ReaderFrequency.MILESTONES: "milestones only",
}
UNKNOWN = (
    "Nothing is known of this address. Of updates that were stopped and of a signature that was erased nothing is kept "
    "by which they could be found; the person's own link, from any of their mails, shows what was sent to them."
)

TITLES = {DeliveryKind.CONFIRMATION: "confirmation mail", DeliveryKind.LINK: "mail with the link to their page"}


def add_to(cli: click.Group) -> None:
    """Add these commands."""
    for command in (history, forget, receipt):
        cli.add_command(command)


@click.command()
@click.argument("email")
def history(email: str) -> None:
    """Print all that is known of EMAIL, and every mail to it with why. That it was asked is recorded.

    An address of which nothing is known is an answer too: one sentence, exit status 0.
    """
    campaign = wired()
    address = parse_email_address(email, allow_smtputf8=True)
    with campaign.database.sessions.begin() as session:
        told = tell_history(session, campaign.vault, address)
        for account in told.accounts:
            record(session, COMMAND_LINE, "history told", account.petition.id, now=campaign.now())
        lines = [line for account in told.accounts for line in _account(account)]
    if told.suppression is not None:
        since = told.suppression.since_on
        click.echo(f"Suppressed since {since} ({told.suppression.reason}): this server sends nothing to the address.")
    for line in lines:
        click.echo(line)
    if told.allowance is not None:
        last = told.allowance.last_at.date()
        click.echo(
            f"Confirmation mails to the address that nobody answered yet: {told.allowance.mails}, last on {last}"
        )
    for slug, request in told.requests:
        sealed = "" if request.sealed_address is None else "; the address is kept, sealed, until the mail is sent"
        click.echo(f"The link to their page was asked for, petition “{slug}”, on {request.asked_at.date()}{sealed}")
    if told.is_empty:
        click.echo(UNKNOWN)


@click.command()
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask once more.")
def forget(email: str, yes: bool) -> None:
    """Erase all that is kept of EMAIL, under every petition: signatures, updates, requests. It cannot be undone.

    An address of which nothing is known is an answer too: one sentence, exit status 0.
    """
    campaign = wired()
    address = parse_email_address(email, allow_smtputf8=True)
    if not yes and sys.stdin.isatty():
        click.confirm("Erase all that is kept of this address, under every petition?", abort=True)
    now = campaign.now()
    with campaign.database.sessions.begin() as session:
        gone = erase_person.forget(session, campaign.vault, address, actor=COMMAND_LINE, now=now)
    if gone.is_nothing and gone.suppression is None:
        click.echo(UNKNOWN)
        return
    for slug, signed, followed in gone.petitions:
        words = " and ".join([*(["the signature"] if signed else []), *(["the updates"] if followed else [])])
        click.echo(f"Petition “{slug}”: erased: {words}.")
    if gone.mails_counted:
        click.echo("How many confirmation mails the address was sent: erased.")
    if gone.links_asked:
        click.echo("That the link to the person's own page was asked for: erased.")
    if gone.suppression is not None:
        click.echo(
            f"Kept: that this server writes nothing to the address ({gone.suppression.reason}, since "
            f"{gone.suppression.since_on}). It is known by a keyed hash alone, and keeps us from writing to it again."
        )
    if not gone.is_nothing:
        click.echo(f"Receipt: {write_receipt(campaign.vault, Receipt(None, now.date()))}")


@click.command()
@click.argument("code")
def receipt(code: str) -> None:
    """Check the CODE of a receipt for what was erased. Exit 1 if this server has not written it."""
    campaign = wired()
    found = read_receipt(campaign.vault, code)
    with campaign.database.snapshots() as session:
        petition = session.get(Petition, found.petition_id) if found.petition_id is not None else None
    under = f"under the petition “{petition.slug}”" if petition is not None else "under all petitions of this server"
    click.echo(
        f"This server wrote this receipt: on {found.day} (UTC) all that was kept of one person {under} was erased."
    )
    click.echo("It does not say of whom, and whoever was erased on that day has the same code.")


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
        yield f"    unless confirmed, erased on {signature.expires_at.date()}"
    if signature.sealed_address is not None:
        yield "    address: kept, sealed, until it is confirmed"
    if person is not None:
        yield f"    name: {person.name}"
        yield from (
            f"    {what}: {said}" for what, said in (("place", person.place), ("comment", person.comment)) if said
        )
    else:
        yield f"    name and comment: {'erased' if signature.sealed_person is None else 'sealed to the organizers'}"
    yield f"    country: {signature.country or 'none'}, language: {signature.language}, display: {signature.display}"
    if signature.source is not None:
        yield f"    came by: the link “{signature.source}”, kept until the signature counts"
    yield f"    demands: version {signature.text_version.short_digest}"
    if signature.comment_state is not CommentState.PRIVATE:
        yield f"    comment for everybody: {signature.comment_state}"
    if signature.wrong_codes:
        yield f"    wrong codes typed: {signature.wrong_codes}"
    if account.suspicions:
        yield f"    looked at because of: {', '.join(account.suspicions)}"


def _subscription(subscription: Subscription | None) -> str:
    if subscription is None:
        return "none, or stopped"
    words = [f"since {subscription.since_on}", FREQUENCIES[subscription.frequency], f"in {subscription.language}"]
    words.append("address kept, sealed")
    if subscription.paused:
        words.append("paused")
    if subscription.merged:
        words.append("one mail for all campaigns")
    if subscription.soft_bounces:
        words.append(f"came back {subscription.soft_bounces} times")
    return ", ".join(words)


def _event(event: Event) -> str:
    title = TITLES.get(event.kind) or f"edition {event.edition}"
    parts = [f"{title}: {event.fate}", *([event.reason] if event.reason else [])]
    if event.returned:
        parts.append(f"came back: {event.returned}")
    return "; ".join(parts)
