"""`campaign lock`: the keys leave the memory of every process, the public pages stay, and all goes on afterwards."""

import json
import socket
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from campaign.cli import emergency
from campaign.crypto.keyring import Keyring
from campaign.crypto.keyring_file import move_keyring
from campaign.db import open_database
from campaign.errors import ServerLocked
from campaign.i18n import Language
from campaign.installation.wiring import Installation, wire
from campaign.models import AuditEntry, DeliveryState, ServerLock
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.delivery.ledger_audit import audit_ledger
from campaign.services.operations.server_lock import LOOK_EVERY, Lock, lock_everywhere, unlock_everywhere
from campaign.web.app import create_app
from campaign.worker import work_once
from tests.conftest import SLUG, START, MakeInstallation, close_installation
from tests.crash import workers
from tests.scenes.commands import Command, refused
from tests.scenes.memory import find_in_memory, list_family, list_keys
from tests.scenes.organizing import list_audit
from tests.scenes.people import add_readers, find_petition, make_digest, sign
from tests.scenes.serving import ROOT, free_port, serving
from tests.scenes.serving import command as run_command
from tests.scenes.visiting import (
    FILLED_IN,
    FROM_HERE,
    confirm_path,
    dump,
    me_path,
    page_of,
    read,
    unsubscribe_path,
)
from tests.servers.missing import or_skip
from tests.servers.smtp import Mailbox

pytestmark = pytest.mark.machine

READER, SIGNER = "reader@example.org", "signer@example.org"
WITHIN = 60.0


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + WITHIN
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.3)


def ask(port: int, path: str) -> tuple[int, bytes]:
    """One answer of the server, over a connection of its own."""
    connection = HTTPConnection("127.0.0.1", port, timeout=WITHIN)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@contextmanager
def asking(port: int, *paths: str) -> Iterator[Counter[int | str]]:
    """Ask for these again and again meanwhile; how often which status came."""
    statuses: Counter[int | str] = Counter()
    ended = threading.Event()

    def ask_again() -> None:
        while not ended.wait(0.05):
            for path in paths:
                try:
                    statuses[ask(port, path)[0]] += 1
                except (OSError, HTTPException) as error:
                    statuses[type(error).__name__] += 1

    thread = threading.Thread(target=ask_again)
    thread.start()
    try:
        yield statuses
    finally:
        ended.set()
        thread.join()


def only_child(folder: Path) -> int:
    """The program that the test started, found by the lock file that its web server's parent made."""
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = status.read_bytes().split(b"\0")
            if b"app.py" in words[-2] and Path(status.parent, "cwd").readlink() == folder:
                return int(status.parent.name)
        except (OSError, IndexError):
            continue
    raise AssertionError("the program does not run")


def test_after_a_lock_no_process_has_a_key_in_memory_and_the_page_answered_all_the_while(tmp_path: Path) -> None:
    """The memory of every process of ``python app.py`` is read before the lock, where keys are found, and after it."""
    port = free_port()
    with serving([ROOT / "app.py"], tmp_path, port) as printed:
        family_of = only_child(tmp_path)
        keys = list_keys(tmp_path / "var" / "keyring.json")

        one_key = {"lookup bytes": keys["lookup bytes"]}

        def held(wanted: dict[str, bytes] = one_key) -> dict[int, set[str]]:
            found = {pid: find_in_memory(pid, wanted) for pid in list_family(family_of)}
            return {pid: names for pid, names in found.items() if names}

        assert ask(port, page_of())[0] == 200
        with or_skip():
            wait_for(lambda: len(held()) == 2)  # the process that answers requests and the one that sends mails
        assert all(len(names) > 1 for names in held(keys).values())
        with asking(port, f"/p/{SLUG}/count.json", page_of("ru")) as statuses:
            assert run_command(["lock"], tmp_path, port=port).returncode == 0
            wait_for(lambda: not held())
            assert held(keys) == {}
            assert json.loads(ask(port, "/healthz")[1]) == {"status": "locked"}
            assert len(list_family(family_of)) == 4  # the program, the server and what answers for it, the worker
            assert run_command(["unlock"], tmp_path, port=port).returncode == 0
            wait_for(lambda: len(held()) == 2)
        assert "csrf_token" in ask(port, page_of())[1].decode()
        assert "Traceback" not in printed.read_text(encoding="utf-8")
    assert set(statuses) == {200}
    assert statuses[200] > 10


