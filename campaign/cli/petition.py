"""The commands ``petition …``, ``update …`` and ``sign``."""

import re
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from campaign.cli.wired import wired
from campaign.errors import InvalidInput
from campaign.i18n import find_country
from campaign.models import Display
from campaign.periods import NAMES_KEPT, UPDATES_KEPT
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.petitions import lifecycle
from campaign.services.petitions import store as petition_store
from campaign.services.petitions.counts import count_confirmed
from campaign.services.petitions.file_reader import read_petition_file, read_pictures, read_update_file
from campaign.services.signatures.sign import Person, Submission
from campaign.services.signatures.submit import submit
from campaign.text.email_address import parse_email_address
from campaign.text.personal_text import clean_comment, clean_name


def add_to(cli: click.Group) -> None:
    """Add these commands."""
    for command in (petition, update, sign):
        cli.add_command(command)


@click.group()
def petition() -> None:
    """Load, list, open, pause and close petitions; record their hand-over and their answer."""


@petition.command()
@click.argument("file", type=click.Path(path_type=Path))
def load(file: Path) -> None:
    """Create or change the petition that FILE describes."""
    installation = wired()
    with installation.database.sessions.begin() as session:
        content = read_petition_file(file)
        pictures = read_pictures(file, content)
        loaded = petition_store.load_petition(
            session, content, actor=COMMAND_LINE, now=installation.now(), pictures=pictures
        )
    click.echo(f"Loaded “{loaded.slug}” in {', '.join(loaded.languages)}; its state: {loaded.state}.")
    if loaded.closes_at is not None:
        end = loaded.closes_at.astimezone(ZoneInfo(loaded.timezone))
        click.echo(f"Signing ends on {end:%Y-%m-%d} at {end:%H:%M} ({loaded.timezone}).")
    if content.challenge not in {None, loaded.challenge}:
        stays = "on" if loaded.challenge else "off"
        click.echo(f"The challenge before signing stays {stays}: only an owner can switch it, on the review page.")


@petition.command("list")
def list_all() -> None:
    """Print every petition with its state and count."""
    installation = wired()
    with installation.database.snapshots() as session:
        found = [(item, count_confirmed(session, item.id)) for item in petition_store.list_petitions(session)]
    for item, confirmed in found:
        click.echo(f"{item.slug}\t{item.state}\t{confirmed} of {item.goal}")
    if not found:
        click.echo("There is no petition yet. Load one: campaign petition load FILE", err=True)


@petition.command("open")
@click.argument("slug")
def open_(slug: str) -> None:
    """Open a petition: people can sign it."""
    installation = wired()
    with installation.database.sessions.begin() as session:
        found = petition_store.get_petition(session, slug)
        lifecycle.open_petition(session, found, actor=COMMAND_LINE, now=installation.now())
    click.echo(f"“{slug}” is open: {installation.links.petition(found.languages[0], slug)}")


@petition.command()
@click.argument("slug")
def close(slug: str) -> None:
    """Close a petition: nobody can sign it any more."""
    installation = wired()
    with installation.database.sessions.begin() as session:
        found = petition_store.get_petition(session, slug)
        lifecycle.close_petition(session, found, actor=COMMAND_LINE, now=installation.now())
    click.echo(
        f"“{slug}” is closed. Signatures that are not confirmed yet can still be confirmed: a link works for 72 hours "
        "after its mail."
    )
    day = _ends(found.closed_on, UPDATES_KEPT)
    click.echo(f"Readers’ addresses are erased on {day}, unless the petition is opened again.")


def _by_language(_context: click.Context, _option: click.Parameter, notes: tuple[str, ...]) -> dict[str, str]:
    for note in notes:
        if not re.match("[A-Za-z-]+=.", note):
            raise click.BadParameter(f"“{note}” does not have the form en=Some words.")
    return {language: words for language, _, words in (note.partition("=") for note in notes)}


