"""`campaign burn`: nothing of those who signed is left, in no file, while the count, the days and the texts stay."""

import os
import pty
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from campaign.crypto.randomness import random_bytes, random_id
from campaign.db import Base
from campaign.errors import NotOpen, NotPossible
from campaign.installation.wiring import Installation
from campaign.models import (
    ConfirmationAllowance,
    DailyCount,
    DeliveryState,
    Display,
    EditionState,
    Erased,
    ExportRequest,
    LinkRequest,
    Petition,
    Review,
    ReviewAction,
    Schedule,
    Signature,
    SignatureState,
    Subscription,
    SubscriptionState,
    Suspicion,
    SuspicionKind,
    Tombstone,
)
from campaign.run.supervisor import BUILT_IN
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.delivery.ledger_audit import audit_ledger
from campaign.services.operations.scrub import scrub
from campaign.services.petitions.file_reader import read_petition_file
from campaign.services.petitions.lifecycle import open_petition
from campaign.services.petitions.store import get_petition, get_text_version, load_petition
from campaign.services.privacy.burn import BURNED, BURNED_TABLES, burn, burn_what_came_since, count_left
from campaign.services.signatures.sign import sign as post_form
from campaign.text.email_address import parse_email_address
from campaign.web.app import create_app
from campaign.worker import work_once
from tests.conftest import SLUG
from tests.crash.workers import environment
from tests.scenes.commands import Command, refused
from tests.scenes.organizing import OTHER, list_audit, list_made
from tests.scenes.people import (
    add_readers,
    confirm,
    find_petition,
    get_signature,
    list_deliveries,
    list_personal,
    make_digest,
    sign,
    typed,
    unsubscribe,
)
from tests.scenes.visiting import page_of, read

NAMED = ["reader@example.org", "named@example.org", "pending@example.org", "held@example.org", "left@example.org"]
MANY = 8_000


def live(installation: Installation) -> None:
    """Everything that is kept of people: readers, a name, a quarantine, lists asked for, mails under way."""
    add_readers(installation, NAMED[0], NAMED[4])
    make_digest(installation)
    unsubscribe(installation, NAMED[4])
    sign(installation, NAMED[1], name="Dana Akhmetova", comment="From the mine.", country="KZ", display=Display.NAME)
    confirm(installation, NAMED[1])
    for email in NAMED[2:4]:
        sign(installation, email, name="Waiting Person", country="DE")
    petition = find_petition(installation)
    with installation.database.sessions.begin() as session:
        held = session.get_one(Signature, get_signature(installation, NAMED[3]).id)
        held.state, held.sealed_address, held.expires_at = SignatureState.QUARANTINED, None, None
        fingerprint = installation.vault.fingerprint(parse_email_address(NAMED[0]))
        common = {"petition_id": petition.id}
        session.add_all(
            [
                Suspicion(signature_id=held.id, kind=SuspicionKind.WORDS, group="abc", **common),
                LinkRequest(fingerprint=fingerprint, language="en", asked_at=installation.now(), mails=1, **common),
                ExportRequest(
                    made_by="o@example.org",
                    made_at=installation.now(),
                    chosen="signatures",
                    format="csv",
                    reason="x",
                    **common,
                ),
                Review(
                    at=installation.now(),
                    actor="o@example.org",
                    action=ReviewAction.ACCEPT,
                    criteria={"words": "x"},
                    count=1,
                    **common,
                ),
            ]
        )


def burn_all(installation: Installation, slug: str = SLUG) -> int:
    """Burn as the command does; how many rows it was for."""
    petition = find_petition(installation, slug)
    return sum(burn(installation.database.sessions, petition.id, actor="command line", now=installation.now()))


def test_after_burning_counts_and_texts_are_left_and_nobody(installation: Installation) -> None:
    live(installation)
    before = find_petition(installation)
    with installation.database.snapshots() as session:
        days = session.execute(select(DailyCount.day, DailyCount.confirmed)).all()
        assert count_left(session, before) == 6  # five signatures and a subscription
    assert burn_all(installation) == 6
    with installation.database.snapshots() as session:
        petition = get_petition(session, SLUG)
        assert count_left(session, petition) == 0
        signatures = session.scalars(select(Signature)).all()
        assert [list_personal(signature) for signature in signatures] == [[None] * 5] * 5
        assert Counter(signature.state for signature in signatures) == {
            SignatureState.CONFIRMED: 3,
            SignatureState.EXPIRED: 1,
            SignatureState.WITHDRAWN: 1,
        }
        assert {item.state for item in session.scalars(select(Subscription))} == {SubscriptionState.ENDED}
        for table in (Suspicion, LinkRequest, ExportRequest, ConfirmationAllowance):
            assert session.scalars(select(func.count()).select_from(table)).one() == 0, table
        assert session.scalars(select(Review.criteria)).all() == [{}]
        buried = Counter(session.scalars(select(Tombstone.kind)))
        assert buried == {Erased.PERSON: 3, Erased.SIGNATURE: 2, Erased.SUBSCRIPTION: 2}
        assert session.execute(select(DailyCount.day, DailyCount.confirmed)).all() == days
        assert petition.counter.confirmed == 3
        assert (petition.burned_on, petition.closed_on is not None) == (installation.now().date(), True)
        assert (petition.texts, petition.timeline) == (before.texts, before.timeline)
        assert session.get_one(Schedule, petition.id).paused
        assert all(account.balances for account in audit_ledger(session, petition))
    assert {item.state for item in list_deliveries(installation)} == {DeliveryState.SUPPRESSED}
    assert {item.reason for item in list_deliveries(installation)} >= {BURNED}
    assert burn_all(installation) == 0
    assert [action for _, action, _ in list_audit(installation)].count("petition burned") == 1