def test_a_digest_stops_at_the_lock_and_goes_on_to_each_reader_once(make_sqlite_installation: MakeInstallation) -> None:
    """A worker as a process of its own; after the lock another process is in its place, and waits."""
    installation = make_sqlite_installation()
    readers = {f"reader{number}@example.org" for number in range(60)}
    add_readers(installation, *readers)
    with Mailbox() as mailbox:

        def got() -> Counter[str]:
            return Counter(received.recipients[0] for received in mailbox.messages)

        log = installation.settings.data_dir / "worker.log"
        workers.enqueue_digest(installation)
        with workers.worker(installation, mailbox.url, smtp_rate="8/second"):
            wait_for(lambda: got().total() >= 3)
            installation.lock.close_here(None, now=installation.now())
            wait_for(lambda: "sends nothing until it is unlocked" in log.read_text())
            sent = got().total()
            assert sent < len(readers)
            installation.lock.open_here()
            wait_for(lambda: {item.state for item in workers.digests(installation)} == {DeliveryState.ACCEPTED})
        assert got() == dict.fromkeys(readers, 1)
    with installation.database.snapshots() as session:
        assert all(account.balances for account in audit_ledger(session, find_petition(installation)))


def test_a_command_that_has_the_keys_is_interrupted_and_loses_nothing(
    make_sqlite_installation: MakeInstallation,
) -> None:
    installation = make_sqlite_installation()
    add_readers(installation, *(f"reader{number}@example.org" for number in range(30)))
    make_digest(installation)
    with Mailbox() as mailbox:
        process = subprocess.Popen(
            # These tests may run in the background of a shell, where SIGINT is ignored.
            ["env", "--default-signal=INT", sys.executable, "-m", "campaign", "worker", "--once"],
            env=workers.environment(installation, smtp_url=mailbox.url, smtp_rate="2/second"),
            stderr=subprocess.PIPE,
        )
        wait_for(lambda: len(mailbox.messages) > 0)
        installation.lock.close_here(None, now=installation.now())
        _, said = process.communicate(timeout=WITHIN)
        assert (process.returncode, said.decode().split("\n")) == (1, ["The server was locked.", "", "Stopped.", ""])
        installation.lock.open_here()
        work_once(make_sqlite_installation(smtp_url=mailbox.url))
        got = Counter(received.recipients[0] for received in mailbox.messages)
    states = Counter(item.state for item in workers.digests(installation))
    assert set(got.values()) == {1}
    assert states[DeliveryState.ACCEPTED] + states[DeliveryState.IN_DOUBT] == 30
    assert states[DeliveryState.IN_DOUBT] <= installation.settings.smtp_connections


STUBBORN = """
import time

import click

from campaign.cli.wired import wired


@click.command()
def stubborn():
    wired()
    print("ready", flush=True)
    until = time.monotonic() + 50
    while time.monotonic() < until:
        try:
            time.sleep(0.05)
        except KeyboardInterrupt:
            print("swallowed", flush=True)


stubborn()
"""


