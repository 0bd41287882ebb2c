"""The command ``retention``: it erases data after its retention period, or shows what would be erased and when."""

import click

from campaign.cli.wired import wired
from campaign.services.privacy.retention import retain
from campaign.services.privacy.retention_rules import list_due


def add_to(cli: click.Group) -> None:
    """Add this command."""
    cli.add_command(retention)


@click.command()
@click.option("--dry-run", is_flag=True, help="Only show what would be erased; change nothing.")
def retention(dry_run: bool) -> None:
    """Erase data after its retention period, as the worker does once a day; print what was erased, and what is next."""
    installation = wired()
    now = installation.now()
    with installation.database.snapshots() as session:
        due = list_due(session, now=now)
    if not dry_run:
        retain(installation.database.sessions, now=now)
    lines = [("would go" if dry_run else "went", "what", "petition", "next")]
    lines += [
        (str(item.count), item.rule.value, item.petition or "–", item.next_on.isoformat() if item.next_on else "–")
        for item in due
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    for first, *others in lines:
        rest = "  ".join(word.ljust(width) for word, width in zip(others, widths[1:], strict=True))
        click.echo(f"{first.rjust(widths[0])}  {rest}".rstrip())