def test_another_petition_of_the_server_is_left_alone(installation: Installation) -> None:
    file = read_petition_file(BUILT_IN).model_copy(update={"slug": OTHER})
    with installation.database.sessions.begin() as session:
        open_petition(
            session,
            load_petition(session, file, actor=COMMAND_LINE, now=installation.now()),
            actor=COMMAND_LINE,
            now=installation.now(),
        )
    live(installation)
    sign(installation, NAMED[1], OTHER)
    confirm(installation, NAMED[1], OTHER)
    burn_all(installation)
    assert get_signature(installation, NAMED[1], OTHER).sealed_person is not None
    assert find_petition(installation, OTHER).burned_on is None


def test_nothing_of_the_burned_is_left_in_any_file(command: Command, installed: Installation) -> None:
    """The sealed bytes as they stood in the database are looked for, free pages and the log included."""
    live(installed)
    with installed.database.snapshots() as session:
        kept = [
            value
            for table in (Signature, Subscription, ConfirmationAllowance)
            for row in session.execute(select(table.__table__)).all()
            for value in row
            if isinstance(value, bytes)
        ]
    assert len(kept) > 10
    command("worker", "--once")  # so that there are mails in the outbox
    folder = installed.settings.data_dir
    assert list(installed.settings.outbox.glob("*.eml"))

    def found() -> int:
        files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
        return sum(value in file for value in kept for file in files)

    assert found() > 10
    done = command("burn", SLUG, "--confirm", f"{SLUG}:3")
    assert (done.status, "is burned. Its page still shows the number of signatures: 3." in done.out) == (0, True)
    assert "6 of 6 rows are burned." in done.err
    assert found() == 0
    assert list(installed.settings.outbox.glob("*.eml")) == []
    assert command("digest", "audit", SLUG).status == 0
    assert SLUG not in command("retention", "--dry-run").out


def test_scrubbing_says_when_somebody_reads_the_log(installed: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("campaign.services.operations.scrub._WAIT_MILLISECONDS", 100)
    tables = [table.__tablename__ for table in BURNED_TABLES]
    add_readers(installed, *NAMED)
    with installed.database.snapshots() as session:
        find = select(func.count()).select_from(Signature)
        assert session.scalars(find).one() == 5
        add_readers(installed, "later@example.org")
        assert not scrub(installed.database, tables)
    assert scrub(installed.database, tables)


def test_postgresql_writes_the_burned_tables_anew(installation: Installation) -> None:
    live(installation)
    burn_all(installation)
    assert scrub(installation.database, [table.__tablename__ for table in BURNED_TABLES])
    assert {table.__tablename__ for table in BURNED_TABLES} <= set(Base.metadata.tables)
    assert find_petition(installation).burned_on is not None


def test_the_page_of_a_burned_petition_tells_its_count_and_texts(sqlite_installation: Installation) -> None:
    live(sqlite_installation)
    work_once(sqlite_installation)  # the digest goes out
    burn_all(sqlite_installation)
    client = create_app(sqlite_installation).test_client()
    page = read(client.get(page_of()))
    assert page.one("progress")["value"] == "3"
    assert "This petition is closed" in page.text
    assert page.all("form") == []
    assert client.get(f"{page_of()}/digest/1").status_code == 200
    assert client.get(f"/p/{SLUG}/count.json").get_json()["confirmed"] == 3


def test_a_burned_petition_takes_no_signature_and_stays_closed(installation: Installation) -> None:
    burn_all(installation)
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        version = get_text_version(session, petition, "en")
        with pytest.raises(NotPossible, match="stays closed"):
            open_petition(session, petition, actor=COMMAND_LINE, now=installation.now())
        with pytest.raises(NotOpen):
            post_form(session, installation.vault, petition, version, typed(NAMED[0]), now=installation.now())


def test_who_signed_while_it_burned_is_burned_by_the_worker(installation: Installation) -> None:
    seen_open = find_petition(installation)
    burn_all(installation)
    with installation.database.sessions.begin() as session:
        version = get_text_version(session, seen_open, "en")
        post_form(session, installation.vault, seen_open, version, typed(NAMED[0]), now=installation.now())
    sign_id = get_signature(installation, NAMED[0]).id
    with installation.database.sessions.begin() as session:
        burn_what_came_since(session, now=installation.now())
        assert list_personal(session.get_one(Signature, sign_id)) == [None] * 5
    assert {item.state for item in list_deliveries(installation)} == {DeliveryState.SUPPRESSED}


def test_an_edition_under_way_is_cancelled_and_no_other_is_made(installation: Installation) -> None:
    live(installation)
    burn_all(installation)
    assert [(edition.number, edition.state) for edition in list_made(installation)] == [(1, EditionState.CANCELLED)]
    assert make_digest(installation, "later").state is EditionState.SKIPPED


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "Nobody can be asked here"),
        (("--confirm", f"{SLUG}:4"), "Nothing was burned"),
        (("--confirm", "other:3"), "Nothing was burned"),
        (("--confirm", SLUG), "Nothing was burned"),
    ],
)
def test_without_certainty_nothing_is_burned(
    command: Command, installed: Installation, options: tuple[str, ...], says: str
) -> None:
    live(installed)
    refused(command("burn", SLUG, *options), says)
    assert get_signature(installed, NAMED[1]).sealed_person is not None
    assert find_petition(installed).burned_on is None


