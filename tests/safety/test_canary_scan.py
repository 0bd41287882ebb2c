"""A thousand people live through everything; afterwards no file of the server holds a word of what they said.

What is sealed is sealed, what is erased is gone, and logs, journals, spools and backups never had it.
"""

import base64
import binascii
import logging
import quopri
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypedDict
from urllib.parse import quote

import pytest
from flask import Flask
from psycopg import sql
from sqlalchemy import make_url, select
from werkzeug.test import TestResponse

from campaign.cli import backup as backup_command
from campaign.cli import keyring as keyring_command
from campaign.cli import lists as lists_command
from campaign.models import DeliveryKind, DeliveryState, Role, Signature
from campaign.services.bouncing import take_back
from campaign.services.erasing import erase_person
from campaign.services.organizing import add_organizer
from campaign.services.petitions import get_petition, get_text_version
from campaign.services.signing import sign
from campaign.web import create_app
from campaign.wiring import Campaign, wire
from campaign.worker import work_once
from tests.commands import Command, command
from tests.conftest import SLUG, Clock, MakeCampaign
from tests.mail.returned import sample
from tests.safety.canaries import CYRILLIC, LATIN, NETWORK, find_canaries, list_files
from tests.servers.postgresql import PrivateCluster
from tests.servers.smtp import Mailbox, Received
from tests.services.people import confirm_all, count, disown, get_signature, list_deliveries, sign_within, typed
from tests.web.organizing import SIGN_IN, send_form
from tests.web.visiting import FROM_HERE, code_in, links_in, page_of

__all__ = ["command"]  # a fixture, which pytest finds by its name here

PEOPLE = 1000
# How many do all of it by the pages; the others do the same by the services behind them, many in one transaction.
BY_HAND = 20
TICKED = {"country": "KZ", "updates": "y", "consent": "y"}


class Said(TypedDict):
    name: str
    comment: str


def tag(number: int) -> str:
    return f"{LATIN}{number:04d}"


def address(number: int) -> str:
    return f"{tag(number)}@{LATIN}.example.org"


def said(number: int) -> Said:
    """What a person types, beside the address."""
    return {"name": f"{CYRILLIC.title()} {tag(number).title()}", "comment": f"{CYRILLIC} said {tag(number)}."}


def coming_from(number: int) -> dict[str, str]:
    return {**FROM_HERE, "X-Forwarded-For": f"{NETWORK}::{number:x}", "User-Agent": f"{tag(number)}/1.0"}


def answer_to(recipient: str) -> str | None:
    """Servers that quote the address back, as many do."""
    if recipient.startswith(tag(7)):
        return f"550 5.1.1 <{recipient}>: {CYRILLIC}: user unknown"
    return f"450 4.2.1 <{recipient}> try later" if recipient.startswith(tag(8)) else None


@contextmanager
def logged_to(file: Path) -> Iterator[None]:
    """All that this program and its libraries log, as much as they can; not what the mail server of the test does."""
    writer = logging.FileHandler(file)
    root = logging.getLogger()
    level, handlers = root.level, root.handlers
    root.handlers = [writer]
    root.setLevel(logging.DEBUG)
    others = {"sqlalchemy": logging.INFO, "mail": logging.CRITICAL}
    for name, enough in others.items():
        logging.getLogger(name).setLevel(enough)
    try:
        yield
    finally:
        root.handlers = handlers
        root.setLevel(level)
        for name in others:
            logging.getLogger(name).setLevel(logging.NOTSET)
        writer.close()


def text_of(received: Received) -> str:
    body = received.parsed.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