_note = click.option(
    "--note",
    "notes",
    metavar="LANG=TEXT",
    multiple=True,
    required=True,
    callback=_by_language,
    help="A text for the petition's page, once for each of its languages: --note en='…' --note ru='…'.",
)


@petition.command()
@click.argument("slug")
@_note
def pause(slug: str, notes: dict[str, str]) -> None:
    """Pause a petition: nobody can sign it for a time, and its page says why. Go on with “open”."""
    installation = wired()
    with installation.database.sessions.begin() as session:
        found = petition_store.get_petition(session, slug)
        lifecycle.pause_petition(session, found, notes, actor=COMMAND_LINE, now=installation.now())
    click.echo(f"“{slug}” is paused. Signatures that are not confirmed yet can still be confirmed.")


@petition.command()
@click.argument("slug")
@_note
@click.option("--won", is_flag=True, help="The demands are met.")
def answer(slug: str, notes: dict[str, str], won: bool) -> None:
    """Record the answer to the demands. The petition is closed then: nobody can sign it any more."""
    installation = wired()
    with installation.database.sessions.begin() as session:
        found = petition_store.get_petition(session, slug)
        lifecycle.note_answer(session, found, notes, won=won, actor=COMMAND_LINE, now=installation.now())
    click.echo(f"The page of “{slug}” shows the answer: {installation.links.petition(found.languages[0], slug)}")


@petition.command("hand-over")
@click.argument("slug")
def hand_over(slug: str) -> None:
    """Record that the list was handed over today. The names in it are erased 30 days later."""
    installation = wired()
    with installation.database.sessions.begin() as session:
        found = petition_store.get_petition(session, slug)
        lifecycle.hand_over(session, found, actor=COMMAND_LINE, now=installation.now())
    ends = _ends(found.handed_over_on, NAMES_KEPT)
    click.echo(f"Recorded: the list of “{slug}” was handed over. The names of its signers are erased on {ends}.")


def _ends(day: date | None, kept: timedelta) -> date:
    assert day is not None  # the command has just set it
    return day + kept


@click.group()
def update() -> None:
    """Updates: news for the petition's page and the next digest."""


@update.command("add")
@click.argument("slug")
@click.argument("file", type=click.Path(path_type=Path))
def add_update(slug: str, file: Path) -> None:
    """Publish the update in FILE, or correct the published update with the same key."""
    installation = wired()
    with installation.database.sessions.begin() as session:
        found = petition_store.get_petition(session, slug)
        content = read_update_file(file, found.languages)
        published = petition_store.publish_update(session, found, content, actor=COMMAND_LINE, now=installation.now())
    click.echo(f"Published “{published.key}”. It will be in the next digest.")


@click.command()
@click.argument("slug")
@click.option("--name", required=True)
@click.option("--email", required=True)
@click.option("--country", default="", help="A country code such as DE, or a name.")
@click.option("--comment", default="")
@click.option("--display", type=click.Choice([choice.value for choice in Display]), default=Display.HIDDEN.value)
@click.option("--updates", is_flag=True, help="The person asks for the digest.")
@click.option("--language", help="The person's language; default: the petition's first language.")
def sign(
    slug: str, name: str, email: str, country: str, comment: str, display: str, updates: bool, language: str | None
) -> None:
    """Sign for a person, for example at a kiosk. The person must confirm by mail, like everybody."""
    installation = wired()
    address = parse_email_address(email, check_dns=installation.settings.check_dns)
    person = Person(name=clean_name(name), comment=clean_comment(comment))
    code = find_country(country) if country.strip() else None
    if country.strip() and code is None:
        raise InvalidInput("country", f"“{country}” is not a country.")
    with installation.database.snapshots() as session:
        found = petition_store.get_petition(session, slug)
        version = petition_store.get_text_version(session, found, language or found.languages[0])
    submission = Submission(address, person, version.language, code, Display(display), wants_updates=updates)
    submit(installation.database.sessions, installation.vault, found, version, submission, now=installation.now())
    click.echo("If this address has not confirmed yet, a mail with a link will be sent to it.")
