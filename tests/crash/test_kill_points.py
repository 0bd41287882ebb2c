"""SIGKILL at each named point and at random: real processes, sockets and files, as the worker wires them."""

import os
import random  # noqa: TID251 (a test may be struck by chance, the same each time)
import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from campaign.models import DeliveryState
from tests.crash.conftest import READERS, SIGNERS, Prepared, read_headers
from tests.crash.forked import CONNECTIONS, Forked, Zygote
from tests.servers.scripted_smtp import DOT, FALL_SILENT, GREETING, ScriptedServer

RUNS = int(os.environ.get("CRASH_RUNS", "50"))  # noqa: TID251 (the tests' own setting)

Kill = Callable[[Zygote, Path, ScriptedServer, int], Forked]


def silent_at(point: str) -> Kill:
    """The server takes some mails and then falls silent at ``point`` on every connection."""

    def start(zygote: Zygote, data_dir: Path, server: ScriptedServer, run: int) -> Forked:
        mails = run % 15
        server.answers[point] = lambda: FALL_SILENT if len(server.messages) >= mails else server.usually(point)
        sender = zygote.start(data_dir, server.url)
        server.wait_until(lambda: server.silent >= CONNECTIONS, f"silence at {point}")
        return sender

    return start


def unheard(zygote: Zygote, data_dir: Path, server: ScriptedServer, run: int) -> Forked:
    """Claimed, and on the connection not even a greeting: the first ones, or those that replace them."""
    server.answers[GREETING] = lambda: FALL_SILENT if server.connections > run % 4 else server.usually(GREETING)
    sender = zygote.start(data_dir, server.url)
    server.wait_until(lambda: server.silent >= CONNECTIONS, "silence before the greeting")
    return sender


def stopped_at(seam: str, often: int) -> Kill:
    """The sender stops within itself, the first time that it comes there or a later one."""

    def start(zygote: Zygote, data_dir: Path, server: ScriptedServer, run: int) -> Forked:
        sender = zygote.start(data_dir, server.url, seam=seam, nth=1 + run % often)
        sender.wait_until_stopped()
        return sender

    return start


def at_random(zygote: Zygote, data_dir: Path, server: ScriptedServer, run: int) -> Forked:
    """After some command, and up to two milliseconds more."""
    chance = random.Random(run)
    commands = chance.randrange(70)
    sender = zygote.start(data_dir, server.url)
    server.wait_until(lambda: len(server.commands) >= commands, f"{commands} commands")
    time.sleep(chance.uniform(0, 0.002))
    return sender


KILLS: dict[str, Kill] = {
    "claimed": unheard,
    "connected": stopped_at("connected", 4),
    "MAIL sent": silent_at("MAIL"),
    "DATA sent": silent_at("DATA"),
    "before the dot": stopped_at("before the dot", 20),
    "after the dot": silent_at(DOT),
    "before record": stopped_at("before record", 2),
    "at random": at_random,
}


@pytest.mark.parametrize("run", range(RUNS))
@pytest.mark.parametrize("point", KILLS)
def test_killed(  # noqa: PLR0917 (a table and its fixtures)
    point: str, run: int, prepared: Prepared, zygote: Zygote, folder: Path, record_property: Callable[..., None]
) -> None:
    data_dir = folder / "var"
    shutil.copytree(prepared.data_dir, data_dir)
    with ScriptedServer(pipelining=run % 2 == 0) as server:
        KILLS[point](zygote, data_dir, server, run).kill()
        # What the dead one had written before is read first, as it is in the world.
        server.answers.clear()
        server.released.set()
        server.wait_until(lambda: server.ended == server.connections, "end of the old connections")
        found = zygote.start(data_dir, server.url).wait()
        received = [read_headers(message) for message in server.messages]

    assert found is not None
    times = Counter(to for to, _ in received)
    doubtful = {prepared.owners[number] for number, _, state in found["ledger"] if state == DeliveryState.IN_DOUBT}
    accepted = {prepared.owners[number] for number, _, state in found["ledger"] if state == DeliveryState.ACCEPTED}
    twice = [email for email in READERS if times[email] > 1]
    lost = set(READERS) - set(times) - doubtful | set(SIGNERS) - set(times)
    figures = {"twice": len(twice), "lost": len(lost), "in_doubt": len(doubtful), "connections": CONNECTIONS}
    record_property("kill", {"point": point, **figures})

    assert twice == []
    assert lost == set()
    assert len(doubtful) <= CONNECTIONS
    assert accepted == {*READERS, *SIGNERS} - doubtful
    assert accepted <= set(times)
    assert len(set(received)) == len(times), "a copy had another Message-ID"
    assert found["balances"]
