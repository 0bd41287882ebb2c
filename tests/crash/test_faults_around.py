"""Faults around the sender: no way to the server, a full disk, a locked database, a clock that jumps."""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from campaign import db
from campaign.clock import now
from campaign.installation.wiring import Installation, wire
from campaign.mail.smtp.client import SmtpTransport
from campaign.mail.smtp.pool import Limits
from campaign.mail.smtp.transport import Transport
from campaign.models import DeliveryState
from campaign.periods import CLAIM_LASTS, FIRST_RETRY
from campaign.services.delivery.ledger import settle_old_claims
from tests.conftest import Clock, MakeInstallation, close_installation, settings_for
from tests.crash import rows
from tests.crash.conftest import READERS, Prepared, read_headers
from tests.crash.ends import DIGESTS, Record, assert_end, count_states, owe_digest
from tests.crash.forked import Zygote
from tests.crash.rows import Fault
from tests.scenes.people import list_deliveries, send
from tests.servers.scripted_smtp import DOT, ScriptedServer
from tests.servers.secure_smtp import Certificate, SecureServer


def test_down_for_an_hour(make_sqlite_installation: MakeInstallation, clock: Clock, record_property: Record) -> None:
    with ScriptedServer() as gone:
        pass
    installation = make_sqlite_installation(smtp_url=gone.url)
    owe_digest(installation)
    for _ in range(12):
        send(installation, DIGESTS)
        clock.turn(timedelta(minutes=5))
    after = count_states(installation)
    with ScriptedServer() as server:
        installation = make_sqlite_installation(smtp_url=server.url)
        send(installation, DIGESTS)
    assert {item.attempts for item in list_deliveries(installation) if item.state is DeliveryState.ACCEPTED} == {1}
    assert_end(rows.REFUSED, installation, after, server.taken, record_property)


@pytest.fixture
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate(tmp_path_factory.mktemp("certificate"))


def to(server: SecureServer | ScriptedServer, trusted: Certificate | None, password: str) -> Callable[[], Transport]:
    """Connections to ``server``, of which a certificate is asked."""
    url = f"smtp+starttls://{SecureServer.USER}:{password}@localhost:{server.port}"
    context = trusted.for_client if trusted else None
    return lambda: SmtpTransport(url, Limits(silence=5), context=context)


@pytest.mark.parametrize("fault", [rows.STRIPPED, rows.OTHER_HOST, rows.UNTRUSTED, rows.NO_AUTH], ids=str)
def test_not_the_server_that_it_should_be(
    fault: Fault,
    make_sqlite_installation: MakeInstallation,
    certificate: Certificate,
    tmp_path_factory: pytest.TempPathFactory,
    record_property: Record,
) -> None:
    other = Certificate(tmp_path_factory.mktemp("other"), "elsewhere.invalid")
    password = "p%40ss%20word"
    stripped = ScriptedServer(pipelining=True)
    served = other if fault is rows.OTHER_HOST else certificate
    trusted = {rows.OTHER_HOST.name: other, rows.UNTRUSTED.name: None}.get(fault.name, certificate)
    with stripped, SecureServer(served) as wrong:
        server = stripped if fault is rows.STRIPPED else wrong
        given = "wrong" if fault is rows.NO_AUTH else password
        installation = make_sqlite_installation(to(server, trusted, given))
        owe_digest(installation)
        send(installation, DIGESTS)
        after = count_states(installation)
        # Neither mail nor password was told to it.
        assert {line.split()[0] for line in stripped.commands} <= {"ehlo"}
        assert (wrong.senders, wrong.mails) == ([], 0)
    with SecureServer(certificate) as right:
        installation = make_sqlite_installation(to(right, certificate, password))
        send(installation, DIGESTS)
        assert right.mails == 4
    assert_end(fault, installation, after, right.received, record_property)


def count_owed(installation: Installation, prepared: Prepared) -> Counter[str]:
    """Where the mails are that wait in the prepared installation."""
    return Counter(item.state.value for item in list_deliveries(installation) if item.id in prepared.waiting)


@pytest.mark.parametrize("pages", [9, 12, 16, 24, 32, 48])
def test_disk_full_for_the_database(
    pages: int, prepared: Prepared, zygote: Zygote, folder: Path, record_property: Record
) -> None:
    """A process that may write no more than so many pages of 4 KiB into a file: SQLite's log is full first."""
    data_dir = folder / "var"
    shutil.copytree(prepared.data_dir, data_dir)
    with ScriptedServer(pipelining=True) as server:
        zygote.start(data_dir, server.url, file_size=pages * 4096).wait()
        installation = wire(settings_for(folder), now=now)
        found = count_owed(installation, prepared)
        assert set(found) <= {"accepted", "sending", "queued"}
        if pages == 9:
            assert found["accepted"] < 28
        assert zygote.start(data_dir, server.url).wait() is not None
        received = [read_headers(message)[0] for message in server.taken]
    states = count_owed(installation, prepared)
    close_installation(installation)
    end = ", ".join(f"{count} {state}" for state, count in states.items())
    fault = rows.FULL_DATABASE
    record_property("fault", {"name": fault.name, "after": ", ".join(sorted(found)), "end": end})
    assert end == fault.end
    assert max(Counter(received)[email] for email in READERS) == 1
    assert len(set(received)) == 28


