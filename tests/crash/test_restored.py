"""A worker process on a database that was put back by hand: it sends what is new, and no edition a second time."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from campaign.clock import now
from campaign.installation.wiring import Installation
from campaign.models import DeliveryState, Edition, EditionState
from tests.conftest import SLUG, Clock, MakeInstallation
from tests.crash.workers import run, worker
from tests.scenes.copies import Copies
from tests.scenes.deliveries import digests
from tests.scenes.editions import plan
from tests.scenes.people import add_readers, sign
from tests.scenes.readers import SECOND, add_second_petition, choose, follow, issue
from tests.servers.smtp import Mailbox

READERS = [f"reader{number}@example.org" for number in range(5)]
BOTH = "both@example.org"


def times_sent(mailbox: Mailbox) -> Counter[str]:
    return Counter(message.recipients[0] for message in mailbox.messages if message.parsed["List-Unsubscribe"])


def editions(installation: Installation) -> list[EditionState]:
    with installation.database.snapshots() as session:
        return list(session.scalars(select(Edition.state).order_by(Edition.id)))


def test_a_worker_on_a_restored_database_sends_no_edition_again(
    make_installation: MakeInstallation, folder: Path, clock: Clock, copies: Copies
) -> None:
    """Two editions are being sent in the backup: mails are left over, and a reader waits for one mail of both."""
    clock.moment = now() - timedelta(days=2)
    installation = make_installation()
    add_second_petition(installation, folder)
    add_readers(installation, *READERS)
    follow(installation, BOTH, SLUG, SECOND)
    choose(installation, BOTH, merged=True)
    plan(installation, paused=True)  # the schedule makes no third edition
    with Mailbox() as mailbox:
        issue(installation, "first")
        issue(installation, "first", SECOND)
        copy = copies.make(installation)
        done = run(installation, "worker", "--once", smtp_url=mailbox.url)
        assert (done.returncode, done.stderr) == (0, "")
        assert times_sent(mailbox) == dict.fromkeys([*READERS, BOTH], 1)
        assert editions(installation) == [EditionState.SENT] * 2

        clock.moment = now()
        restored = copies.put_back(installation, copy)
        # In each of its rounds the worker sends confirmations first, then what is left over, then merged mails.
        with worker(restored, mailbox.url):
            for number in range(2):
                before = len(mailbox.messages)
                sign(restored, f"signer{number}@example.org")
                mailbox.wait_for(before + 1)
        assert times_sent(mailbox) == dict.fromkeys([*READERS, BOTH], 1)
        assert {item.state for item in digests(restored)} == {DeliveryState.QUEUED}
        done = run(restored, "worker", "--once", smtp_url=mailbox.url)
        assert (done.returncode, done.stderr) == (0, "")
        assert times_sent(mailbox) == dict.fromkeys([*READERS, BOTH], 1)
        assert editions(restored) == [EditionState.PAUSED] * 2