def test_there_is_no_yes(command: Command, installed: Installation) -> None:
    assert command("burn", SLUG, "--yes").status == 2


def type_on_terminal(installation: Installation, *lines: str) -> tuple[int, str]:
    """Run the command on a terminal of its own and type these lines; its exit status and what it showed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "campaign", "burn", SLUG],
        env=environment(installation),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        close_fds=True,
    )
    os.close(theirs)
    os.write(ours, "".join(f"{line}\n" for line in lines).encode())
    shown = b""
    try:
        while more := os.read(ours, 4096):
            shown += more
    except OSError:
        pass  # the terminal is closed when the command has ended
    os.close(ours)
    return process.wait(60), shown.decode()


@pytest.mark.machine
def test_on_a_terminal_it_asks_twice(sqlite_installation: Installation) -> None:
    live(sqlite_installation)
    status, shown = type_on_terminal(sqlite_installation, SLUG, "30")
    assert (status, "Nothing was burned" in shown) == (1, True)
    status, shown = type_on_terminal(sqlite_installation, SLUG, "3")
    assert (status, "is burned" in shown, "Burning" in shown) == (0, True, True)
    assert find_petition(sqlite_installation).burned_on is not None


def add_many(installation: Installation) -> None:
    """So many confirmed signatures, as bytes that look like sealed ones."""
    petition = find_petition(installation)
    with installation.database.sessions.begin() as session:
        version = get_text_version(session, petition, "en").id
        rows = [
            {
                "id": random_id(),
                "petition_id": petition.id,
                "text_version_id": version,
                "state": SignatureState.CONFIRMED,
                "language": "en",
                "fingerprint": random_bytes(32),
                "sealed_person": random_bytes(64),
                "number": number,
                "signed_on": installation.now().date(),
            }
            for number in range(1, MANY + 1)
        ]
        session.execute(insert(Signature), rows)
        session.get_one(Petition, petition.id).counter.confirmed = MANY


@pytest.mark.machine
def test_a_burning_that_was_killed_is_gone_on_with(sqlite_installation: Installation, command: Command) -> None:
    """SIGKILL between two batches, where the test holds the database's one place to write."""
    add_many(sqlite_installation)
    certain = ["burn", SLUG, "--confirm", f"{SLUG}:{MANY}"]
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "campaign", *certain],
        env=environment(sqlite_installation),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    assert process.stderr is not None
    assert process.stderr.readline().decode() == f"500 of {MANY} rows are burned.\n"
    with sqlite_installation.database.sessions.begin() as session:
        session.connection()
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    process.stderr.close()
    with sqlite_installation.database.snapshots() as session:
        left = count_left(session, get_petition(session, SLUG))
    assert 0 < left < MANY
    done = command(*certain)
    assert (done.status, f"{left} of {left} rows are burned." in done.err) == (0, True)
    with sqlite_installation.database.snapshots() as session:
        petition = get_petition(session, SLUG)
        assert (count_left(session, petition), petition.counter.confirmed) == (0, MANY)
        assert session.scalars(select(func.count()).select_from(Tombstone)).one() == MANY
        assert session.scalars(select(func.count()).where(Signature.state == SignatureState.CONFIRMED)).one() == MANY


def test_burning_needs_no_key(command: Command, installed: Installation, tmp_path: Path) -> None:
    live(installed)
    assert command("lock", "--keyring-to", str(tmp_path / "stick")).status == 0
    assert command("burn", SLUG, "--confirm", f"{SLUG}:3").status == 0
    assert find_petition(installed).burned_on is not None
