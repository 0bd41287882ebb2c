"""Organizers in tests: invited, signed in, and the forms that they send."""

from collections.abc import Mapping

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from campaign.installation.wiring import Installation
from campaign.models import AuditEntry, Edition, Organizer, Role
from campaign.run.supervisor import BUILT_IN
from campaign.services.organizers.members import add_organizer
from campaign.services.petitions.file_reader import read_petition_file
from campaign.services.petitions.lifecycle import open_petition
from campaign.services.petitions.store import get_petition, load_petition
from tests.conftest import SLUG, STAGE
from tests.scenes.page import Page
from tests.scenes.visiting import read

PASSWORD = "four quiet words here"
EMAIL = "dana@example.org"
OTHER = "other"
OTHER_TITLE = "A petition that is nobody else's business"
HOME = "/organize/"
SIGN_IN = "/organize/sign-in"


@pytest.fixture
def other_petition(installation: Installation) -> str:
    """A second petition, in which nobody has a role yet."""
    file = read_petition_file(BUILT_IN)
    texts = {"slug": OTHER, "title": dict.fromkeys(file.languages, OTHER_TITLE)}
    with installation.database.sessions.begin() as session:
        open_petition(
            session,
            load_petition(session, file.model_copy(update=texts), actor=STAGE, now=installation.now()),
            actor=STAGE,
            now=installation.now(),
        )
    return OTHER


@pytest.fixture
def owner(app: Flask, installation: Installation) -> FlaskClient:
    """The browser of a signed-in owner."""
    return enroll(app, installation, Role.OWNER)


def invite(installation: Installation, role: Role, email: str = EMAIL, slug: str = SLUG) -> str:
    """Give somebody a role; the path of their one-time link."""
    with installation.database.sessions.begin() as session:
        organizer = add_organizer(
            session, email, get_petition(session, slug), role, actor=STAGE, now=installation.now()
        )
        return installation.links.welcome(organizer).removeprefix(installation.settings.base_url)


def enroll(app: Flask, installation: Installation, role: Role, email: str = EMAIL, slug: str = SLUG) -> FlaskClient:
    """Give somebody a role; their browser after they have followed the link and chosen ``PASSWORD``."""
    link, client = invite(installation, role, email, slug), app.test_client()
    assert send_form(client, link, password=PASSWORD, again=PASSWORD).status_code == 303
    return client


def token_of(client: FlaskClient, path: str) -> str:
    """The token in the forms of a page; each of them has the same."""
    tokens = {field["value"] for field in read(client.get(path)).all("input", name="csrf_token")}
    assert len(tokens) == 1
    return tokens.pop()


def send_form(client: FlaskClient, page: str, action: str = "", **fields: object) -> TestResponse:
    """Open ``page``, fill its form in and send it to ``action``, or to the page itself."""
    return client.post(action or page, data={"csrf_token": token_of(client, page), **fields})


def sign_in(client: FlaskClient, email: str = EMAIL, password: str = PASSWORD, **fields: str) -> TestResponse:
    return send_form(client, SIGN_IN, email=email, password=password, **fields)


def find_organizer(session: Session, email: str = EMAIL) -> Organizer:
    return session.scalars(select(Organizer).where(Organizer.email == email)).one()


def list_audit(installation: Installation) -> list[tuple[str, str, Mapping[str, object]]]:
    """Who did what with petitions and the server, oldest first; not what happened to accounts."""
    with installation.database.snapshots() as session:
        mine = AuditEntry.organizer_id.is_(None) & (AuditEntry.actor != STAGE)
        entries = session.scalars(select(AuditEntry).where(mine).order_by(AuditEntry.id))
        return [(entry.actor, entry.action, entry.details) for entry in entries]


def list_trail(installation: Installation, email: str = EMAIL) -> list[tuple[str, str, Mapping[str, object]]]:
    """What happened to an organizer's account, oldest first."""
    with installation.database.snapshots() as session:
        mine = AuditEntry.organizer_id == find_organizer(session, email).id
        entries = session.scalars(select(AuditEntry).where(mine).order_by(AuditEntry.id))
        return [(entry.actor, entry.action, entry.details) for entry in entries]


def list_made(installation: Installation) -> list[Edition]:
    """Every edition and skipped run, oldest first."""
    with installation.database.snapshots() as session:
        return list(session.scalars(select(Edition).order_by(Edition.id)))


def read_table(client: FlaskClient, path: str, table_id: str) -> list[list[str]]:
    """The cells of a table's body, row by row."""
    html = client.get(path).get_data(as_text=True)
    part = html.partition(f'<table id="{table_id}">')[2].partition("</table>")[0].partition("<tbody>")[2]
    rows = part.partition("</tbody>")[0].split("</tr>")[:-1]
    return [
        [cell.text for cell in Page(row.strip().removeprefix("<tr>")).elements if cell.tag in {"td", "th"}]
        for row in rows
    ]


def list_all_audit(installation: Installation) -> list[tuple[str, str, Mapping[str, object]]]:
    """The whole trail: who did what, with what details."""
    with installation.database.snapshots() as session:
        return [
            (item.actor, item.action, item.details)
            for item in session.scalars(select(AuditEntry).where(AuditEntry.actor != STAGE))
        ]
