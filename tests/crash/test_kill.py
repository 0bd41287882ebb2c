"""The whole worker, killed with SIGKILL: no digest goes out twice, no confirmation is lost, the ledger balances.

The many runs are `test_kill_points`', whose senders are forked.
"""

import shutil
import time
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest

from campaign.clock import now
from campaign.installation.wiring import Installation, wire
from campaign.models import DeliveryKind, DeliveryState
from campaign.services.delivery.ledger_audit import audit_ledger
from tests.conftest import Clock, MakeInstallation, close_installation, settings_for
from tests.crash.workers import digests, enqueue_digest, run, worker
from tests.scenes.people import add_readers, find_petition, get_subscription, list_deliveries, sign
from tests.servers.scripted_smtp import DOT, FALL_SILENT, ScriptedServer
from tests.servers.smtp import Mailbox

ACCEPTED, IN_DOUBT = DeliveryState.ACCEPTED, DeliveryState.IN_DOUBT
FEW = [f"reader{number}@example.org" for number in range(5)]
MANY = [f"reader{number}@example.org" for number in range(200)]


def test_killed_before_the_answer_to_the_final_dot(make_sqlite_installation: MakeInstallation, clock: Clock) -> None:
    clock.moment = now()
    installation = make_sqlite_installation()
    add_readers(installation, *FEW)
    enqueue_digest(installation)
    sign(installation, "signer@example.org")

    with ScriptedServer({DOT: FALL_SILENT}) as stalling, worker(installation, stalling.url, smtp_connections="1"):
        # The single mails and the chunk have a connection each, and both have sent a final dot.
        stalled = [message_from_bytes(content) for content in stalling.wait_for(2)]
    sent_to = {message["To"]: message["Message-ID"] for message in stalled}
    assert len(sent_to) == 2
    (doubtful,) = set(sent_to) - {"signer@example.org"}

    with Mailbox() as healthy:
        for _ in range(2):
            done = run(installation, "worker", "--once", smtp_url=healthy.url)
            assert (done.returncode, done.stderr) == (0, "")
    received = {message.recipients[0]: message.parsed["Message-ID"] for message in healthy.messages}
    assert len(received) == len(healthy.messages)
    assert set(received) == {*FEW, "signer@example.org"} - {doubtful}
    assert received["signer@example.org"] == sent_to["signer@example.org"]
    in_doubt = [item.subscription_id for item in digests(installation) if item.state is IN_DOUBT]
    assert in_doubt == [get_subscription(installation, doubtful).id]
    assert Counter(item.state for item in digests(installation)) == {IN_DOUBT: 1, ACCEPTED: 4}
    audit = run(installation, "digest", "audit", "kazakhstan")
    assert audit.returncode == 0, audit.stdout + audit.stderr


@pytest.fixture(scope="session")
def many_readers(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory in which a digest to 200 readers is about to go out."""
    folder = tmp_path_factory.mktemp("many")
    shutil.copytree(sqlite_template, folder / "var")
    installation = wire(settings_for(folder), now=now)
    add_readers(installation, *MANY)
    enqueue_digest(installation)
    close_installation(installation)
    return folder / "var"


@pytest.fixture
def with_many(folder: Path, many_readers: Path) -> Iterator[Installation]:
    shutil.copytree(many_readers, folder / "var")
    installation = wire(settings_for(folder), now=now)
    yield installation
    close_installation(installation)


def slowly(_address: str) -> None:
    """A server that takes its time, so that the kill comes in the middle."""
    time.sleep(0.01)


def test_killed_somewhere_within_a_digest_to_200_readers(with_many: Installation) -> None:
    installation = with_many
    with Mailbox(answer_to_rcpt=slowly) as mailbox:
        with worker(installation, mailbox.url, smtp_connections="4"):
            mailbox.wait_for(150, seconds=60)
        before = len(mailbox.messages)
        done = run(installation, "worker", "--once", smtp_url=mailbox.url)
        assert (done.returncode, done.stderr) == (0, "")
    times = Counter(message.recipients[0] for message in mailbox.messages)
    states = Counter(item.state for item in digests(installation))
    assert before < 200
    assert max(times.values()) == 1
    assert states[IN_DOUBT] <= 4
    assert states[ACCEPTED] + states[IN_DOUBT] == 200
    doubtful = {item.subscription_id for item in digests(installation) if item.state is IN_DOUBT}
    missed = {get_subscription(installation, email).id for email in set(MANY) - set(times)}
    assert missed <= doubtful
    with installation.database.snapshots() as session:
        assert all(account.balances for account in audit_ledger(session, find_petition(installation)))
    assert not any(item.claimed_by for item in list_deliveries(installation) if item.kind is DeliveryKind.DIGEST)
