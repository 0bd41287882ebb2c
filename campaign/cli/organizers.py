"""The commands ``organizer …``: give and remove roles, end sessions, reset a sign-in."""

import click

from campaign.cli.wired import wired
from campaign.models import Role
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.organizers import members
from campaign.services.organizers.second_factors import has_app
from campaign.services.petitions import store as petition_store


def add_to(cli: click.Group) -> None:
    """Add these commands."""
    cli.add_command(organizer)


@click.group()
def organizer() -> None:
    """People who work with the signatures."""


def _hand_over(link: str) -> None:
    click.echo(link)
    click.echo("Send this link to the person in a safe way. It works once, for three days.", err=True)


@organizer.command()
@click.argument("email")
@click.option("--petition", "slug", required=True, help="The petition of the role.")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
def add(email: str, slug: str, role: str) -> None:
    """Give EMAIL a role, and print the one-time link by which the person sets a password."""
    installation = wired()
    with installation.database.sessions.begin() as session:
        found = petition_store.get_petition(session, slug)
        added = members.add_organizer(session, email, found, Role(role), actor=COMMAND_LINE, now=installation.now())
        link = installation.links.welcome(added)
    _hand_over(link)


@organizer.command("list")
def list_all() -> None:
    """Print every organizer with roles and second factors."""
    installation = wired()
    with installation.database.snapshots() as session:
        for each, roles in members.list_organizers(session):
            words = [f"{slug}: {role}" for slug, role in roles.items()] or ["no role"]
            if not each.active:
                words.append("switched off")
            elif each.password_hash is None:
                words.append("has not used the link yet")
            else:
                factors = ["app"] * has_app(each) + [f"{len(each.passkeys)} passkeys"] * bool(each.passkeys)
                words.append(f"second factor: {' and '.join(factors) or 'none'}")
            click.echo(f"{each.email}  {', '.join(words)}")


@organizer.command()
@click.argument("email")
@click.option("--petition", "slug", required=True, help="The petition of the role.")
def remove(email: str, slug: str) -> None:
    """Remove EMAIL's role, and sign the person out. If it was the last role, the account is switched off."""
    installation = wired()
    with installation.database.sessions.begin() as session:
        found = petition_store.get_petition(session, slug)
        person = members.get_organizer(session, email)
        removed = members.remove_role(session, person, found, actor=COMMAND_LINE, now=installation.now())
    click.echo(f"{person.email} has no role with “{slug}” any more and is signed out.")
    if not removed.has_owner:
        click.echo(
            f"“{slug}” has no owner now. To make one: campaign organizer add EMAIL --petition {slug} --role owner"
        )
    if removed.was_last_role:
        click.echo("It was the last role, so the account is switched off.")


@organizer.command("sign-out")
@click.argument("email")
def sign_out(email: str) -> None:
    """End all sessions of EMAIL, and all links that were not used yet."""
    installation = wired()
    with installation.database.sessions.begin() as session:
        found = members.get_organizer(session, email)
        members.sign_out(session, found, actor=COMMAND_LINE, now=installation.now())
    click.echo(f"{found.email} is signed out everywhere.")


@organizer.command()
@click.argument("email")
def reset(email: str) -> None:
    """Delete EMAIL's password and second factors, and print a one-time link.

    For a person who has lost them or is locked out. It is recorded, and every organizer of the same petitions sees it.
    """
    installation = wired()
    with installation.database.sessions.begin() as session:
        found = members.get_organizer(session, email)
        members.reset_account(session, found, actor=COMMAND_LINE, now=installation.now())
        link = installation.links.welcome(found)
    _hand_over(link)
