"""The delivery ledger: claim a mail, send it, record what became of it; settle what a killed worker left behind.

No transaction is open while the network is waited for: claim and commit, send, record and commit. One mail is claimed
at a time, so a worker that is killed leaves at most one whose fate is unknown for each connection it had.
"""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from jinja2 import TemplateError
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session, sessionmaker

from campaign.errors import CampaignError
from campaign.mail.message import Message
from campaign.mail.transport import Answer, Outcome, Transport
from campaign.models import Delivery, DeliveryKind, DeliveryState, Edition, EditionState, Petition, PetitionCounter
from campaign.models.delivery import TRANSITIONS
from campaign.services.links import Links
from campaign.services.mailing import NotWanted, write_message
from campaign.services.steering import list_sendable
from campaign.vault import Vault

_log = logging.getLogger(__name__)

FIRST_RETRY = timedelta(minutes=5)
LONGEST_RETRY = timedelta(hours=6)
GIVE_UP_AFTER = timedelta(hours=72)
CLAIM_LASTS = timedelta(hours=1)
_WAITING = (DeliveryState.QUEUED, DeliveryState.DEFERRED)
CHUNK = 5000


@dataclass(frozen=True)
class Sender:
    """What is needed to send, by one thread.

    ``claimant`` is in every claim and no other living thread uses it, so what is found claimed by it is a dead one's.
    """

    sessions: sessionmaker[Session]
    vault: Vault
    links: Links
    mail_from: str
    transport: Transport
    claimant: str
    now: Callable[[], datetime]


@dataclass(frozen=True)
class Batch:
    """Which waiting mails to take: of a kind, in some of the waiting states, or of a part of an edition.

    ``overdue`` leaves those alone that have not waited so long beyond their time.
    """

    kind: DeliveryKind
    states: tuple[DeliveryState, ...] = _WAITING
    overdue: timedelta = timedelta()
    edition_id: int | None = None
    first: int = 0
    last: int = 0


def move(delivery: Delivery, state: DeliveryState, reason: str | None = None) -> None:
    """The one place where a delivery changes its state. Raises ValueError for a step the ledger does not have."""
    if state not in TRANSITIONS[delivery.state]:
        raise ValueError(f"A delivery does not go from {delivery.state} to {state}.")
    delivery.state = state
    delivery.reason = reason
    delivery.claimed_by = None
    delivery.claimed_at = None