class Life:
    """The steps of it, on one installation."""

    def __init__(self, campaign: Campaign, mailbox: Mailbox, clock: Clock, run: Callable[..., None]) -> None:
        self._campaign, self._mailbox, self._clock, self._run = campaign, mailbox, clock, run
        self._app: Flask = create_app(campaign)

    def _get(self, path: str, number: int) -> TestResponse:
        return self._app.test_client().get(path, headers=coming_from(number))

    def _post(self, path: str, number: int, **fields: str) -> TestResponse:
        return self._app.test_client().post(path, data=fields, headers=coming_from(number))

    def _find(self, numbers: range) -> list[int]:
        return [get_signature(self._campaign, address(number)).id for number in numbers]

    def sign(self) -> None:
        """The form, mistakes in it, the same address in other spellings, and everybody else."""
        for number in range(BY_HAND):
            fields = {
                "email": address(number),
                **TICKED,
                "name": said(number)["name"],
                "comment": said(number)["comment"],
            }
            assert self._post(page_of(), number, **fields).status_code == 303
            assert self._post(page_of(), number, **{**fields, "email": address(number).upper()}).status_code == 303
            for wrong in ({"email": f"{tag(number)} at home"}, {"comment": tag(number) * 200}, {"consent": ""}):
                kept = self._post(page_of(), number, **{**fields, **wrong})
                assert kept.status_code == 422
                assert tag(number) in kept.get_data(as_text=True).lower()
        campaign = self._campaign
        with campaign.database.sessions.begin() as session:
            petition = get_petition(session, SLUG)
            version = get_text_version(session, petition, "en")
            for number in range(BY_HAND, PEOPLE):
                form = typed(address(number), **said(number), updates=number % 10 == 0)
                sign(session, campaign.vault, petition, version, form, now=campaign.now())

    def confirm(self) -> None:
        """From the mails; the last ones never do."""
        work_once(self._campaign)
        for received in self._mailbox.messages:
            number = int(received.recipients[0].lower().removeprefix(LATIN)[:4])
            if number < BY_HAND - 5:
                text = text_of(received)
                path = next(path for path in links_in(text) if path.startswith("/confirm/"))
                assert self._get(path, number).status_code == 200
                assert self._post(path, number, code="WRONG1").status_code == 422
                done = self._post(path, number, code=code_in(text), action="not-me" if number == 0 else "confirm")
                assert done.status_code == 200
        ids = self._find(range(900, 920))
        with self._campaign.database.sessions.begin() as session:
            for signature in session.scalars(select(Signature).where(Signature.id.in_(ids))):
                signature.expires_at = self._campaign.now()
        work_once(self._campaign)
        confirm_all(self._campaign)

    def send_digest(self) -> None:
        self._clock.turn(timedelta(days=7))
        work_once(self._campaign)
        for received in self._mailbox.messages:
            path = received.parsed["List-Unsubscribe"]
            number = int(received.recipients[0].lower().removeprefix(LATIN)[:4])
            if path and number < 10:
                path = re.sub(r"^<https?://[^/]+|>.*$", "", path)
                assert self._get(path, number).status_code == 200
                assert self._post(path, number, **{"List-Unsubscribe": "One-Click"}).status_code == 200

    def take_back(self) -> None:
        """Bounces and complaints that quote the person's address and the mail."""
        accepted = [
            item
            for item in list_deliveries(self._campaign)
            if item.kind is DeliveryKind.DIGEST and item.state is DeliveryState.ACCEPTED
        ]
        with self._campaign.database.sessions.begin() as session:
            for number, name in enumerate(("postfix-unknown", "postfix-mailbox-full", "arf-abuse")):
                returned = sample(name, self._campaign.vault.mail_token(accepted[-1 - number].id))
                returned = re.sub(rb"[\w.]+@example\.(org|com|net)", address(500 + number).encode(), returned)
                take_back(session, self._campaign.vault, returned, now=self._campaign.now())

    def organize(self) -> None:
        """Somebody fails to sign in; lists go to another folder; people are erased."""
        with self._campaign.database.sessions.begin() as session:
            add_organizer(session, "o@example.org", get_petition(session, SLUG), Role.OWNER, now=self._campaign.now())
        client = self._app.test_client()
        for email in (address(3), "o@example.org"):
            send_form(client, SIGN_IN, email=email, password=f"{CYRILLIC} {tag(3)}")
        disown(self._campaign, address(600))
        ids = self._find(range(800, 820))
        with self._campaign.database.sessions.begin() as session:
            erase_person(session, ids, now=self._campaign.now())

    def keep(self, outside: Path) -> None:
        """Rotate the key, back up, restore, and go on."""
        for words in (["--format", "csv"], ["--format", "jsonl"], ["--subscribers"]):
            self._run("export", SLUG, "--output", str(outside / f"list{len(words)}{words[-1]}"), *words)
        self._run("keyring", "rotate")
        backup = str(self._campaign.settings.data_dir / "backup")
        self._run("backup", backup)
        disown(self._campaign, address(700))
        work_once(self._campaign)
        self._run("restore", "--yes", backup)
        work_once(self._campaign)


