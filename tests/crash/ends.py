"""What the ledger says after a fault, and when the end is reached."""

from collections import Counter
from collections.abc import Callable

from campaign.installation.wiring import Installation
from campaign.models import DeliveryKind, DeliveryState
from campaign.services.delivery.claims import Batch
from campaign.services.delivery.ledger_audit import audit_ledger
from tests.crash.conftest import read_headers
from tests.crash.rows import Fault
from tests.scenes.people import add_readers, find_petition, list_deliveries, make_digest

DIGESTS = Batch(DeliveryKind.DIGEST)
Record = Callable[[str, object], None]


def owe_digest(installation: Installation, readers: int = 4) -> None:
    add_readers(installation, *(f"reader{number}@example.org" for number in range(readers)))
    make_digest(installation)


def count_states(installation: Installation) -> str:
    """“1 accepted, 3 in doubt”; and our own outage has used nobody's attempt."""
    digests = [item for item in list_deliveries(installation) if item.kind is DeliveryKind.DIGEST]
    assert {item.attempts for item in digests if item.state is DeliveryState.QUEUED} <= {0}
    states = Counter(item.state for item in digests)
    return ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in sorted(states.items()))


def assert_end(fault: Fault, installation: Installation, after: str, received: list[bytes], record: Record) -> None:
    """Both states are the specified ones, nobody has it twice, nobody lacks it who seems to have it."""
    end = count_states(installation)
    record("fault", {"name": fault.name, "after": after, "end": end})
    assert (after, end) == (fault.after, fault.end)
    digests = [item for item in list_deliveries(installation) if item.kind is DeliveryKind.DIGEST]
    times = Counter(read_headers(message)[0] for message in received)
    accepted = sum(item.state is DeliveryState.ACCEPTED for item in digests)
    in_doubt = sum(item.state is DeliveryState.IN_DOUBT for item in digests)
    assert set(times.values()) <= {1}
    assert accepted <= len(times) <= accepted + in_doubt
    assert not any(item.claimed_by for item in digests)
    with installation.database.snapshots() as session:
        assert all(account.balances for account in audit_ledger(session, find_petition(installation)))
