"""SIGKILL at each named point and at random: real processes, sockets and files, as the worker wires them."""

import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from campaign.models import DeliveryState
from tests.crash.conftest import READERS, SIGNERS, Prepared, read_headers
from tests.crash.forked import CONNECTIONS, Zygote
from tests.crash.kills import KILLS
from tests.servers.scripted_smtp import ScriptedServer

RUNS = int(os.environ.get("CRASH_RUNS", "50"))  # noqa: TID251 (the tests' own setting)


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
