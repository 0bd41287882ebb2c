"""The pace over real worker processes: two at once, and one that is killed and started again."""

from contextlib import ExitStack
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import select

from campaign.clock import now
from campaign.installation.wiring import Installation
from campaign.models import SendingPace
from campaign.services.delivery.throttle import find_turn
from tests.conftest import Clock, MakeInstallation
from tests.crash.workers import worker
from tests.scenes.people import sign_within
from tests.servers.smtp import Mailbox, Received

INTERVAL = timedelta(seconds=1) / 40
RATE = "40/second"


class Arrivals:
    """When each mail came, by the clock that the workers go by, and who sent it."""

    def __init__(self) -> None:
        self.moments: list[datetime] = []
        self.senders: set[str] = set()
        self._lock = Lock()

    def __call__(self, received: Received) -> None:
        with self._lock:
            self.moments.append(now())
            self.senders.add(received.sender)


def sign_many(installation: Installation, count: int) -> None:
    with installation.database.sessions.begin() as session:
        for number in range(count):
            sign_within(session, installation, f"signer{number}@example.org")


def next_turn_at(installation: Installation, moment: datetime) -> datetime:
    with installation.database.sessions.begin() as session:
        find_turn(session, now=moment)
        session.get_one(SendingPace, "all").free_at = moment
    return moment


def free_at(installation: Installation) -> datetime:
    with installation.database.snapshots() as session:
        return session.scalars(select(SendingPace.free_at)).one()


def test_no_mail_of_two_workers_goes_out_before_its_turn_and_a_restart_changes_nothing(
    make_installation: MakeInstallation, clock: Clock
) -> None:
    """However slow the machine is, mails come no earlier than their turns; by a pace of each worker's own they would.

    The first turn lies ahead, so that both workers are there when it comes.
    """
    clock.moment = now()
    installation = make_installation()
    sign_many(installation, 400)
    arrivals = Arrivals()
    start = next_turn_at(installation, now() + timedelta(seconds=4))
    with Mailbox(answer_to_data=arrivals) as mailbox:
        for least in (60, 100):
            arrivals.senders.clear()
            with ExitStack() as workers:
                for name in ("one", "two"):
                    settings = {"worker_name": name, "mail_from": f"{name}@example.org", "verp": "false"}
                    workers.enter_context(worker(installation, mailbox.url, smtp_rate=RATE, **settings))
                mailbox.wait_for(least, seconds=60)
                while arrivals.senders != {"one@example.org", "two@example.org"}:
                    mailbox.wait_for(len(mailbox.messages) + 1)
    early = [number for number, moment in enumerate(arrivals.moments) if moment < start + number * INTERVAL]
    assert early == []
    assert free_at(installation) >= start + len(arrivals.moments) * INTERVAL


def test_a_worker_that_is_killed_and_started_again_waits_for_the_turn_that_is_next(
    make_installation: MakeInstallation, clock: Clock
) -> None:
    clock.moment = now()
    installation = make_installation()
    sign_many(installation, 3)
    arrivals = Arrivals()
    with Mailbox(answer_to_data=arrivals) as mailbox:
        for sent in (1, 2, 3):
            turn = next_turn_at(installation, now() + timedelta(seconds=3))
            with worker(installation, mailbox.url, smtp_rate="1/hour"):
                mailbox.wait_for(sent, seconds=30)
            assert len(arrivals.moments) == sent
            assert arrivals.moments[-1] >= turn
            assert free_at(installation) >= turn + timedelta(hours=1)
