"""The command that answers a person: what is known of you here, and why did you, or did you not, get a mail?"""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import click

from campaign.cli.wired import wired
from campaign.email_address import parse_email_address
from campaign.models import ReaderFrequency, Signature, SignatureState, Subscription
from campaign.services.auditing import COMMAND_LINE, record
from campaign.services.history import Account, Event, tell_history

FREQUENCIES = {
    ReaderFrequency.EACH: "each edition",
    ReaderFrequency.MONTHLY: "one a month",
    ReaderFrequency.MILESTONES: "milestones only",
}
UNKNOWN = (
    "Nothing is known of this address. Of updates that were stopped and of a signature that was erased nothing is kept "
    "by which they could be found; the person's own link, from any of their mails, shows what was sent to them."
)


def add_to(cli: click.Group) -> None:
    """Add these commands."""
    cli.add_command(history)


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
    if told.is_empty:
        click.echo(UNKNOWN)


def _account(account: Account) -> Iterator[str]:
    yield f"Petition “{account.petition.slug}”"
    yield f"  signature: {_signature(account.signature)}"
    yield f"  updates: {_subscription(account.subscription)}"
    zone = ZoneInfo(account.petition.timezone)
    for event in account.events:
        yield f"  {event.at.astimezone(zone):%Y-%m-%d %H:%M} {_event(event)}"


def _signature(signature: Signature | None) -> str:
    if signature is None:
        return "none"
    if signature.state is SignatureState.CONFIRMED:
        return f"confirmed on {signature.signed_on}, number {signature.number}"
    return str(signature.state)


def _subscription(subscription: Subscription | None) -> str:
    if subscription is None:
        return "none, or stopped"
    words = [f"since {subscription.since_on}", FREQUENCIES[subscription.frequency], f"in {subscription.language}"]
    if subscription.paused:
        words.append("paused")
    if subscription.merged:
        words.append("one mail for all campaigns")
    if subscription.soft_bounces:
        words.append(f"came back {subscription.soft_bounces} times")
    return ", ".join(words)


def _event(event: Event) -> str:
    title = "confirmation mail" if event.edition is None else f"edition {event.edition}"
    parts = [f"{title}: {event.fate}", *([event.reason] if event.reason else [])]
    if event.returned:
        parts.append(f"came back: {event.returned}")
    return "; ".join(parts)
