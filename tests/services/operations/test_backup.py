"""Backup and restore: whole or not at all, between databases, nothing erased comes back, nothing is sent twice."""

import io
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from campaign.cli import backup as backup_command
from campaign.crypto.keyring import Keyring
from campaign.db import open_database
from campaign.errors import InvalidInput
from campaign.installation.leases import shared_lease
from campaign.installation.setup import set_up
from campaign.installation.wiring import Installation, wire
from campaign.models import (
    ConfirmationAllowance,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Edition,
    EditionState,
    Erased,
    LinkRequest,
    Organizer,
    Role,
    Signature,
    SignatureState,
    Suppression,
)
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.digests.transitions import get_for_change, resume_edition
from campaign.services.operations import backup, restore
from campaign.services.operations.backup import list_tables
from campaign.services.operations.schema import migrate_down
from campaign.services.organizers.members import add_organizer
from campaign.services.petitions.store import get_petition
from campaign.services.privacy.erase_person import forget
from campaign.services.privacy.tombstones import keep_beside, list_stones
from campaign.services.signatures.erase import erase_names, erase_person, erase_signature
from campaign.services.signatures.link_requests import answer_requests, request_link
from campaign.text.email_address import parse_email_address
from campaign.worker import work_once
from tests.conftest import SLUG, Clock, MakeInstallation, close_installation, settings_for
from tests.scenes.commands import Command, Done, refused
from tests.scenes.deliveries import claim
from tests.scenes.editions import balances, plan
from tests.scenes.paper import enter, find_entered, print_sheet
from tests.scenes.people import (
    add_readers,
    confirm,
    count,
    disown,
    find_petition,
    get_signature,
    get_signature_by_id,
    list_deliveries,
    list_personal,
    make_digest,
    sign,
)
from tests.scenes.readers import issue
from tests.servers.postgresql import PrivateCluster
from tests.servers.smtp import Mailbox

Rows = dict[str, list[tuple[Any, ...]]]


def rows_of(installation: Installation) -> Rows:
    """All that a backup keeps, as the models read it."""
    with installation.database.snapshots() as session:
        return {
            table.name: sorted((tuple(row) for row in session.execute(select(table))), key=repr)
            for table in list_tables()
        }


@pytest.fixture
def on(command: Command, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Done]]:
    """`on(campaign, "backup", "file")`: the command as another process of that installation runs it."""
    made: list[Installation] = []

    def run(installation: Installation, *words: str) -> Done:
        def wired() -> Installation:
            made.append(wire(installation.settings, now=installation.now))
            return made[-1]

        monkeypatch.setattr(backup_command, "wired", wired)
        return command(*words)

    yield run
    for each in made:
        close_installation(each)


On = Callable[..., Done]


def back_up(on: On, installation: Installation, file: Path) -> None:
    done = on(installation, "backup", str(file))
    assert (done.status, done.err) == (0, "")


def put_back(on: On, installation: Installation, file: Path, *words: str) -> str:
    done = on(installation, "restore", "--yes", *words, str(file))
    assert (done.status, done.err) == (0, "")
    return done.out


def live(installation: Installation) -> None:
    """A life with something in most tables."""
    add_readers(installation, "a@example.org", "b@example.org")
    sign(installation, "pending@example.org", comment="From the mine.", country="KZ")
    sign(installation, "withdrawn@example.org")
    confirm(installation, "withdrawn@example.org")
    disown(installation, "withdrawn@example.org")
    with installation.database.sessions.begin() as session:
        add_organizer(
            session,
            "o@example.org",
            get_petition(session, SLUG),
            Role.OWNER,
            actor=COMMAND_LINE,
            now=installation.now(),
        )


