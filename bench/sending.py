"""A digest sent to Postfix's ``smtp-sink`` by a separate process, with the ledger, compared with ``smtp-source``."""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Literal

from sqlalchemy import select

from campaign.installation.wiring import Installation
from campaign.mail.dkim import new_key, write_key
from campaign.models import Delivery, DeliveryKind, DeliveryState
from campaign.services.delivery.eligibility import select_mails
from campaign.services.delivery.writer import Writer
from campaign.services.digests.content import find_last_edition
from campaign.services.digests.editions import make_edition
from campaign.services.digests.transitions import Dispatch
from campaign.services.petitions.store import get_petition

from .measuring import SLUG, Line, Result, new_installation
from .people import add_readers, sign_many

CONNECTIONS = 8
COUNT = 20_000
MANY = 1_000_000
FAR = 4_000
WHILE_SENDING = 100_000
_SOURCE_HEADERS = 106  # bytes that smtp-source adds before the requested length
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


@contextmanager
def _listening(command: list[str], port: int) -> Iterator[int]:
    process = subprocess.Popen(command)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _sink() -> AbstractContextManager[int]:
    program = shutil.which("smtp-sink", path=_PATH)
    assert program is not None  # `sending` has checked this
    port = _free_port()
    return _listening([program, "-u", "nobody", f"127.0.0.1:{port}", "1000"], port)


def _far_away(port: int) -> AbstractContextManager[int]:
    """The same server, with 10 ms of delay each way."""
    near = _free_port()
    return _listening([sys.executable, "-m", "bench.delaying", str(near), str(port), "0.01"], near)


def _with_edition(folder: Path, count: int) -> tuple[Installation, int]:
    """An installation with an edition to ``count`` readers, and the size of one mail in bytes."""
    installation = new_installation(folder)
    add_readers(installation, count)
    without_jobs = Dispatch(installation.dispatch.guard, lambda _session, _edition: None)
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        make_edition(session, petition, installation.links, without_jobs, period="bench", now=installation.now())
        first = session.scalars(select(Delivery).where(Delivery.kind == DeliveryKind.DIGEST).limit(1)).one()
        rows = session.execute(select_mails(DeliveryKind.DIGEST).where(Delivery.id == first.id))
        writer = Writer(installation.identity)
        ((_, draft),) = writer.list_drafts(session, DeliveryKind.DIGEST, rows, now=installation.now())
        assert not isinstance(draft, Exception)
        return installation, len(writer.write(draft).content)


def _send(folder: Path, port: int, *selectors: str) -> dict[str, float]:
    """Send the queued mails of ``folder`` in a separate process; returns its figures (see ``bench.send_digest``)."""
    command = [sys.executable, "-m", "bench.send_digest", str(folder), str(port), str(CONNECTIONS), *selectors]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _source(port: int, count: int, size: int) -> float:
    program = shutil.which("smtp-source", path=_PATH)
    assert program is not None
    began = time.perf_counter()
    length = str(size - _SOURCE_HEADERS)
    command = [program, "-d", "-s", str(CONNECTIONS), "-m", str(count), "-l", length, f"127.0.0.1:{port}"]
    subprocess.run(command, check=True, capture_output=True)
    return count / (time.perf_counter() - began)


def _rsa_limit() -> float:
    """The RSA signatures per second of all processors, if each is as fast as one processor alone."""
    done = subprocess.run(
        ["openssl", "speed", "-seconds", "2", "rsa2048"], check=True, capture_output=True, text=True
    ).stdout
    (line,) = (line for line in done.splitlines() if line.lower().startswith("rsa"))
    return float(line.split()[5]) * (os.cpu_count() or 1)