@pytest.fixture
def run(command: Command, campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """A command on the campaign's installation, as another process runs it."""
    made: list[Campaign] = []

    def wired() -> Campaign:
        made.append(wire(campaign.settings, now=campaign.now))
        return made[-1]

    def run_well(*words: str) -> None:
        done = command(*words)
        assert done.status == 0, done.err

    for module in (backup_command, keyring_command, lists_command):
        monkeypatch.setattr(module, "wired", wired)
    yield run_well
    for each in made:
        each.database.engine.dispose()
        each.jobs.close()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox(answer_to_rcpt=answer_to) as mailbox:
        yield mailbox


@pytest.fixture
def campaign(make_campaign: MakeCampaign, mailbox: Mailbox) -> Campaign:
    return make_campaign(smtp_url=mailbox.url, trusted_proxies=1, source_limit="1000/hour")


@pytest.fixture
def life(campaign: Campaign, mailbox: Mailbox, clock: Clock, run: Callable[..., None]) -> Life:
    return Life(campaign, mailbox, clock, run)


def list_cluster(cluster: PrivateCluster, name: str) -> list[Path]:
    """All that PostgreSQL keeps of the database ``name``, and what it logs."""
    with cluster._connect() as connection:
        connection.execute("CHECKPOINT")
        found = connection.execute("SELECT oid FROM pg_database WHERE datname = %s", [name]).fetchone()
        assert found is not None
    data = cluster._folder / "data"
    others = [path for path in (data / "base").iterdir() if path.name != str(found[0])]
    files = [path for path in list_files(data) if not any(path.is_relative_to(other) for other in others)]
    assert any(path.parent.name == str(found[0]) for path in files)
    assert any(path.parent.name == "pg_wal" for path in files)
    return [*files, cluster._folder / "log"]


@pytest.fixture
def list_server(request: pytest.FixtureRequest, campaign: Campaign) -> Callable[[], list[Path]]:
    """What the database server keeps; none for SQLite. It logs every statement with its values, as some do."""
    url = make_url(campaign.settings.database_url)
    if url.get_backend_name() == "sqlite":
        return list
    cluster: PrivateCluster = request.getfixturevalue("cluster")
    name = str(url.database)
    with cluster._connect() as connection:
        statement = sql.SQL("ALTER DATABASE {} SET log_statement = 'all'").format(sql.Identifier(name))
        connection.execute(statement)
    return lambda: list_cluster(cluster, name)


def test_a_thousand_lives_leave_no_word_of_theirs_in_any_file(
    life: Life, campaign: Campaign, mailbox: Mailbox, tmp_path: Path, list_server: Callable[[], list[Path]]
) -> None:
    data = campaign.settings.data_dir
    (tmp_path / "outside").mkdir()
    with logged_to(data / "log"):
        life.sign()
        life.confirm()
        life.send_digest()
        life.take_back()
        life.organize()
        life.keep(tmp_path / "outside")
        assert count(campaign) > PEOPLE - 100
        # While everything is open, and once more when the last connection has ended.
        files = list_files(data)
        assert {"log", "backup", "tombstones", "editions-begun", "keyring.json"} <= {path.name for path in files}
        assert find_canaries([*files, *list_server()]) == []
        campaign.database.engine.dispose()
        campaign.jobs.close()
        assert find_canaries(list_files(data)) == []
    # They did live: the mails and the lists, which are elsewhere, are full of them.
    assert len(mailbox.messages) > PEOPLE
    assert len(find_canaries(list_files(tmp_path / "outside"))) > 3


PLANTS: dict[str, Callable[[str], bytes]] = {
    "UTF-8": str.encode,
    "upper case": lambda word: word.upper().encode(),
    "title case": lambda word: word.title().encode(),
    "UTF-16 LE": lambda word: word.encode("utf-16-le"),
    "UTF-16 BE": lambda word: word.encode("utf-16-be"),
    "base64": lambda word: base64.b64encode(word.encode()),
    "base64, second alignment": lambda word: base64.b64encode(f"1{word}".encode()),
    "base64, third alignment": lambda word: base64.b64encode(f"12{word}345".encode()),
    "base64 of UTF-16": lambda word: base64.b64encode(f"x{word}".encode("utf-16-le")),
    "base64 in lines": lambda word: base64.encodebytes(f"{'x' * 51}{word}{'x' * 50}".encode()),
    "base64 for links": lambda word: base64.urlsafe_b64encode(f"??>{word}".encode()),
    "quoted-printable": lambda word: quopri.encodestring(f"é {word}".encode()),
    "quoted-printable in lines": lambda word: quopri.encodestring(f"{'x' * 73}{word}".encode()),
    "all quoted": lambda word: b"".join(b"=%02X" % byte for byte in word.encode()),
    "percent-encoding": lambda word: quote(word).encode(),
    "percent-encoding, twice": lambda word: quote(quote(word)).encode(),
    "hexadecimal": lambda word: binascii.hexlify(word.encode()),
    "hexadecimal, upper case": lambda word: binascii.hexlify(word.encode()).upper(),
    "JSON": lambda word: ascii(word).encode(),
}


@pytest.mark.parametrize("word", [LATIN, CYRILLIC, NETWORK])
@pytest.mark.parametrize("plant", PLANTS)
def test_the_scanner_finds_what_is_planted(tmp_path: Path, plant: str, word: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) + b"x" * 5)
    assert find_canaries([path]) == []
    path.write_bytes(bytes(range(256)) + PLANTS[plant](word) + b" x" * 5)
    assert {name for name, _ in find_canaries([path])} == {"file"}


def test_the_scanner_finds_what_sqlite_left_behind(make_sqlite_campaign: MakeCampaign) -> None:
    """A word that was written without its seal is found in the database, its log, or both."""
    campaign = make_sqlite_campaign()
    with campaign.database.sessions.begin() as session:
        sign_within(session, campaign, "a@example.org")
        session.flush()
        session.scalars(select(Signature)).one().sealed_person = said(1)["name"].encode()
    held = {name for name, _ in find_canaries(list_files(campaign.settings.data_dir))}
    assert held & {"campaign.sqlite", "campaign.sqlite-wal"}
