"""The pace of sending: every mail has a turn of its own, over all workers and over restarts, on an injected clock."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from campaign.installation.wiring import Installation
from campaign.mail.message import Message
from campaign.mail.smtp.transport import Answer, Later, Mails, Transport
from campaign.models import Delivery, DeliveryKind, DeliveryState, SendingPace
from campaign.services.delivery import send as delivery_send
from campaign.services.delivery.claims import Batch
from campaign.services.delivery.send import send_waiting
from campaign.services.delivery.send_merged import send_merged
from campaign.services.delivery.throttle import find_interval
from campaign.text.rates import Rate
from tests.conftest import SLUG, START, Clock, MakeInstallation
from tests.scenes import people
from tests.scenes.people import add_readers, make_digest, sign, unsubscribe
from tests.scenes.readers import SECOND as SECOND_PETITION
from tests.scenes.readers import add_second_petition, choose, follow, issue, publish
from tests.servers.smtp import Mailbox

CONFIRMATIONS, DIGESTS = Batch(DeliveryKind.CONFIRMATION), Batch(DeliveryKind.DIGEST)
ACCEPTED = DeliveryState.ACCEPTED
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


class Paced:
    """Mails whose waiting is done by the clock of the test; when each was given out stands in ``moments``."""

    def __init__(self, mails: Mails, clock: Clock, moments: list[datetime]) -> None:
        self._mails = mails
        self._clock = clock
        self._moments = moments
        self.start, self.hold = mails.start, mails.hold
        self.end: Callable[[int, Answer], None] = mails.end

    def next(self) -> tuple[int, Message] | None:
        while True:
            asked_at = self._clock()
            given = self._mails.next()
            if not isinstance(given, Later):
                if given is not None:
                    self._moments.append(self._clock())
                return given
            # Another thread may have turned it further meanwhile.
            self._clock.moment = max(self._clock(), asked_at + timedelta(seconds=given.seconds))


class PacedTransport:
    """Connections to a real server, on the clock of the test."""

    def __init__(self, transport: Transport, clock: Clock, moments: list[datetime]) -> None:
        self._transport = transport
        self._clock = clock
        self._moments = moments

    def deliver(self, mails: Mails) -> None:
        self._transport.deliver(Paced(mails, self._clock, self._moments))

    def close(self) -> None:
        self._transport.close()


def send(
    installation: Installation, batch: Batch, clock: Clock, moments: list[datetime], most: int | None = None
) -> int:
    """How many were accepted."""
    sender = installation.sender("mails")
    sender = replace(sender, transport=PacedTransport(sender.transport, clock, moments))
    try:
        return send_waiting(sender, batch, most=most)[ACCEPTED]
    finally:
        sender.transport.close()


def free_at(installation: Installation) -> datetime:
    with installation.database.snapshots() as session:
        return session.scalars(select(SendingPace.free_at)).one()


@pytest.mark.parametrize(
    ("limits", "interval"),
    [
        ("10/second", 0.1),
        ("1000/hour", 3.6),
        ("10/second; 1000/hour", 3.6),
        ("1/second; 7200/hour", 1),
        ("6 per 2 minutes", 20),
    ],
)
def test_the_strictest_limit_says_how_far_apart_mails_are(limits: str, interval: float) -> None:
    assert find_interval(Rate.read_all(limits)) == timedelta(seconds=interval)


def test_without_a_limit_there_are_no_turns() -> None:
    assert find_interval([]) is None


@pytest.mark.parametrize(
    ("rate", "interval"), [("20/second", SECOND / 20), ("1200/hour", 3 * SECOND), ("5/second; 100/hour", 36 * SECOND)]
)
def test_each_mail_goes_out_at_its_turn_whichever_worker_sends_it(
    make_installation: MakeInstallation, clock: Clock, rate: str, interval: timedelta
) -> None:
    """Four workers, each started after the last one ended; a confirmation takes its turn among the digests."""
    moments: list[datetime] = []
    with Mailbox() as mailbox:
        workers = [
            make_installation(smtp_url=mailbox.url, smtp_rate=rate, worker_name=f"w-{number}") for number in range(4)
        ]
        add_readers(workers[0], *(f"reader{number}@example.org" for number in range(47)))
        make_digest(workers[0])
        sent = 0
        for installation, most in zip(workers, (7, 1, 20, 19), strict=True):
            sent += send(installation, DIGESTS, clock, moments, most)
            if installation is not workers[0]:
                sign(installation, f"signer{sent}@example.org")
                sent += send(installation, CONFIRMATIONS, clock, moments)
            assert free_at(installation) == START + sent * interval
        assert len(mailbox.messages) == sent == 50
    assert moments == [START + number * interval for number in range(50)]


def test_after_a_rest_the_pace_begins_anew(make_installation: MakeInstallation, clock: Clock) -> None:
    """Turns that nobody took are not made up for."""
    moments: list[datetime] = []
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url, smtp_rate="2/second")
        for _ in range(2):
            for number in range(3):
                sign(installation, f"signer{number}@example.org")
            assert send(installation, CONFIRMATIONS, clock, moments) == 3
            clock.turn(25 * HOUR)
    rested = moments[2] + 25 * HOUR
    assert moments == [START, START + SECOND / 2, START + SECOND, rested, rested + SECOND / 2, rested + SECOND]


def test_workers_at_the_same_time_never_share_a_turn(make_installation: MakeInstallation, clock: Clock) -> None:
    moments: list[datetime] = []
    with Mailbox() as mailbox:
        workers = [
            make_installation(smtp_url=mailbox.url, smtp_rate="1200/hour", worker_name=f"w-{number}")
            for number in range(4)
        ]
        add_readers(workers[0], *(f"reader{number}@example.org" for number in range(60)))
        make_digest(workers[0])
        with ThreadPoolExecutor(4) as threads:
            sent = list(threads.map(lambda installation: send(installation, DIGESTS, clock, moments), workers))
        assert len(mailbox.messages) == sum(sent) == 60
    assert free_at(workers[0]) >= START + 60 * 3 * SECOND
    early = [number for number, moment in enumerate(sorted(moments)) if moment < START + number * 3 * SECOND]
    assert early == []


def test_a_turn_is_taken_for_a_mail_that_is_sent_and_for_no_other(
    make_installation: MakeInstallation, clock: Clock
) -> None:
    moments: list[datetime] = []
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url, smtp_rate="2/hour")
        readers = [f"reader{number}@example.org" for number in range(6)]
        add_readers(installation, *readers)
        make_digest(installation)
        for email in readers[:4]:
            unsubscribe(installation, email)
        assert send(installation, DIGESTS, clock, moments) == 2
    assert moments == [START, START + HOUR / 2]
    assert free_at(installation) == START + HOUR


def test_who_waits_for_a_far_turn_ends_when_asked_to(
    make_sqlite_installation: MakeInstallation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second mail's turn is asked for before the first has arrived."""
    monkeypatch.setattr(delivery_send, "_ASK_AGAIN", 0.05)
    with Mailbox() as mailbox:
        installation = make_sqlite_installation(smtp_url=mailbox.url, smtp_rate="1/hour")
        add_readers(installation, "a@example.org", "b@example.org")
        make_digest(installation)
        tally = people.send(installation, DIGESTS, stopping=lambda: len(mailbox.messages) == 1)
    assert tally == {ACCEPTED: 1}