def sending(folder: Path) -> Iterator[Result | Line]:
    """Our sender, compared with ``smtp-source`` with messages of the same size and the same number of connections."""
    if any(shutil.which(program, path=_PATH) is None for program in ("smtp-source", "smtp-sink")):
        yield Line("mails of a digest", "left out: smtp-sink and smtp-source (Debian: postfix) are missing")
        return
    with _sink() as port:
        _, size = _with_edition(folder / "plain", COUNT)
        limit = statistics.median(_source(port, COUNT, size) for _ in range(3))
        plain = _send(folder / "plain", port)
        yield Result(f"mails, {CONNECTIONS} connections", plain["rate"], limit, "smtp-source, as many connections")
        yield Line("  CPU for a mail", f"{plain['cpu'] * 1000:.3f} ms")
        kinds: tuple[Literal["ed25519", "rsa"], ...] = ("ed25519", "rsa")
        for kind in kinds:
            _with_edition(folder / kind, COUNT)
            write_key(folder / kind / "dkim", kind, new_key(kind))
            signed = _send(folder / kind, port, kind)
            yield Result(f"mails, signed with {kind}", signed["rate"], limit, "smtp-source, unsigned")
            yield Line("  CPU for a mail", f"{signed['cpu'] * 1000:.3f} ms")
        if shutil.which("openssl"):
            yield Result("  as many signatures", signed["rate"], _rsa_limit(), "openssl speed rsa2048 x processors")
        _with_edition(folder / "far", FAR)
        with _far_away(port) as far:
            away = _send(folder / "far", far)
            yield Result("mails over 20 ms", away["rate"], _source(far, FAR, size), "smtp-source over 20 ms")
        yield from _confirmations(folder / "busy", port)
        _with_edition(folder / "many", MANY)
        many = _send(folder / "many", port)
        yield Result(f"mails to {MANY:,} readers", many["rate"], limit, "smtp-source")
        yield Line(
            "  memory at most",
            f"{many['rss']:.0f} MB; with {COUNT:,} readers {plain['rss']:.0f} MB; "
            f"before the first mail {plain['base']:.0f} MB",
        )


def _confirmations(folder: Path, port: int) -> Iterator[Line]:
    """From the commit of a signature to the recorded acceptance of its mail, while a worker sends a digest."""
    installation, _ = _with_edition(folder, WHILE_SENDING)
    with installation.database.sessions.begin() as session:
        edition = find_last_edition(session, get_petition(session, SLUG).id)
        assert edition is not None
        installation.jobs.enqueue_edition(session, edition)
    environment = {
        "CAMPAIGN_DATA_DIR": str(folder),
        "CAMPAIGN_SMTP_URL": f"smtp://127.0.0.1:{port}",
        "CAMPAIGN_SMTP_CONNECTIONS": str(CONNECTIONS),
    }
    worker = subprocess.Popen([sys.executable, "-m", "campaign", "worker"], env=environment)
    try:
        waits = _sign_while_sending(installation)
    finally:
        worker.terminate()
        worker.wait()
    middle, worst = statistics.median(waits), statistics.quantiles(waits, n=100)[98]
    yield Line(
        f"a confirmation during {WHILE_SENDING:,} mails",
        f"median {middle:.2f} s, p99 {worst:.2f} s from commit to recorded acceptance ({len(waits)} of them; goal 2 s)",
    )


def _sign_while_sending(installation: Installation) -> list[float]:
    """Sign twenty times a second while a digest is being sent; returns the seconds until each mail was accepted."""
    committed: list[float] = []
    waits: list[float] = []
    while True:
        queued, accepted = _count(installation, DeliveryKind.DIGEST)
        if accepted and queued:
            sign_many(installation, 1, first=len(committed))
            committed.append(time.perf_counter())
        # Confirmations are sent in the order of signing.
        _, answered = _count(installation, DeliveryKind.CONFIRMATION)
        now = time.perf_counter()
        waits += [now - committed[number] for number in range(len(waits), answered)]
        if accepted and not queued and answered == len(committed):
            return waits
        time.sleep(0.05)


def _count(installation: Installation, kind: DeliveryKind) -> tuple[int, int]:
    """The number of queued and of accepted mails of ``kind``; for digests, 1 stands for any number."""
    most = 1 if kind is DeliveryKind.DIGEST else None

    def count(state: DeliveryState) -> int:
        found = select(Delivery.id).where(Delivery.kind == kind, Delivery.state == state).limit(most)
        return len(session.scalars(found).all())

    with installation.database.snapshots() as session:
        return count(DeliveryState.QUEUED), count(DeliveryState.ACCEPTED)
