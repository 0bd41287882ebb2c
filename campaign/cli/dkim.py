"""The commands ``dkim …``: keys that sign mails."""

import click

from campaign.mail.dkim import new_key, read_keys, write_key
from campaign.settings import Settings, read_settings


def add_to(cli: click.Group) -> None:
    """Add these commands."""
    cli.add_command(dkim)


@click.group()
def dkim() -> None:
    """Keys that sign mails, for servers whose relay does not sign."""


@dkim.command()
@click.argument("selector")
@click.option("--type", "kind", type=click.Choice(["rsa", "ed25519"]), default="rsa", show_default=True)
def new(selector: str, kind: str) -> None:
    """Make a key, and print the record to publish in the DNS. SELECTOR is a name for the key, such as rsa2026."""
    settings = read_settings()
    path = write_key(settings.dkim_folder, selector, new_key("rsa" if kind == "rsa" else "ed25519"))
    click.echo(f"The key is in {path}. It is never overwritten.")
    _print_record(settings, selector)


@dkim.command()
@click.argument("selector")
def show(selector: str) -> None:
    """Print the record to publish in the DNS once more."""
    _print_record(read_settings(), selector)


def _print_record(settings: Settings, selector: str) -> None:
    (key,) = read_keys(settings.dkim_folder, [selector])
    record = key.record(settings.mail_domain)
    selectors = ",".join(dict.fromkeys([*settings.signing_selectors, selector]))
    click.echo(f"Publish this TXT record in the DNS of {settings.mail_domain}:\n")
    click.echo(f"name   {record.name}\nvalue  {record.value}\n")
    click.echo(f"The same record as a line of a zone file:\n\n{record.zone_line}\n")
    click.echo(f"When the DNS returns it, start to sign by this setting:\n\nCAMPAIGN_DKIM_SELECTORS={selectors}")