@contextmanager
def full_disk(installation: Installation, claimant: str, *, now_too: bool) -> Iterator[Callable[[], None]]:
    """Call what this gives, and the journal's next file finds no room; ``now_too``: nor does the one that is open."""
    new = installation.settings.journals / f"{claimant.replace('/', '.')}.new"

    def fill() -> None:
        new.parent.mkdir(exist_ok=True)
        new.symlink_to("/dev/full")
        for link in Path("/proc/self/fd").iterdir() if now_too else []:
            if link.is_symlink() and str(link.readlink()) == str(new.with_suffix(".journal")):
                full = os.open("/dev/full", os.O_WRONLY)
                os.dup2(full, int(link.name))
                os.close(full)

    yield fill
    new.unlink()


def at(count: int, act: Callable[[], None], says: str) -> Callable[[], str]:
    """Do something right before the ``count``-th answer."""
    times = 0

    def answer() -> str:
        nonlocal times
        times += 1
        if times == count:
            act()
        return says

    return answer


@pytest.mark.parametrize(
    ("fault", "readers", "connections", "now_too"),
    [(rows.FULL_JOURNAL, 4, 1, True), (rows.FULL_JOURNAL_CLAIM, 20, 1, False), (None, 20, 4, True)],
    ids=["in the middle", "at the next claim", "with several under way"],
)
def test_disk_full_for_the_journal(  # noqa: PLR0917 (a table and its fixtures)
    fault: Fault | None,
    readers: int,
    connections: int,
    now_too: bool,
    make_sqlite_installation: MakeInstallation,
    record_property: Record,
) -> None:
    with ScriptedServer(pipelining=True) as server:
        installation = make_sqlite_installation(smtp_url=server.url, smtp_connections=connections)
        owe_digest(installation, readers)
        with full_disk(installation, "worker-1/mails", now_too=now_too) as fill:
            server.answers["DATA"] = at(3 if fault else 10, fill, "354 Go on")
            send(installation, DIGESTS)
        after = count_states(installation)
        answered = len(server.taken)
        server.answers.clear()
        send(installation, DIGESTS)
    if fault is None:  # who had been given to the server has the answer that it gave
        fault = Fault("", f"{answered} accepted, {readers - answered} queued", "20 accepted")
        record_property = lambda *_: None  # noqa: E731
    assert_end(fault, installation, after, server.taken, record_property)


def test_disk_full_for_the_journal_from_the_start(
    make_sqlite_installation: MakeInstallation, record_property: Record
) -> None:
    with ScriptedServer() as server:
        installation = make_sqlite_installation(smtp_url=server.url)
        owe_digest(installation)
        with full_disk(installation, "worker-1/mails", now_too=False) as fill:
            fill()
            with pytest.raises(OSError, match="No space left"):
                send(installation, DIGESTS)
        after = count_states(installation)
        assert server.connections == 0
        send(installation, DIGESTS)
    assert_end(rows.FULL_JOURNAL_FIRST, installation, after, server.taken, record_property)


@contextmanager
def locked(installation: Installation) -> Iterator[Callable[[], None]]:
    """Call what this gives, and another program writes into the database until the end of the block."""
    other = installation.database.engine.raw_connection()  # which no transaction of ours has begun on
    yield lambda: other.cursor().execute("BEGIN IMMEDIATE")
    other.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "_BUSY_MILLISECONDS", 50)


@pytest.mark.usefixtures("impatient")
def test_database_locked_before_the_claim(make_sqlite_installation: MakeInstallation, record_property: Record) -> None:
    with ScriptedServer() as server:
        installation = make_sqlite_installation(smtp_url=server.url)
        owe_digest(installation)
        with locked(installation) as lock:
            lock()
            with pytest.raises(OperationalError, match="locked"):
                send(installation, DIGESTS)
            after = count_states(installation)
        assert server.connections == 0
        send(installation, DIGESTS)
    assert_end(rows.LOCKED, installation, after, server.taken, record_property)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("pipelining", [False, True], ids=["in lock-step", "pipelined"])
@pytest.mark.parametrize("most", [1, 500])
def test_database_locked_while_recording(
    most: int, pipelining: bool, make_sqlite_installation: MakeInstallation, record_property: Record
) -> None:
    with ScriptedServer(pipelining=pipelining) as server:
        installation = make_sqlite_installation(
            smtp_url=server.url, smtp_connections=1, smtp_messages_per_connection=most
        )
        owe_digest(installation)
        with locked(installation) as lock:
            server.answers[DOT] = at(2, lock, "250 2.0.0 OK")
            with pytest.raises(OperationalError, match="locked"):
                send(installation, DIGESTS)
            after = count_states(installation)
        send(installation, DIGESTS)
    assert_end(rows.LOCKED_RECORD, installation, after, server.taken, record_property)


@pytest.mark.parametrize(
    ("fault", "readers", "by", "ticks"),
    [
        (rows.FORWARD, 4, CLAIM_LASTS, False),
        (rows.FORWARD_TICK, 4, CLAIM_LASTS, True),
        (rows.BACK, 20, -timedelta(hours=1), True),
    ],
    ids=str,
)
def test_clock_jumps(  # noqa: PLR0917 (a table and its fixtures)
    fault: Fault,
    readers: int,
    by: timedelta,
    ticks: bool,
    make_sqlite_installation: MakeInstallation,
    clock: Clock,
    record_property: Record,
) -> None:
    def jump() -> None:
        clock.turn(by)
        if ticks:
            with installation.database.sessions.begin() as session:
                settle_old_claims(session, now=clock())

    with ScriptedServer(pipelining=True) as server:
        installation = make_sqlite_installation(smtp_url=server.url, smtp_connections=1)
        owe_digest(installation, readers)
        server.answers[DOT] = at(2, jump, "250 2.0.0 OK")
        send(installation, DIGESTS)
        after = count_states(installation)
        clock.turn(max(-by, FIRST_RETRY))
        send(installation, DIGESTS)
    assert_end(fault, installation, after, server.taken, record_property)
