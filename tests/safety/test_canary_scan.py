"""A thousand people live through everything; afterwards no file of the server holds a word of what they said.

What is sealed is sealed, what is erased is gone, and logs, journals, spools and backups never had it.
"""

import base64
import binascii
import logging
import quopri
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from psycopg import sql
from sqlalchemy import make_url, select

from campaign.cli import backup as backup_command
from campaign.cli import keyring as keyring_command
from campaign.cli import lists as lists_command
from campaign.installation.wiring import Installation, wire
from campaign.models import Signature
from tests.conftest import Clock, MakeInstallation, close_installation
from tests.safety.canaries import CYRILLIC, LATIN, NETWORK, find_canaries, list_files
from tests.safety.life import PEOPLE, Life, answer_to, said
from tests.scenes.commands import Command
from tests.scenes.people import count, sign_within
from tests.servers.postgresql import PrivateCluster
from tests.servers.smtp import Mailbox


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


@pytest.fixture
def run(command: Command, installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """A command on the campaign's installation, as another process runs it."""
    made: list[Installation] = []

    def wired() -> Installation:
        made.append(wire(installation.settings, now=installation.now))
        return made[-1]

    def run_well(*words: str) -> None:
        done = command(*words)
        assert done.status == 0, done.err

    for module in (backup_command, keyring_command, lists_command):
        monkeypatch.setattr(module, "wired", wired)
    yield run_well
    for each in made:
        close_installation(each)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox(answer_to_rcpt=answer_to) as mailbox:
        yield mailbox


@pytest.fixture
def installation(make_installation: MakeInstallation, mailbox: Mailbox) -> Installation:
    return make_installation(smtp_url=mailbox.url, trusted_proxies=1, source_limit="1000/hour")


@pytest.fixture
def life(installation: Installation, mailbox: Mailbox, clock: Clock, run: Callable[..., None]) -> Life:
    return Life(installation, mailbox, clock, run)


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
def list_server(request: pytest.FixtureRequest, installation: Installation) -> Callable[[], list[Path]]:
    """What the database server keeps; none for SQLite. It logs every statement with its values, as some do."""
    url = make_url(installation.settings.database_url)
    if url.get_backend_name() == "sqlite":
        return list
    cluster: PrivateCluster = request.getfixturevalue("cluster")
    name = str(url.database)
    with cluster._connect() as connection:
        statement = sql.SQL("ALTER DATABASE {} SET log_statement = 'all'").format(sql.Identifier(name))
        connection.execute(statement)
    return lambda: list_cluster(cluster, name)


def test_a_thousand_lives_leave_no_word_of_theirs_in_any_file(
    life: Life, installation: Installation, mailbox: Mailbox, tmp_path: Path, list_server: Callable[[], list[Path]]
) -> None:
    data = installation.settings.data_dir
    (tmp_path / "outside").mkdir()
    with logged_to(data / "log"):
        life.sign()
        life.confirm()
        life.send_digest()
        life.visit_own_pages()
        life.take_back()
        life.organize()
        life.keep(tmp_path / "outside")
        assert count(installation) > PEOPLE - 100
        # While everything is open, and once more when the last connection has ended.
        files = list_files(data)
        assert {"log", "backup", "tombstones", "editions-begun", "keyring.json"} <= {path.name for path in files}
        assert find_canaries([*files, *list_server()], secrets=life.secrets) == []
        assert len(life.secrets) == 13
        close_installation(installation)
        assert find_canaries(list_files(data), secrets=life.secrets) == []
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


def test_the_scanner_finds_what_sqlite_left_behind(make_sqlite_installation: MakeInstallation) -> None:
    """A word that was written without its seal is found in the database, its log, or both."""
    installation = make_sqlite_installation()
    with installation.database.sessions.begin() as session:
        sign_within(session, installation, "a@example.org")
        session.flush()
        session.scalars(select(Signature)).one().sealed_person = said(1)["name"].encode()
    held = {name for name, _ in find_canaries(list_files(installation.settings.data_dir))}
    assert held & {"campaign.sqlite", "campaign.sqlite-wal"}
