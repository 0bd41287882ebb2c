"""What visitors do: fill in the form, follow the links of their mails; and what the database then holds."""

import re
from email import message_from_bytes, policy
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import inspect, text
from werkzeug.test import TestResponse

from campaign.crypto.link_purposes import LinkPurpose
from campaign.installation.wiring import Installation
from campaign.worker import work_once
from tests.conftest import SLUG
from tests.scenes.page import Page
from tests.scenes.people import get_signature, get_subscription

ADDRESS = "aigerim@example.org"
# What browsers say of a form that they send from its own page (Fetch Metadata).
FROM_HERE = {"Sec-Fetch-Site": "same-origin"}
FILLED_IN = {
    "name": "Aigerim Serikova",
    "email": ADDRESS,
    "country": "KZ",
    "comment": "From the mine.",
    "display": "initials",
    "consent": "y",
}


def page_of(lang: str = "en", slug: str = SLUG) -> str:
    """The petition's address."""
    return f"/{lang}/p/{slug}"


def post(client: FlaskClient, *, lang: str = "en", without: str = "", **fields: Any) -> TestResponse:
    """Send the form as a browser does; keywords replace what is filled in."""
    data = {name: value for name, value in {**FILLED_IN, **fields}.items() if name != without}
    return client.post(page_of(lang), data=data, headers=FROM_HERE)


def read(answer: TestResponse) -> Page:
    """The page that came back."""
    assert answer.mimetype == "text/html"
    return Page(answer.get_data(as_text=True))


def confirm_path(installation: Installation, email: str = ADDRESS) -> str:
    """The address in the confirmation mail, on this server."""
    return f"/confirm/{installation.vault.token(LinkPurpose.CONFIRM, get_signature(installation, email).id)}"


def unsubscribe_path(installation: Installation, email: str = ADDRESS) -> str:
    """The address in the digest, on this server."""
    return f"/unsubscribe/{installation.vault.token(LinkPurpose.UNSUBSCRIBE, get_subscription(installation, email).id)}"


def me_path(installation: Installation, email: str = ADDRESS) -> str:
    """The address of the reader's own page, on this server."""
    return f"/me/{installation.vault.token(LinkPurpose.READER, get_subscription(installation, email).id)}"


def own_path(installation: Installation, email: str = ADDRESS) -> str:
    """The address of the signer's own page, on this server."""
    return f"/me/{installation.vault.token(LinkPurpose.SIGNER, get_signature(installation, email).id)}"


def other_browser(app: Flask) -> FlaskClient:
    """A browser without any of our cookies."""
    return app.test_client()


def dump(installation: Installation) -> dict[str, list[str]]:
    """Every row of every table, the workflow engine's too."""
    engine = installation.database.engine
    rows = {}
    inspector = inspect(engine)
    for schema in inspector.get_schema_names():
        if schema == "information_schema":
            continue
        for table in inspector.get_table_names(schema=schema):
            with engine.connect() as connection:
                found = connection.execute(text(f'SELECT * FROM "{schema}"."{table}"'))
                rows[f"{schema}.{table}"] = sorted(repr(tuple(row)) for row in found)
    assert any(name.endswith(".signature") for name in rows)
    return rows


def mails(installation: Installation) -> list[str]:
    """Send what waits; the texts of all mails in the outbox, oldest first."""
    work_once(installation)
    parsed = [
        message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in sorted(installation.settings.outbox.glob("*.eml"))
    ]
    bodies = [message.get_body(("plain",)) for message in parsed]
    return [body.get_content().replace("\r\n", "\n") for body in bodies if body is not None]


def links_in(mail: str) -> list[str]:
    """The paths on this server that the mail names, in order, each once."""
    return list(dict.fromkeys(re.findall(r"https?://[^/\s]+(/\S*)", mail)))


def code_in(mail: str) -> str:
    """The six characters beside the link of a confirmation mail."""
    (code,) = re.findall(r":\s([0-9A-Z]{6})$", mail, re.MULTILINE)
    return str(code)


def ask_for_link(app: Flask, email: str, lang: str = "en") -> TestResponse:
    """Ask for the link to one's own page, as somebody does who has lost it."""
    return other_browser(app).post(f"{page_of(lang)}/my-link", data={"email": email}, headers=FROM_HERE)
