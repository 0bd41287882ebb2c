"""The worker: sends what the ledger owes, and does by the clock what is due."""

import logging
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

from sqlalchemy.exc import SQLAlchemyError

from campaign.errors import CampaignError
from campaign.installation.leases import heartbeats, take_over_dead_workers, worker_lease
from campaign.installation.wiring import Installation
from campaign.jobs import Work, running, wait_until_drained
from campaign.mail.returned.mailboxes import MailboxUnreachable
from campaign.models import DeliveryKind, DeliveryState
from campaign.services.abuse.challenges import forget_spent
from campaign.services.bounces.intake import read_mailbox
from campaign.services.delivery.claims import Batch, Sender
from campaign.services.delivery.eligibility import list_sendable
from campaign.services.delivery.ledger import settle_old_claims
from campaign.services.delivery.send import send_waiting
from campaign.services.delivery.send_merged import send_merged
from campaign.services.digests.editions import make_due_editions
from campaign.services.digests.transitions import finish_editions, hold_editions, start_due_editions, sweep_cancelled
from campaign.services.exports.approvals import forget_old_requests
from campaign.services.petitions.lifecycle import close_due
from campaign.services.privacy.burn import burn_what_came_since
from campaign.services.privacy.retention import retain
from campaign.services.privacy.tombstones import keep_beside
from campaign.services.signatures.countries import count_countries
from campaign.services.signatures.erase import expire_pending
from campaign.services.signatures.link_requests import answer_requests, has_requests
from campaign.services.signatures.mail_turns import forget_old_allowances

_log = logging.getLogger(__name__)

CONFIRMATIONS = Batch(DeliveryKind.CONFIRMATION)
LINKS = Batch(DeliveryKind.LINK)
TESTS = Batch(DeliveryKind.TEST)
# Digests are sent by the engine in chunks. Two kinds are taken up one by one: those that the server wanted later, and
# those that no chunk has come for, so that a mistake of the engine loses nothing.
DEFERRED_DIGESTS = Batch(DeliveryKind.DIGEST, (DeliveryState.DEFERRED,))
LEFT_DIGESTS = Batch(DeliveryKind.DIGEST, (DeliveryState.QUEUED,), overdue=timedelta(minutes=10))
ALL_DIGESTS = Batch(DeliveryKind.DIGEST)

AT_A_TIME = 20
LOOK_EVERY = 0.5
# The look for readers of one mail for all campaigns goes through all that waits, so it is done less often.
MERGE_EVERY = timedelta(minutes=1)
LINKS_EVERY = timedelta(seconds=5)
MERGE_PATIENCE = timedelta(seconds=5)
BACK_OFF = (5.0, 60.0)
GRACE_SECONDS = 20
DRAIN_SECONDS = 24 * 3600.0
MOST_BOUNCES = 1000


class DigestWork(Work):
    """What the engine makes happen. ``patient``: a chunk waits for a server that cannot be reached."""

    def __init__(self, installation: Installation, stopping: threading.Event, *, patient: bool) -> None:
        self._installation = installation
        self._stopping = stopping
        self._patient = patient
        self._retained_on: date | None = None

    def send_chunk(self, edition_id: int, first: int, last: int) -> bool:
        guard = self._installation.dispatch.guard
        with self._installation.database.snapshots() as session:
            if edition_id not in list_sendable(session, guard, self._installation.now()):
                return True  # paused, cancelled, or outside its window: its next start makes new jobs
        sender = self._installation.sender(f"edition-{edition_id}-{first}")
        try:
            chunk = Batch(DeliveryKind.DIGEST, (DeliveryState.QUEUED,), edition_id=edition_id, first=first, last=last)
            tally = send_waiting(sender, chunk, stopping=self._stopping.is_set)
        finally:
            sender.transport.close()
        with self._installation.database.sessions.begin() as session:
            finish_editions(session, guard)
            hold_editions(session, self._installation.now(), guard)
        unreached = tally[DeliveryState.QUEUED] > 0 or self._stopping.is_set()
        return not (unreached and self._patient)

    def tick(self) -> None:
        installation, now = self._installation, self._installation.now()
        with installation.database.sessions.begin() as session:
            close_due(session, now=now)
            make_due_editions(session, installation.links, installation.dispatch, now=now)
            start_due_editions(session, now, installation.dispatch)
        with installation.database.sessions.begin() as session:
            expire_pending(session, now=now)
            burn_what_came_since(session, now=now)
            forget_old_allowances(session, now=now)
            forget_old_requests(session, now=now)
            forget_spent(session, now=now)
            settle_old_claims(session, now=now)
            sweep_cancelled(session)
            finish_editions(session, installation.dispatch.guard)
            hold_editions(session, now, installation.dispatch.guard)
        count_countries(installation.database.snapshots, installation.database.sessions, now=now)
        if self._retained_on != now.date():  # each worker looks once a day, and when it starts
            retain(installation.database.sessions, now=now)
            self._retained_on = now.date()
        take_over_dead_workers(installation)
        with installation.database.sessions.begin() as session:
            keep_beside(session, installation.settings.tombstones, now=now)
        installation.database.truncate_log()
        installation.jobs.forget_finished(now=now)
        read_bounces(installation)