def _claim_next(session: Session, sender: Sender, batch: Batch) -> Delivery | None:
    waiting = (
        select(Delivery)
        .where(
            Delivery.kind == batch.kind,
            Delivery.state.in_(batch.states),
            Delivery.due_at <= sender.now() - batch.overdue,
        )
        .order_by(Delivery.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if batch.kind is DeliveryKind.DIGEST:
        waiting = waiting.where(Delivery.edition_id.in_(list_sendable(session, sender.now())))
    if batch.edition_id is not None:
        waiting = waiting.where(Delivery.edition_id == batch.edition_id, Delivery.id.between(batch.first, batch.last))
    delivery = session.scalars(waiting).one_or_none()
    if delivery is not None:
        move(delivery, DeliveryState.SENDING)
        delivery.claimed_by = sender.claimant
        delivery.claimed_at = sender.now()
    return delivery


def _record(session: Session, sender: Sender, delivery_id: int, answer: Answer) -> DeliveryState:
    delivery = session.get_one(Delivery, delivery_id, with_for_update=True)
    outcome, reason, now = answer.outcome, answer.reason, sender.now()
    if delivery.claimed_by != sender.claimant:
        _log.error("Delivery %s was settled by another worker while it was sent", delivery_id)
        return delivery.state
    if outcome in (Outcome.NOT_TRIED, Outcome.BROKEN_OFF):
        move(delivery, DeliveryState.QUEUED, reason)
        if outcome is Outcome.BROKEN_OFF:
            delivery.due_at = now + FIRST_RETRY
        return delivery.state
    delivery.attempts += 1
    if outcome is Outcome.ACCEPTED:
        move(delivery, DeliveryState.ACCEPTED, reason)
    elif outcome is Outcome.REJECTED:
        move(delivery, DeliveryState.REJECTED, reason)
    elif outcome is Outcome.IN_DOUBT and delivery.kind is DeliveryKind.DIGEST:
        move(delivery, DeliveryState.IN_DOUBT, reason)
    else:
        delivery.first_deferred_at = delivery.first_deferred_at or now
        if now - delivery.first_deferred_at >= GIVE_UP_AFTER:
            move(delivery, DeliveryState.REJECTED, f"given up after 72 hours; {reason}")
        else:
            _defer(delivery, reason, now)
    return delivery.state


def _defer(delivery: Delivery, reason: str, now: datetime) -> None:
    move(delivery, DeliveryState.DEFERRED, reason)
    delivery.due_at = now + min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(delivery.attempts - 1, 10))


def _claim_message(
    session: Session, sender: Sender, batch: Batch, tally: Counter[DeliveryState]
) -> tuple[int, Message] | None:
    """Claim the next mail that is still wanted, with its message; those that are not are settled on the way."""
    while (delivery := _claim_next(session, sender, batch)) is not None:
        try:
            return delivery.id, write_message(
                session, sender.vault, sender.links, sender.mail_from, delivery, now=sender.now()
            )
        except NotWanted as reason:
            move(delivery, DeliveryState.SUPPRESSED, str(reason))
        except (CampaignError, ValueError, LookupError, TemplateError) as error:
            # One mail that cannot be written must not hold up those behind it; it is tried again without an end,
            # since what is wrong (the keyring, say) is ours.
            _log.error("Delivery %s cannot be written: %s", delivery.id, type(error).__name__)
            delivery.attempts += 1
            _defer(delivery, f"the message cannot be written ({type(error).__name__})", sender.now())
        tally[delivery.state] += 1
        session.flush()
    return None


def send_waiting(
    sender: Sender, batch: Batch, *, stopping: Callable[[], bool] = lambda: False, most: int | None = None
) -> Counter[DeliveryState]:
    """Send what waits and is due, one mail after the other: all of it, ``most`` at most, or until ``stopping``.

    Gives how many reached which state. Ends at the first mail for which the server cannot be used: that one is back in
    ``queued``, and the caller tries again later.
    """
    tally: Counter[DeliveryState] = Counter()
    sent = 0
    with sender.sessions.begin() as session:
        settle_claims(session, sender.claimant)
        claimed = _claim_message(session, sender, batch, tally)
    while claimed is not None:
        delivery_id, message = claimed
        answer = sender.transport.send(message)
        sent += 1
        goes_on = answer.outcome not in (Outcome.NOT_TRIED, Outcome.BROKEN_OFF) and sent != most and not stopping()
        with sender.sessions.begin() as session:
            tally[_record(session, sender, delivery_id, answer)] += 1
            session.flush()
            claimed = _claim_message(session, sender, batch, tally) if goes_on else None
    return tally


def settle_claims(session: Session, claimant: str) -> Counter[DeliveryState]:
    """Settle what ``claimant``, or a part of it (``claimant/…``), had claimed when it was killed.

    A digest may have been sent or not: it stays in doubt and is not sent again. A confirmation goes back to the queue.
    """
    claimed = (Delivery.claimed_by == claimant) | Delivery.claimed_by.startswith(f"{claimant}/", autoescape=True)
    return _settle(session, claimed)


def settle_old_claims(session: Session, *, now: datetime) -> Counter[DeliveryState]:
    """Settle in the same way what anybody claimed longer ago than sending one mail can take: its machine is gone."""
    return _settle(session, Delivery.claimed_at <= now - CLAIM_LASTS)


def _settle(session: Session, claimed: ColumnElement[bool]) -> Counter[DeliveryState]:
    tally: Counter[DeliveryState] = Counter()
    found = select(Delivery).where(Delivery.state == DeliveryState.SENDING, claimed).with_for_update(skip_locked=True)
    for delivery in session.scalars(found):
        settled = DeliveryState.IN_DOUBT if delivery.kind is DeliveryKind.DIGEST else DeliveryState.QUEUED
        move(delivery, settled, "the worker ended while sending")
        tally[settled] += 1
    return tally


def list_chunks(session: Session, edition: Edition) -> list[tuple[int, int]]:
    """The edition's deliveries as ranges of ids, each small enough for one job."""
    if not edition.candidates:
        return []
    ids = select(func.min(Delivery.id), func.max(Delivery.id)).where(
        Delivery.edition_id == edition.id, Delivery.kind == DeliveryKind.DIGEST
    )
    first, last = session.execute(ids).one()
    return [(start, min(start + CHUNK - 1, last)) for start in range(first, last + 1, CHUNK)]


def finish_editions(session: Session) -> None:
    """Mark the editions of which no mail waits any more as sent."""
    waiting = (
        select(Delivery.id)
        .where(
            Delivery.edition_id == Edition.id,
            Delivery.kind == DeliveryKind.DIGEST,
            Delivery.state.in_((*_WAITING, DeliveryState.SENDING)),
        )
        .exists()
    )
    session.execute(
        update(Edition)
        .where(Edition.state == EditionState.SENDING, ~waiting)
        .values(state=EditionState.SENT)
        .execution_options(synchronize_session=False)
    )


@dataclass(frozen=True)
class Account:
    """One line of the audit: how many mails an edition owed (None: confirmations), and where each of them is."""

    edition: int | None
    owed: int
    states: Counter[DeliveryState] = field(default_factory=Counter)

    @property
    def balances(self) -> bool:
        return self.owed == self.states.total()


def audit_ledger(session: Session, petition: Petition) -> list[Account]:
    """The petition's accounts: its confirmation mails, then each edition, oldest first.

    What is owed was counted when it was promised, the states are counted now; the two are independent.
    """
    counts: dict[int | None, Counter[DeliveryState]] = {}
    rows = session.execute(
        select(Delivery.edition_id, Delivery.state, func.count())
        .where(Delivery.petition_id == petition.id, Delivery.kind != DeliveryKind.TEST)
        .group_by(Delivery.edition_id, Delivery.state)
    )
    for edition_id, state, count in rows:
        counts.setdefault(edition_id, Counter())[state] += count
    promised = session.scalars(
        select(PetitionCounter.confirmations).where(PetitionCounter.petition_id == petition.id)
    ).one()
    accounts = [Account(None, promised, counts.get(None, Counter()))]
    editions = session.scalars(
        select(Edition).where(Edition.petition_id == petition.id, Edition.number.is_not(None)).order_by(Edition.number)
    )
    accounts += [Account(edition.number, edition.candidates, counts.get(edition.id, Counter())) for edition in editions]
    return accounts