def test_a_backup_is_one_file_of_its_owners_without_keys_and_the_next_replaces_it(
    installation: Installation, on: On, tmp_path: Path
) -> None:
    live(installation)
    file = tmp_path / "copies" / "today.backup"
    refused(on(installation, "backup", str(file)), "No such file or directory")
    file.parent.mkdir()
    for _ in range(2):
        back_up(on, installation, file)
        assert [path.name for path in file.parent.iterdir()] == ["today.backup"]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    keys = installation.settings.keyring
    held, kept = file.read_bytes(), Keyring.read(keys)
    assert not any(key in held for key in (*kept.sealing.values(), kept.lookup, kept.links, kept.sessions))
    refused(on(installation, "backup", str(keys)), "is the keyring")
    assert Keyring.read(keys) == kept


def test_a_backup_is_of_one_moment_while_people_sign(
    installation: Installation, on: On, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign(installation, "before@example.org")
    before = rows_of(installation)
    write = backup.write_backup

    def sign_meanwhile(session: Any, *words: Any, **named: Any) -> None:
        session.execute(text("SELECT count(*) FROM petition")).all()
        sign(installation, "meanwhile@example.org")
        write(session, *words, **named)

    monkeypatch.setattr(backup_command, "write_backup", sign_meanwhile)
    back_up(on, installation, tmp_path / "copy")
    copy = open_database(f"sqlite:///{tmp_path / 'copy'}")
    with copy.snapshots() as session:
        for table in list_tables():
            assert sorted((tuple(row) for row in session.execute(select(table))), key=repr) == before[table.name]
    copy.engine.dispose()


def test_what_fails_leaves_the_last_backup_as_it_was(
    installation: Installation, on: On, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "copy"
    back_up(on, installation, file)
    before = file.read_bytes()
    monkeypatch.setattr(backup_command, "stamp", lambda target: target.exec_driver_sql("CREATE TABLE petition (id)"))
    assert on(installation, "backup", str(file)).status == 1
    assert file.read_bytes() == before
    assert not list(tmp_path.glob("copy.*"))


def test_restored_everything_is_as_it_was_but_sessions_and_new_ids(
    installation: Installation, on: On, tmp_path: Path
) -> None:
    live(installation)
    back_up(on, installation, tmp_path / "copy")
    before = rows_of(installation)
    highest = max(item.id for item in list_deliveries(installation))
    sign(installation, "later@example.org")
    said = put_back(on, installation, tmp_path / "copy")
    assert "1 organizers must sign in again" in said
    after = rows_of(installation)
    assert before.pop("organizer") != after.pop("organizer")
    assert [row for row in after.pop("audit_entry") if "backup restored" not in row] == before.pop("audit_entry")
    assert after == before
    # A mail is known by its id, and those sent since the backup had the next ones.
    sign(installation, "later@example.org")
    assert max(item.id for item in list_deliveries(installation)) > highest + 1_000_000
    with installation.database.sessions.begin() as session:
        session.add(Organizer(email="p@example.org", session_key="p"))


@pytest.mark.parametrize("make_installation", ["postgresql"], indirect=True)
def test_a_backup_moves_an_installation_to_the_other_database(
    make_installation: MakeInstallation, on: On, tmp_path: Path, cluster: PrivateCluster
) -> None:
    source = make_installation()
    live(source)
    before = rows_of(source)
    back_up(on, source, tmp_path / "copy")
    (tmp_path / "other" / "var").mkdir(parents=True, mode=0o700)
    shutil.copy(source.settings.keyring, tmp_path / "other" / "var" / "keyring.json")
    target = wire(settings_for(tmp_path / "other"), now=source.now)
    assert not set_up(target)
    put_back(on, target, tmp_path / "copy")
    for name in ("signature", "subscription", "delivery", "daily_count", "petition", "tombstone"):
        assert rows_of(target)[name] == before[name]
    confirm(target, "pending@example.org")
    back_up(on, target, tmp_path / "copy")
    moved = rows_of(target)
    close_installation(target)
    put_back(on, source, tmp_path / "copy")
    for name in ("signature", "subscription", "delivery", "daily_count", "petition", "tombstone"):
        assert rows_of(source)[name] == moved[name]
    sign(source, "later@example.org")


def test_a_backup_of_the_version_before_is_brought_up_to_date(
    make_sqlite_installation: MakeInstallation, on: On, tmp_path: Path
) -> None:
    installation = make_sqlite_installation()
    sign(installation, "a@example.org")
    before = rows_of(installation)
    back_up(on, installation, tmp_path / "copy")
    older = open_database(f"sqlite:///{tmp_path / 'copy'}")
    migrate_down(older.engine, "-1")
    older.close_file()
    old = (tmp_path / "copy").read_bytes()
    sign(installation, "b@example.org")
    put_back(on, installation, tmp_path / "copy")
    assert rows_of(installation)["signature"] == before["signature"]
    assert (tmp_path / "copy").read_bytes() == old
    assert not list(installation.settings.data_dir.glob("restoring*"))


def put_a_word_for_a_day(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE signature SET expires_at = 'soon'")
    connection.close()


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:20_000])


def overwrite(file: Path) -> None:
    file.write_text("Dear Aigerim")


def take_a_table(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TABLE delivery")
    connection.close()


def break_a_reference(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE signature SET petition_id = 99")
    connection.close()


def record_what_nobody_does(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute(
            "INSERT INTO audit_entry (at, actor, action, details) VALUES ('2026-11-23 07:00:00', 'x', 'nothing', '{}')"
        )
    connection.close()


def of_the_future(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()


def of_another_keyring(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE backup_note SET value = 'x' WHERE name = 'keyring'")
    connection.close()


def of_a_lost_key(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        (sealed,) = connection.execute("SELECT sealed_address FROM signature").fetchone()
        connection.execute("UPDATE signature SET sealed_address = ?", [b"\x09" + sealed[1:]])
    connection.close()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (Path.unlink, "There is no file"),
        (cut, "a part of it is missing"),
        (overwrite, "not a backup"),
        (take_a_table, "a part of it is missing"),
        (break_a_reference, "do not fit together"),
        (put_a_word_for_a_day, "do not fit together"),
        (record_what_nobody_does, "do not fit together"),
        (of_the_future, "newer version"),
        (of_another_keyring, "another keyring"),
        (of_a_lost_key, "sealed with a key 9"),
    ],
)
def test_what_cannot_be_restored_is_refused_and_everything_stays_as_it_was(
    make_sqlite_installation: MakeInstallation, on: On, tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    installation = make_sqlite_installation()
    sign(installation, "a@example.org")
    file = tmp_path / "copy"
    back_up(on, installation, file)
    sign(installation, "b@example.org")
    before = rows_of(installation)
    spoil(file)
    refused(on(installation, "restore", "--yes", str(file)), words)
    assert rows_of(installation) == before


def test_it_fails_in_the_middle_and_everything_stays_as_it_was(
    installation: Installation, on: On, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(installation)
    back_up(on, installation, tmp_path / "copy")
    sign(installation, "later@example.org")
    before = rows_of(installation)

    def fail(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(restore, "_end_sessions", fail)
    done = on(installation, "restore", "--yes", str(tmp_path / "copy"))
    assert (done.status, done.err.strip()) == (1, "Stopped.")
    assert rows_of(installation) == before


def test_it_asks_first_and_does_nothing_without_a_yes(
    make_sqlite_installation: MakeInstallation, on: On, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = make_sqlite_installation()
    back_up(on, installation, tmp_path / "copy")
    sign(installation, "later@example.org")
    before = rows_of(installation)
    for answer in ("", "n\n", "x\n"):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        done = on(installation, "restore", str(tmp_path / "copy"))
        assert done.status == 1
        assert "will replace the whole content of the database" in done.err
    assert rows_of(installation) == before


def test_while_the_server_runs_it_is_refused(installation: Installation, on: On, tmp_path: Path) -> None:
    back_up(on, installation, tmp_path / "copy")
    with shared_lease(installation.settings), shared_lease(installation.settings):
        refused(on(installation, "restore", "--yes", str(tmp_path / "copy")), "Stop both")
    put_back(on, installation, tmp_path / "copy")


@pytest.mark.parametrize("make_installation", ["postgresql"], indirect=True)
def test_while_another_machine_uses_the_database_it_is_refused(
    installation: Installation, on: On, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(on, installation, tmp_path / "copy")
    monkeypatch.setattr("campaign.db.os.getpid", lambda: 1)
    elsewhere = wire(installation.settings)
    with elsewhere.database.engine.connect():
        monkeypatch.undo()
        refused(on(installation, "restore", "--yes", str(tmp_path / "copy")), "on every machine")
    close_installation(elsewhere)


def erase_some(installation: Installation) -> dict[str, int]:
    """Of each kind of erasure one; the ids."""
    with installation.database.sessions.begin() as session:
        person = get_signature(installation, "person@example.org").id
        erase_person(session, [person], now=installation.now())
        named = get_signature(installation, "named@example.org").id
        erase_names(session, [named], now=installation.now())
    gone = get_signature(installation, "gone@example.org").id
    disown(installation, "gone@example.org")
    return {"person": person, "named": named, "gone": gone}


def test_lines_of_paper_are_restored_and_those_withdrawn_since_enter_nothing(
    installation: Installation, on: On, tmp_path: Path
) -> None:
    codes = print_sheet(installation)
    kept, (withdrawn, _) = enter(installation, codes[0])[0], enter(installation, codes[1])
    back_up(on, installation, tmp_path / "copy")
    with installation.database.sessions.begin() as session:
        erase_signature(session, session.get_one(Signature, withdrawn, with_for_update=True), now=installation.now())
    put_back(on, installation, tmp_path / "copy")
    assert count(installation) == 1
    found = find_entered(installation, codes[0])
    assert found is not None
    assert found.id == kept
    assert find_entered(installation, codes[1]) is None
    with pytest.raises(InvalidInput, match="withdrawn"):
        enter(installation, codes[1])
    enter(installation, codes[2])
    assert count(installation) == 2


@pytest.mark.parametrize("known_by", ["database", "worker's file", "copy of the file"])
def test_what_was_erased_since_the_backup_is_erased_again_and_the_counts_move_back(
    installation: Installation, on: On, tmp_path: Path, clock: Clock, known_by: str
) -> None:
    add_readers(installation, "person@example.org", "named@example.org", "gone@example.org", "stays@example.org")
    sign(installation, "bounced@example.org")
    back_up(on, installation, tmp_path / "copy")
    clock.turn(timedelta(days=1))
    ids = erase_some(installation)
    work_once(installation)
    stones = installation.settings.tombstones
    assert stat.S_IMODE(stones.stat().st_mode) == 0o600
    assert count(installation) == 3
    day = installation.now().date()
    words: list[str] = []
    if known_by != "database":
        with installation.database.sessions.begin() as session:
            session.execute(text("DELETE FROM tombstone"))
    if known_by == "copy of the file":
        stones.rename(tmp_path / "stones")
        words = ["--tombstones", str(tmp_path / "stones")]
    clock.turn(timedelta(days=1))
    said = put_back(on, installation, tmp_path / "copy", *words)
    assert "without 4 rows that were erased later" in said
    assert count(installation) == 3
    gone, person, named = (get_signature_by_id(installation, ids[name]) for name in ("gone", "person", "named"))
    assert (gone.state, person.state) == (SignatureState.WITHDRAWN, SignatureState.CONFIRMED)
    assert list_personal(gone) == list_personal(person) == [None] * 5
    assert (named.state, named.sealed_person, named.country) == (SignatureState.CONFIRMED, None, None)
    assert named.fingerprint is not None  # by which who signs again counts once
    with installation.database.snapshots() as session:
        assert {(stone.kind, stone.erased_on) for stone in list_stones(session)} == {(kind, day) for kind in Erased}
        if known_by == "database":
            assert len(session.scalars(select(Suppression)).all()) == 1
    assert balances(installation)


def test_a_restored_backup_knows_no_address_that_was_forgotten_since(
    installation: Installation, on: On, tmp_path: Path
) -> None:
    add_readers(installation, "reader@example.org")
    sign(installation, "pending@example.org")
    people = ("reader@example.org", "pending@example.org", "stranger@example.org")
    petition = find_petition(installation)
    with installation.database.sessions.begin() as session:
        for email in people:
            address = parse_email_address(email)
            request_link(session, installation.vault, petition.id, address, "en", now=installation.now())
        answer_requests(session, now=installation.now())  # a mail waits for the reader
    back_up(on, installation, tmp_path / "copy")
    with installation.database.sessions.begin() as session:
        for email in people:
            forget(session, installation.vault, parse_email_address(email), actor=COMMAND_LINE, now=installation.now())
    put_back(on, installation, tmp_path / "copy")
    work_once(installation)
    with installation.database.snapshots() as session:
        assert not session.scalars(select(LinkRequest)).all()
        assert not session.scalars(select(ConfirmationAllowance)).all()
    unsent = (DeliveryState.QUEUED, DeliveryState.SENDING)
    assert not [item for item in list_deliveries(installation) if item.state in unsent]


def test_what_was_erased_is_erased_again_also_after_a_backup_was_put_back_by_hand(
    make_sqlite_installation: MakeInstallation, tmp_path: Path
) -> None:
    installation = make_sqlite_installation()
    add_readers(installation, "gone@example.org")
    signature_id = get_signature(installation, "gone@example.org").id
    installation.database.truncate_log()
    shutil.copy(installation.settings.data_dir / "campaign.sqlite", tmp_path / "copy")
    disown(installation, "gone@example.org")
    work_once(installation)
    close_installation(installation)
    for path in installation.settings.data_dir.glob("campaign.sqlite*"):
        path.unlink()
    shutil.copy(tmp_path / "copy", installation.settings.data_dir / "campaign.sqlite")
    restored = make_sqlite_installation()
    assert count(restored) == 1
    work_once(restored)
    assert count(restored) == 0
    assert list_personal(get_signature_by_id(restored, signature_id)) == [None] * 5


def test_the_file_of_tombstones_is_written_only_when_something_was_erased(installation: Installation) -> None:
    file = installation.settings.tombstones
    add_readers(installation, "gone@example.org")
    for erased in (False, False, True, False):
        if erased:
            disown(installation, "gone@example.org")
        before = file.stat().st_mtime_ns if file.exists() else 0
        with installation.database.sessions.begin() as session:
            keep_beside(session, file, now=installation.now())
        changed = file.stat().st_mtime_ns != before
        assert changed is (erased or not before)
    lines = file.read_text().splitlines()
    assert lines[0] == "# in the database: 2"
    assert sorted(line.split()[0] for line in lines[1:]) == ["signature", "subscription"]


def test_a_file_that_holds_no_tombstones_is_refused(
    make_sqlite_installation: MakeInstallation, on: On, tmp_path: Path
) -> None:
    installation = make_sqlite_installation()
    back_up(on, installation, tmp_path / "copy")
    for content in ("signature x 2026-11-25\n", "signature 12 2026-", "é"):
        (tmp_path / "stones").write_text(content)
        done = on(installation, "restore", "--yes", "--tombstones", str(tmp_path / "stones"), str(tmp_path / "copy"))
        refused(done, "is not a file of tombstones")


def editions(installation: Installation) -> list[tuple[EditionState, str | None]]:
    with installation.database.snapshots() as session:
        return [(each.state, each.reason) for each in session.scalars(select(Edition).order_by(Edition.id))]


def leave_edition(installation: Installation, state: str) -> None:
    """Make an edition that is not at its end when the backup is made."""
    match state:
        case "scheduled":
            plan(installation, cool_down_minutes=60)
            make_digest(installation)
        case "queued" | "being sent":
            issue(installation, "first")
    if state == "being sent":
        claim(installation, "worker-1/edition-1-1", lambda item: item.kind is DeliveryKind.DIGEST)


def digests_in(mailbox: Mailbox) -> list[str]:
    """Who got the digest, each as often as they did."""
    return sorted(message.recipients[0] for message in mailbox.messages if message.parsed["List-Unsubscribe"])


# A digest that was sent since is known by the file of begun editions, and where that is lost with the server, not.
@pytest.mark.parametrize(
    ("make_installation", "state"),
    [
        ("sqlite", "not yet made"),
        ("sqlite", "scheduled"),
        ("sqlite", "queued"),
        ("sqlite", "being sent"),
        ("postgresql", "being sent"),
    ],
    indirect=["make_installation"],
)
def test_after_a_restore_nobody_gets_an_edition_twice(
    make_installation: MakeInstallation, on: On, clock: Clock, tmp_path: Path, state: str
) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        readers = ["a@example.org", "b@example.org"]
        add_readers(installation, *readers)
        sign(installation, "signer@example.org")
        leave_edition(installation, state)
        back_up(on, installation, tmp_path / "copy")
        with installation.database.sessions.begin() as session:  # the server's answer came a moment later
            for sending in session.scalars(select(Delivery).where(Delivery.state == DeliveryState.SENDING)):
                sending.state, sending.claimed_by = DeliveryState.QUEUED, None
        clock.turn(timedelta(days=7))
        work_once(installation)
        assert digests_in(mailbox) == readers
        for lost in (False, True):
            put_back(on, installation, tmp_path / "copy")
            if lost:
                (installation.settings.started_editions).unlink()
            for _ in range(3):
                work_once(installation)
                clock.turn(timedelta(minutes=20))
            assert digests_in(mailbox) == readers
        if state == "not yet made":
            assert editions(installation) == []
        else:
            assert editions(installation) == [(EditionState.PAUSED, restore.RESTORED)]
        fates = [item.state for item in list_deliveries(installation) if item.kind is DeliveryKind.DIGEST]
        assert fates.count(DeliveryState.IN_DOUBT) == (state == "being sent")
        assert balances(installation)


def test_after_a_restore_an_organizer_has_the_edition_sent_and_the_next_one_goes_out(
    make_installation: MakeInstallation, on: On, clock: Clock, tmp_path: Path
) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        add_readers(installation, "a@example.org", "b@example.org")
        leave_edition(installation, "queued")
        back_up(on, installation, tmp_path / "copy")
        put_back(on, installation, tmp_path / "copy")
        work_once(installation)
        assert digests_in(mailbox) == []
        with installation.database.sessions.begin() as session:
            edition = get_for_change(session, find_petition(installation).id, 1)
            resume_edition(session, edition, "o@example.org", installation.now(), installation.dispatch)
        work_once(installation)
        assert digests_in(mailbox) == ["a@example.org", "b@example.org"]
        assert editions(installation) == [(EditionState.SENT, None)]
        add_readers(installation, "c@example.org")
        clock.turn(timedelta(days=7))
        work_once(installation)
        assert digests_in(mailbox) == sorted(["a@example.org", "b@example.org"] * 2 + ["c@example.org"])
        # What a mailbox has seen by its Message-ID it may drop as a copy.
        names = [message.parsed["Message-ID"] for message in mailbox.messages]
        assert len(set(names)) == len(names)
        assert balances(installation)


def test_a_confirmation_that_went_out_since_is_the_same_message_again(
    make_sqlite_installation: MakeInstallation, on: On, tmp_path: Path
) -> None:
    with Mailbox() as mailbox:
        installation = make_sqlite_installation(smtp_url=mailbox.url)
        sign(installation, "signer@example.org")
        back_up(on, installation, tmp_path / "copy")
        work_once(installation)
        put_back(on, installation, tmp_path / "copy")
        work_once(installation)
        first, second = mailbox.messages
        assert first.content == second.content
