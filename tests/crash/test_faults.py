"""Faults of the server and around it: the state that each leaves in the ledger, and how it ends when it is over."""

import pytest

from campaign.periods import FIRST_RETRY
from tests.conftest import Clock, MakeInstallation
from tests.crash.ends import DIGESTS, Record, assert_end, count_states, owe_digest
from tests.crash.rows import FAULTS, SILENCE, Fault
from tests.scenes.people import list_deliveries, send
from tests.servers.scripted_smtp import ScriptedServer


@pytest.mark.parametrize("pipelining", [False, True], ids=["in lock-step", "pipelined"])
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_fault_of_the_server(
    fault: Fault, pipelining: bool, make_sqlite_installation: MakeInstallation, clock: Clock, record_property: Record
) -> None:
    assert fault.script is not None
    with ScriptedServer(fault.script(), pipelining=pipelining) as server:
        installation = make_sqlite_installation(smtp_url=server.url, smtp_connections=1, smtp_timeout=SILENCE)
        owe_digest(installation)
        send(installation, DIGESTS)
        after = count_states(installation)
        if fault.name != "greylisting":
            server.answers.clear()
        server.released.set()
        # Before their time has come, what was put off is left alone.
        put_off = {item.id for item in list_deliveries(installation) if item.due_at > clock()}
        send(installation, DIGESTS)
        assert put_off <= {item.id for item in list_deliveries(installation) if item.due_at > clock()}
        clock.turn(FIRST_RETRY)
        send(installation, DIGESTS)
    assert_end(fault, installation, after, server.taken, record_property)