@pytest.mark.parametrize(("heard", "swallowed"), [("default", ["swallowed"]), ("ignore", [])])
def test_a_command_that_does_not_hear_the_interrupt_ends_too(
    make_sqlite_installation: MakeInstallation, heard: str, swallowed: list[str]
) -> None:
    """A shell has background commands ignore it, and a library may swallow it: the keys would stay in memory."""
    installation = make_sqlite_installation()
    process = subprocess.Popen(
        ["env", f"--{heard}-signal=INT", sys.executable, "-c", STUBBORN],
        env=workers.environment(installation),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    installation.lock.close_here(None, now=installation.now())
    seen, said = process.communicate(timeout=WITHIN)
    assert (process.returncode, said) == (1, "The server was locked.\n")
    assert seen.splitlines() == swallowed


def test_another_machine_is_locked_by_the_database(make_installation: MakeInstallation) -> None:
    here, there = make_installation(), make_installation()
    with here.database.sessions.begin() as session:
        lock_everywhere(session, None, actor=COMMAND_LINE, now=here.now())
    for machine in (here, there):
        assert not machine.lock.file.exists()
        with pytest.raises(ServerLocked):
            _ = machine.vault
    with here.database.sessions.begin() as session:
        unlock_everywhere(session, actor=COMMAND_LINE, now=here.now())
    assert here.vault.session_secret == there.vault.session_secret


def test_a_lock_is_recorded_once_with_its_first_reason(installation: Installation) -> None:
    with installation.database.sessions.begin() as session:
        lock_everywhere(session, "a search", actor=COMMAND_LINE, now=installation.now())
        lock_everywhere(session, "again", actor=COMMAND_LINE, now=installation.now())
        assert session.scalars(select(ServerLock.reason)).all() == ["a search"]
        unlock_everywhere(session, actor=COMMAND_LINE, now=installation.now())
        unlock_everywhere(session, actor=COMMAND_LINE, now=installation.now())
        entries = session.scalars(select(AuditEntry).where(AuditEntry.petition_id.is_(None)).order_by(AuditEntry.id))
        told = [(entry.action, entry.details.get("reason")) for entry in entries]
    assert told == [("server locked", "a search"), ("server unlocked", None)]


@pytest.fixture
def lived(sqlite_installation: Installation) -> Installation:
    """A reader and a digest, somebody who has not confirmed, and then the lock, by its file alone."""
    add_readers(sqlite_installation, READER)
    sign(sqlite_installation, SIGNER)
    make_digest(sqlite_installation)
    sqlite_installation.lock.close_here(None, now=sqlite_installation.now())
    return sqlite_installation


@pytest.fixture
def locked(lived: Installation) -> Iterator[FlaskClient]:
    """A visitor of the server, whose web process began after the lock."""
    fresh = wire(lived.settings, now=lived.now)
    yield create_app(fresh).test_client()
    assert "vault" not in vars(fresh)
    close_installation(fresh)


@pytest.mark.parametrize("lang", ["en", "ru", "kk"])
def test_while_locked_the_page_has_a_sentence_instead_of_the_form(locked: FlaskClient, lang: str) -> None:
    page = read(locked.get(page_of(lang)))
    assert page.all("form") == []
    assert page.by_id("sign-title").text == Language(lang).gettext("Signing is paused for now")
    assert page.one("progress")["value"] == "1"


@pytest.mark.parametrize(
    "path", ["/", page_of(), f"{page_of()}/updates", f"{page_of()}/digest/1", f"/p/{SLUG}/count.json", "/healthz"]
)
def test_while_locked_what_is_public_can_be_read(locked: FlaskClient, path: str) -> None:
    answer = locked.get(path)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers


def test_while_locked_all_that_needs_a_key_is_refused_with_a_sentence_and_nothing_is_lost(
    locked: FlaskClient, lived: Installation
) -> None:
    before = dump(lived)
    posted = [page_of("ru"), confirm_path(lived, SIGNER), unsubscribe_path(lived, READER), "/organize/sign-in"]
    asked = [confirm_path(lived, SIGNER), unsubscribe_path(lived, READER), me_path(lived, READER), "/organize/"]
    answers = [locked.post(path, data=FILLED_IN, headers=FROM_HERE) for path in posted]
    answers += [locked.get(path) for path in asked]
    for answer in answers:
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3600")
        assert "Set-Cookie" not in answer.headers
    assert read(answers[0]).one("html")["lang"] == "ru"
    assert "Nothing is lost" in read(answers[1]).text
    assert dump(lived) == before
    lived.lock.open_here()
    opened = create_app(lived).test_client()
    assert [opened.get(path).status_code for path in asked[:3]] == [200, 200, 200]


@pytest.mark.parametrize(
    "words",
    [
        ("export", SLUG),
        ("digest", "send", SLUG),
        ("worker", "--once"),
        ("sign", SLUG, "--name", "Aigerim", "--email", "a@example.org"),
        ("history", "a@example.org"),
    ],
)
def test_while_locked_a_command_that_needs_a_key_says_how_to_unlock(
    command: Command, installed: Installation, words: tuple[str, ...]
) -> None:
    assert command("lock").status == 0
    refused(command(*words), "campaign unlock")


def test_the_keyring_moves_to_another_disk_and_back(command: Command, installed: Installation, tmp_path: Path) -> None:
    keyring, stick = installed.settings.keyring, tmp_path / "stick.json"
    kept = keyring.read_bytes()
    done = command("lock", "--keyring-to", str(stick), "--reason", "a search")
    assert (done.status, done.err) == (0, "")
    assert str(stick) in done.out
    assert not keyring.exists()
    assert stick.read_bytes() == kept
    assert stat.S_IMODE(stick.stat().st_mode) == 0o600
    refused(command("petition", "list"), "The server is locked")
    examined = command("doctor")
    assert (examined.status, "campaign unlock" in examined.out, "keyring at" in examined.out) == (0, True, False)
    refused(command("unlock"), "There is no keyring")
    assert command("init").status == 0
    assert not keyring.exists(), "new keys beside data that was sealed with others"
    stick.rename(keyring)
    assert "Unlocked" in command("unlock").out
    assert command("petition", "list").status == 0
    assert list_audit(installed) == [
        ("command line", "server locked", {"reason": "a search"}),
        ("command line", "server unlocked", {}),
    ]


def test_the_old_place_of_a_moved_keyring_is_overwritten(tmp_path: Path) -> None:
    keyring, second_name = tmp_path / "keyring.json", tmp_path / "second-name"
    Keyring.fresh().write(keyring)
    second_name.hardlink_to(keyring)
    move_keyring(keyring, tmp_path / "stick.json")
    assert set(second_name.read_bytes()) == {0}


def test_a_keyring_that_cannot_be_moved_stays_and_the_server_is_locked_all_the_same(
    command: Command, installed: Installation, tmp_path: Path
) -> None:
    kept = installed.settings.keyring.read_bytes()
    taken = tmp_path / "taken"
    taken.write_bytes(b"somebody else's")
    refused(command("lock", "--keyring-to", str(taken)), "exists already")
    refused(command("lock", "--keyring-to", str(tmp_path / "no" / "stick")), "cannot be moved")
    assert taken.read_bytes() == b"somebody else's"
    assert installed.settings.keyring.read_bytes() == kept
    refused(command("export", SLUG), "campaign unlock")


def test_where_no_installation_is_nothing_is_made_and_that_is_said(command: Command, tmp_path: Path) -> None:
    refused(command("lock"), "There is no installation in var (CAMPAIGN_DATA_DIR), so nothing was locked.")
    assert list(tmp_path.iterdir()) == []


def test_a_machine_is_locked_although_its_database_is_out_of_reach(
    command: Command, installed: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emergency, "_DATABASE_WITHIN", 0.5)
    with installed.database.sessions.begin() as session:
        session.connection()  # somebody writes, and does not end
        refused(command("lock"), "This machine is locked. The database does not answer")
    refused(command("export", SLUG), "campaign unlock")
    monkeypatch.setenv("CAMPAIGN_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:9/none")
    refused(command("lock"), "This machine is locked. The database does not answer")


def test_a_machine_forgets_its_keys_although_its_database_hangs(tmp_path: Path) -> None:
    """The database is a server that takes the connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"postgresql+psycopg://nobody@127.0.0.1:{port}/none?connect_timeout=600"
        lock = Lock(tmp_path / "locked", open_database(url))
        turned = threading.Event()
        lock.call_when_turned(turned.set, was_on=False)
        with silent.accept()[0]:  # the lock is looked for in the database, and nothing comes back
            assert not turned.wait(2 * LOOK_EVERY)
            lock.close_here(None, now=START)
            assert turned.wait(60)
    for thread in [each for each in threading.enumerate() if each.name == "lock"]:
        thread.join(60)
