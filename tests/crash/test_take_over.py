"""A worker that is killed in the middle of a chunk and never comes back: another one finishes it, nobody gets two."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email import message_from_bytes

from campaign.clock import now
from campaign.installation.leases import take_over_dead_workers
from campaign.installation.wiring import Installation
from campaign.models import DeliveryState
from campaign.periods import WORKER_DEAD_AFTER
from campaign.services.delivery.ledger_audit import audit_ledger
from tests.conftest import Clock, MakeInstallation
from tests.crash.workers import digests, enqueue_digest, worker
from tests.scenes.people import add_readers, find_petition, get_subscription
from tests.servers.scripted_smtp import DOT, FALL_SILENT, ScriptedServer
from tests.servers.smtp import Mailbox

ACCEPTED, IN_DOUBT = DeliveryState.ACCEPTED, DeliveryState.IN_DOUBT
READERS = [f"reader{number}@example.org" for number in range(6)]


def test_another_worker_finishes_the_chunk_of_one_that_was_killed(
    make_installation: MakeInstallation, clock: Clock
) -> None:
    clock.moment = now()
    installation = make_installation()
    add_readers(installation, *READERS)
    enqueue_digest(installation)
    with ScriptedServer({DOT: FALL_SILENT}) as stalling, worker(installation, stalling.url, smtp_connections="1"):
        stalled = {message_from_bytes(content)["To"] for content in stalling.wait_for(1)}
    takers = [make_installation(worker_name=f"worker-{number}") for number in (3, 4)]
    with Mailbox() as mailbox, worker(installation, mailbox.url, worker_name="worker-2"):
        assert [take_over_dead_workers(taker) for taker in takers] == [[], []]
        assert mailbox.messages == []
        # Everybody seems silent now; but worker-2 holds its name.
        clock.turn(WORKER_DEAD_AFTER + timedelta(minutes=1))
        with ThreadPoolExecutor(2) as threads:
            taken = sorted(threads.map(take_over_dead_workers, takers))
        assert taken == [[], ["worker-1"]]
        mailbox.wait_for(len(READERS) - len(stalled), seconds=60)
        _wait_until_settled(installation)
        assert [take_over_dead_workers(taker) for taker in takers] == [[], []]
    times = Counter(message.recipients[0] for message in mailbox.messages)
    assert times == dict.fromkeys(set(READERS) - stalled, 1)
    doubtful = {item.subscription_id for item in digests(installation) if item.state is IN_DOUBT}
    assert doubtful == {get_subscription(installation, email).id for email in stalled}
    assert Counter(item.state for item in digests(installation)) == {IN_DOUBT: len(stalled), ACCEPTED: len(times)}
    with installation.database.snapshots() as session:
        assert all(account.balances for account in audit_ledger(session, find_petition(installation)))


def _wait_until_settled(installation: Installation) -> None:
    until = time.monotonic() + 30
    while any(item.state in (DeliveryState.QUEUED, DeliveryState.SENDING) for item in digests(installation)):
        assert time.monotonic() < until
        time.sleep(0.05)