def read_bounces(installation: Installation) -> None:
    """Take back what waits in the mailbox of the settings, a part of it at a time; one out of reach waits itself."""
    url = installation.settings.bounces_url
    if not url:
        return
    try:
        read_mailbox(installation.database.sessions, installation.vault, url, now=installation.now(), most=MOST_BOUNCES)
    except MailboxUnreachable as error:
        _log.warning("The mailbox of what comes back cannot be read; trying again", exc_info=error)


@contextmanager
def _only_one(installation: Installation) -> Iterator[None]:
    """Hold this worker's name, and give signs of life."""
    with worker_lease(installation, installation.settings.worker_name), heartbeats(installation):
        yield


def work(installation: Installation, stopping: threading.Event) -> None:
    """Work until ``stopping`` is set. Raises AlreadyRunning where a worker of this name does."""
    with _only_one(installation):
        digests = DigestWork(installation, stopping, patient=True)
        with running(
            digests, installation.settings.database_url, installation.settings.worker_name, grace_seconds=GRACE_SECONDS
        ):
            _send_as_it_comes(installation, stopping)


def _send_as_it_comes(installation: Installation, stopping: threading.Event) -> None:
    """Send confirmations at once, and digests that come up one by one; slow down while the server or disk fails."""
    sender = installation.sender("mails")
    wait, merge_at, links_at = LOOK_EVERY, installation.now(), installation.now()
    while not stopping.wait(wait):
        try:
            if installation.now() >= links_at:
                take_up_lost_links(installation)
                links_at = installation.now() + LINKS_EVERY
            healthy = _send_single_mails(sender, stopping)
            if healthy and installation.now() >= merge_at:
                tally = _send_merged_for_a_moment(installation, sender, stopping)
                healthy = not tally[DeliveryState.QUEUED]
                merge_at = installation.now() + (timedelta() if tally else MERGE_EVERY)
        except SQLAlchemyError:
            _log.exception("The database cannot be used; trying again")
            healthy = False
        except OSError:
            _log.exception("The journal cannot be written; trying again")
            healthy = False
        wait = LOOK_EVERY if healthy else min(BACK_OFF[1], max(BACK_OFF[0], wait * 2))
    sender.transport.close()


def take_up_lost_links(installation: Installation) -> None:
    """Owe mails to those who asked for their lost link, and erase the addresses of those for whom none waits."""
    with installation.database.snapshots() as session:
        asked = has_requests(session)
    if asked:
        with installation.database.sessions.begin() as session:
            answer_requests(session, now=installation.now())


def _send_single_mails(sender: Sender, stopping: threading.Event) -> bool:
    # Confirmations go first, then lost links: of the others a few at a time.
    for batch, most in (
        (CONFIRMATIONS, None),
        (LINKS, None),
        (TESTS, None),
        (DEFERRED_DIGESTS, AT_A_TIME),
        (LEFT_DIGESTS, AT_A_TIME),
    ):
        tally = send_waiting(sender, batch, stopping=stopping.is_set, most=most)
        if tally[DeliveryState.QUEUED]:
            _log.warning("The mail server cannot be used; mails wait")
            return False
    return True


def _send_merged_for_a_moment(
    installation: Installation, sender: Sender, stopping: threading.Event
) -> Counter[DeliveryState]:
    # Under a slow pace each mail waits for its turn, and no confirmation shall wait for more than one of them.
    until = installation.now() + timedelta(seconds=LOOK_EVERY)
    return send_merged(
        sender,
        stopping=lambda: stopping.is_set() or installation.now() > until,
        most=AT_A_TIME,
        patience=MERGE_PATIENCE,
    )


def work_once(installation: Installation) -> None:
    """Do all that is due now, and end. Raises CampaignError where mails still wait for a server out of reach."""
    stopping = threading.Event()
    with _only_one(installation):
        digests = DigestWork(installation, stopping, patient=False)
        digests.tick()
        sender = installation.sender("mails")
        take_up_lost_links(installation)
        tally = send_waiting(sender, CONFIRMATIONS) + send_waiting(sender, LINKS) + send_waiting(sender, TESTS)
        take_up_lost_links(installation)
        if not installation.jobs.is_drained(installation.settings.worker_name):
            with running(
                digests, installation.settings.database_url, installation.settings.worker_name, grace_seconds=0
            ):
                wait_until_drained(installation.jobs, installation.settings.worker_name, seconds=DRAIN_SECONDS)
        tally += send_waiting(sender, ALL_DIGESTS)
        tally += send_merged(sender)
        sender.transport.close()
        with installation.database.sessions.begin() as session:
            finish_editions(session, installation.dispatch.guard)
    if tally[DeliveryState.QUEUED]:
        raise CampaignError("The mail server cannot be used now; the mails wait and are sent the next time.")
