"""Burning a petition: the data of its signers and readers is destroyed; the counts, the days and all texts stay.

It is done in batches, each in its own transaction. The petition keeps the day on which it was burned, so that burning
is continued after a crash, and rows that came in between two batches are found the next time.
"""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session, sessionmaker

from campaign.models import (
    AuditAction,
    ConfirmationAllowance,
    Delivery,
    DeliveryState,
    ExportRequest,
    LinkRequest,
    PaperLine,
    PaperSheet,
    Petition,
    Review,
    Schedule,
    Signature,
    SignatureState,
    Subscription,
    SubscriptionState,
    Suspicion,
)
from campaign.services.audit_log import record
from campaign.services.digests.transitions import UNDER_WAY, cancel_edition, list_for_change
from campaign.services.petitions.lifecycle import end_signing
from campaign.services.signatures.erase import end_subscription, erase_person, erase_signature

N_ = str  # marks a sentence for the translators; the page translates it

BURNED = N_("the petition was burned")
BATCH = 500
BURNED_TABLES = (
    Signature,
    Subscription,
    ConfirmationAllowance,
    Suspicion,
    LinkRequest,
    ExportRequest,
    Review,
    Delivery,
    PaperLine,
)
# Signatures that are not counted are erased as a whole.
_NOT_COUNTED = (SignatureState.PENDING, SignatureState.QUARANTINED)


def _says_something(petition_id: int) -> ColumnElement[bool]:
    """The condition for signatures that still have personal data."""
    return (Signature.petition_id == petition_id) & (
        Signature.state.in_(_NOT_COUNTED)
        | Signature.fingerprint.is_not(None)
        | Signature.sealed_person.is_not(None)
        | Signature.sealed_address.is_not(None)
        | Signature.country.is_not(None)
    )


def _is_read(petition_id: int) -> ColumnElement[bool]:
    return (Subscription.petition_id == petition_id) & (Subscription.state == SubscriptionState.ACTIVE)


def count_left(session: Session, petition: Petition) -> int:
    """The number of signatures and subscriptions that are not burned yet."""
    signatures = select(func.count()).where(_says_something(petition.id))
    subscriptions = select(func.count()).where(_is_read(petition.id))
    return session.scalars(signatures).one() + session.scalars(subscriptions).one()


def begin_burning(session: Session, petition: Petition, *, actor: str, now: datetime) -> None:
    """Close the petition for good and cancel its editions, so that nobody signs while it burns. It can be repeated."""
    if petition.burned_on is None:
        petition.burned_on = now.date()
        record(session, actor, AuditAction.PETITION_BURNED, petition.id, now=now)
    if not petition.state.is_over:
        end_signing(petition, now=now)
    if (schedule := session.get(Schedule, petition.id)) is not None:
        schedule.paused = True
    for edition in list_for_change(session, petition.id, *UNDER_WAY):
        cancel_edition(session, edition, actor, now)


def _burn_signatures(session: Session, found: ColumnElement[bool], *, now: datetime) -> list[int]:
    # Locks are taken in one order everywhere: signature, allowance, counter.
    wanted = select(Signature).where(found).order_by(Signature.id).limit(BATCH).with_for_update()
    signatures = session.scalars(wanted).all()
    known = [signature.fingerprint for signature in signatures if signature.fingerprint is not None]
    session.execute(delete(ConfirmationAllowance).where(ConfirmationAllowance.fingerprint.in_(known)))
    counted = [signature.id for signature in signatures if signature.state not in _NOT_COUNTED]
    for signature in signatures:
        if signature.state in _NOT_COUNTED:
            erase_signature(session, signature, now=now)
    session.flush()
    erase_person(session, counted, now=now)
    return [signature.id for signature in signatures]


def _burn_subscriptions(session: Session, found: ColumnElement[bool], *, now: datetime) -> list[int]:
    wanted = select(Subscription).where(found).order_by(Subscription.id).limit(BATCH).with_for_update()
    subscriptions = session.scalars(wanted).all()
    for subscription in subscriptions:
        end_subscription(session, subscription, now=now)
    return [subscription.id for subscription in subscriptions]


def _burn_requests(session: Session, petition_id: int) -> None:
    """Delete the other personal data: suspicions, criteria of reviews, requests for links and for lists, queued mails.

    The lines of paper sheets too, also those that were not entered: nothing can be entered by their codes any more.
    """
    sheets = select(PaperSheet.id).where(PaperSheet.petition_id == petition_id)
    session.execute(
        delete(PaperLine).where(PaperLine.sheet_id.in_(sheets)).execution_options(synchronize_session=False)
    )
    for table in (Suspicion, LinkRequest, ExportRequest):
        session.execute(delete(table).where(table.petition_id == petition_id))
    session.execute(update(Review).where(Review.petition_id == petition_id).values(criteria={}))
    session.execute(
        update(Delivery)
        .where(Delivery.petition_id == petition_id, Delivery.state.in_(DeliveryState.waiting()))
        .values(state=DeliveryState.SUPPRESSED, reason=BURNED)
        .execution_options(synchronize_session=False)
    )


def burn(sessions: sessionmaker[Session], petition_id: int, *, actor: str, now: datetime) -> Iterator[int]:
    """Burn the petition, and yield the number of rows after each batch. It can be stopped and repeated at any point."""
    with sessions.begin() as session:
        begin_burning(session, session.get_one(Petition, petition_id, with_for_update=True), actor=actor, now=now)
    burned = True
    while burned:  # rows that came in after their batch are found by the next round
        burned = False
        with sessions.begin() as session:
            _burn_requests(session, petition_id)
        for burn_some, found, row_id in (
            (_burn_signatures, _says_something(petition_id), Signature.id),
            (_burn_subscriptions, _is_read(petition_id), Subscription.id),
        ):
            after = 0
            while True:
                with sessions.begin() as session:
                    ids = burn_some(session, found & (row_id > after), now=now)
                if not ids:
                    break
                after, burned = ids[-1], True
                yield len(ids)


def burn_what_came_since(session: Session, *, now: datetime) -> None:
    """Burn a batch of rows under burned petitions: people signed while one burned, or a crash left the rows."""
    for petition_id in session.scalars(select(Petition.id).where(Petition.burned_on.is_not(None))).all():
        _burn_signatures(session, (Signature.petition_id == petition_id) & Signature.fingerprint.is_not(None), now=now)
        _burn_subscriptions(session, _is_read(petition_id), now=now)
        _burn_requests(session, petition_id)