def owe_merged(installation: Installation, folder: Path, clock: Clock, *readers: str) -> None:
    """Two editions for readers who want them in one mail, due now."""
    add_second_petition(installation, folder)
    for email in readers:
        follow(installation, email, SLUG, SECOND_PETITION)
        choose(installation, email, merged=True)
    with installation.database.sessions.begin() as session:
        session.execute(delete(Delivery))
    for slug in (SLUG, SECOND_PETITION):
        publish(installation, slug, slug)
        issue(installation, slug, slug)
    clock.turn(HOUR * 24)


def test_mail_for_all_petitions_takes_its_turns_too_and_leaves_a_far_one_for_later(
    make_installation: MakeInstallation, folder: Path, clock: Clock
) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url, smtp_rate="1/hour")
        owe_merged(installation, folder, clock, "a@example.org", "b@example.org")
        began = clock()
        sender = installation.sender("mails")
        for sent in (1, 1, 2):
            send_merged(sender, patience=SECOND)
            assert len(mailbox.messages) == sent
            assert free_at(installation) == began + sent * HOUR
            clock.turn(HOUR / 2)
        sender.transport.close()


def test_mail_for_all_petitions_goes_out_at_its_turn(
    make_installation: MakeInstallation, folder: Path, clock: Clock
) -> None:
    moments: list[datetime] = []
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url, smtp_rate="1/hour")
        owe_merged(installation, folder, clock, "a@example.org", "b@example.org", "c@example.org")
        began = clock()
        sender = installation.sender("mails")
        send_merged(replace(sender, transport=PacedTransport(sender.transport, clock, moments)))
        sender.transport.close()
        assert len(mailbox.messages) == 3
    assert moments == [began, began + HOUR, began + 2 * HOUR]


def test_mails_kept_as_files_wait_by_the_clock_that_is_handed_in(
    make_installation: MakeInstallation, clock: Clock
) -> None:
    installation = make_installation(smtp_rate="6/minute")
    add_readers(installation, "a@example.org", "b@example.org", "c@example.org")
    make_digest(installation)
    assert people.send(installation, DIGESTS) == {ACCEPTED: 3}
    assert free_at(installation) == START + 30 * SECOND
    assert clock() >= START + 20 * SECOND
