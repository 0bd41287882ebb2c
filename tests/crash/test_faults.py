"""Faults of the server and around it: the state that each leaves in the ledger, and how it ends when it is over."""

import pytest

from campaign.periods import FIRST_RETRY
from tests.conftest import Clock, MakeCampaign
from tests.crash.ends import DIGESTS, Record, assert_end, count_states, owe_digest
from tests.crash.rows import FAULTS, SILENCE, Fault
from tests.scenes.people import list_deliveries, send
from tests.servers.scripted_smtp import ScriptedServer


@pytest.mark.parametrize("pipelining", [False, True], ids=["in lock-step", "pipelined"])
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_fault_of_the_server(
    fault: Fault, pipelining: bool, make_sqlite_campaign: MakeCampaign, clock: Clock, record_property: Record
) -> None:
    assert fault.script is not None
    with ScriptedServer(fault.script(), pipelining=pipelining) as server:
        campaign = make_sqlite_campaign(smtp_url=server.url, smtp_connections=1, smtp_timeout=SILENCE)
        owe_digest(campaign)
        send(campaign, DIGESTS)
        after = count_states(campaign)
        if fault.name != "greylisting":
            server.answers.clear()
        server.released.set()
        # Before their time has come, what was put off is left alone.
        put_off = {item.id for item in list_deliveries(campaign) if item.due_at > clock()}
        send(campaign, DIGESTS)
        assert put_off <= {item.id for item in list_deliveries(campaign) if item.due_at > clock()}
        clock.turn(FIRST_RETRY)
        send(campaign, DIGESTS)
    assert_end(fault, campaign, after, server.taken, record_property)
