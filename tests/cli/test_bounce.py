"""`campaign bounce` and the worker: mail that came back, from a pipe as a mail server makes it, or from a mailbox."""

import logging
import mailbox
import os
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from campaign.installation.wiring import Installation
from campaign.mail.returned.reports import MAX_BYTES
from campaign.models import Delivery, SuppressionReason
from campaign.services.subscribers.suppressions import find_suppression
from campaign.worker import DigestWork, read_bounces, work_once
from tests.conftest import Clock, MakeInstallation
from tests.crash.workers import environment
from tests.scenes.commands import Command, refused
from tests.scenes.deliveries import digests
from tests.scenes.people import add_readers, get_subscription, make_digest, sign
from tests.scenes.returned import sample
from tests.servers.imap import ImapServer
from tests.servers.missing import or_skip

READER = "aigul@example.net"


def pipe(installation: Installation, message: bytes, **settings: str) -> subprocess.CompletedProcess[bytes]:
    """Hand a message to the command as a mail server does: through a pipe, to a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "campaign", "bounce"],
        input=message,
        env=environment(installation, **settings),
        cwd=installation.settings.data_dir,
        capture_output=True,
        check=False,
        timeout=120,
    )


def one_digest(installation: Installation, *emails: str) -> list[str]:
    """An edition; the tokens of its mails."""
    add_readers(installation, *emails or (READER,))
    make_digest(installation)
    return [installation.vault.mail_token(delivery.id) for delivery in digests(installation)]


def returned(installation: Installation) -> list[str | None]:
    return [delivery.returned for delivery in digests(installation)]


def is_bounced(installation: Installation) -> bool:
    fingerprint = get_subscription(installation, READER).fingerprint
    assert fingerprint is not None
    with installation.database.snapshots() as session:
        found = find_suppression(session, fingerprint)
    return found is not None and found.reason is SuppressionReason.BOUNCED


def test_a_bounce_through_the_pipe_suppresses_the_address(installation: Installation) -> None:
    (token,) = one_digest(installation)
    done = pipe(installation, sample("postfix-unknown", token))
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"permanent 5.1.1; noted for mail ")
    assert done.stdout.count(b"\n") == 1
    assert b"@" not in done.stdout
    assert (returned(installation), is_bounced(installation)) == (["permanent 5.1.1"], True)


@pytest.mark.parametrize("name", ["postfix-unknown", "empty"])
def test_whatever_can_be_read_ends_well_though_nothing_changes(sqlite_installation: Installation, name: str) -> None:
    one_digest(sqlite_installation)
    done = pipe(sqlite_installation, sample(name))
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.endswith(b"nothing changes\n")
    assert returned(sqlite_installation) == [None]


def test_a_huge_message_is_taken_to_its_end_and_read_at_its_beginning(sqlite_installation: Installation) -> None:
    (token,) = one_digest(sqlite_installation)
    done = pipe(sqlite_installation, sample("postfix-unknown", token) + b"x" * (20 * MAX_BYTES))
    assert (done.returncode, returned(sqlite_installation)) == (0, ["permanent 5.1.1"])


def test_a_message_that_cannot_be_recorded_now_stays_with_the_mail_server(sqlite_installation: Installation) -> None:
    one_digest(sqlite_installation)
    nowhere = f"sqlite:///{sqlite_installation.settings.data_dir}/none/campaign.sqlite"
    for settings in ({"database_url": nowhere}, {"keyring": "none.json"}):
        done = pipe(sqlite_installation, sample("postfix-unknown"), **settings)
        assert (done.returncode, done.stdout) == (os.EX_TEMPFAIL, b""), settings
        assert done.stderr.count(b"\n") == 1
        assert b"Traceback" not in done.stderr


def fill(path: Path, *messages: bytes) -> mailbox.Maildir:
    maildir = mailbox.Maildir(path, create=True)
    for message in messages:
        maildir.add(message)
    return maildir


def test_a_maildir_is_read_once_and_what_it_held_is_counted(
    installed: Installation, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = one_digest(installed, READER, "another@example.net")
    maildir = fill(tmp_path / "Maildir", sample("postfix-unknown", one), sample("letter"), sample("postfix-unknown"))
    done = command("bounce", "--from", f"maildir://{tmp_path}/Maildir")
    assert (done.status, done.err) == (0, "")
    assert done.out == "Read 3: permanent 2, temporary 0, complaint 0, ignored 1.\n"
    assert returned(installed).count("permanent 5.1.1") == 1
    assert len(maildir) == 0
    monkeypatch.setenv("CAMPAIGN_BOUNCES_URL", f"maildir://{tmp_path}/Maildir")
    assert command("bounce", "--from").out.startswith("Read 0: ")


def test_a_mailbox_that_is_not_named_or_not_there_is_refused(
    installed: Installation, command: Command, tmp_path: Path
) -> None:
    refused(command("bounce", "--from"), "CAMPAIGN_BOUNCES_URL")
    refused(command("bounce", "--from", f"maildir://{tmp_path}/none"), "The given folder contains no mailbox")


def test_the_worker_takes_back_what_waits_each_time_it_looks(make_installation: MakeInstallation, folder: Path) -> None:
    installation = make_installation(bounces_url=f"maildir://{folder}/Maildir")
    (token,) = one_digest(installation)
    maildir = fill(folder / "Maildir", sample("postfix-mailbox-full", token))
    DigestWork(installation, threading.Event(), patient=False).tick()
    assert (returned(installation), len(maildir)) == (["temporary 5.2.2"], 0)
    maildir.add(sample("postfix-unknown", token))
    DigestWork(installation, threading.Event(), patient=False).tick()
    assert (returned(installation), len(maildir), is_bounced(installation)) == (["permanent 5.1.1"], 0, True)


def test_a_mailbox_out_of_reach_is_one_warning_and_the_worker_works_on(
    make_sqlite_installation: MakeInstallation, folder: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    installation = make_sqlite_installation(bounces_url=f"maildir://{folder}/none")
    sign(installation, READER)
    clock.turn(timedelta(seconds=1))
    with caplog.at_level(logging.WARNING, logger="campaign"):
        work_once(installation)
    assert [record.levelname for record in caplog.records if "mailbox" in record.getMessage()] == ["WARNING"]
    assert len(list(installation.settings.outbox.glob("*.eml"))) == 1


def test_what_was_read_when_the_database_failed_is_still_in_the_mailbox(
    make_sqlite_installation: MakeInstallation, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message goes when what it says is committed, not before: a crash in between only repeats it."""
    installation = make_sqlite_installation(bounces_url=f"maildir://{folder}/Maildir")
    (token,) = one_digest(installation)
    maildir = fill(folder / "Maildir", sample("postfix-mailbox-full", token))
    with installation.database.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE UPDATE ON subscription BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    with pytest.raises(Exception, match="full"):
        read_bounces(installation)
    assert (returned(installation), len(maildir)) == ([None], 1)
    with installation.database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    # Killed after the commit, before the message was removed: it is read again.
    monkeypatch.setattr(mailbox.Maildir, "discard", lambda *_: None)
    read_bounces(installation)
    monkeypatch.undo()
    read_bounces(installation)
    assert (returned(installation), len(maildir)) == (["temporary 5.2.2"], 0)
    assert get_subscription(installation, READER).soft_bounces == 1


def test_the_worker_reads_an_imap_mailbox(
    make_sqlite_installation: MakeInstallation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with or_skip(), ImapServer() as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        installation = make_sqlite_installation(bounces_url=server.url)
        (token,) = one_digest(installation)
        for message in (sample("letter"), sample("gmail-unknown", token)):
            server.deliver(message)
        read_bounces(installation)
        assert server.count() == 0
    assert (returned(installation), is_bounced(installation)) == (["permanent 5.1.1"], True)


def test_two_pipes_at_once_for_one_address_both_end_well(installation: Installation) -> None:
    sign(installation, "new@example.net")
    with installation.database.snapshots() as session:
        (confirmation,) = session.query(Delivery.id).all()
    message = sample("postfix-unknown", installation.vault.mail_token(confirmation[0]))
    done: list[int] = []
    threads = [threading.Thread(target=lambda: done.append(pipe(installation, message).returncode)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [0, 0]
