"""Erases personal data by schedule, as the retention rules say, a batch at a time."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, sessionmaker

from campaign.models import AuditAction, Delivery, Petition, Signature, Subscription, Suspicion
from campaign.services.audit_log import record
from campaign.services.petitions.lifecycle import today_in
from campaign.services.privacy.retention_rules import (
    BY_AGE,
    moments_due,
    names_due,
    readers_due,
    reasons_due,
    waiting_due,
)
from campaign.services.signatures.erase import (
    end_subscription,
    erase_names,
    erase_person,
    expire_pending,
    forget_suspicions,
)

N_ = str  # marks a sentence for the translators; the page translates it
SCHEDULE = N_("schedule")
BATCH = 1000


def retain(sessions: sessionmaker[Session], *, now: datetime) -> None:
    """Erase everything that is due now, a batch at a time, each in its own transaction. It can be repeated."""
    with sessions.begin() as session:
        expire_pending(session, now=now)
        for moment, kept in BY_AGE.values():
            session.execute(delete(moment.class_).where(moment <= now - kept))
        session.execute(
            update(Signature)
            .where(waiting_due(now))
            .values(sealed_address=None, wants_updates=False)
            .execution_options(synchronize_session=False)
        )
        reviewed = session.scalars(select(Suspicion.signature_id).where(reasons_due(now)).distinct()).all()
        forget_suspicions(session, reviewed)
        petitions = session.scalars(select(Petition.id).order_by(Petition.id)).all()
    _until_none(sessions, lambda session: _round_moments(session, now))
    for petition_id in petitions:
        for act, done in ((_end_updates, AuditAction.UPDATES_ENDED), (_erase_names, AuditAction.NAMES_ERASED)):
            _repeat(sessions, petition_id, act, done, now)


def _repeat(
    sessions: sessionmaker[Session],
    petition_id: int,
    act: Callable[[Session, Petition, datetime], int],
    done: AuditAction,
    now: datetime,
) -> None:
    total = _until_none(sessions, lambda session: act(session, session.get_one(Petition, petition_id), now))
    if total:
        with sessions.begin() as session:
            record(session, SCHEDULE, done, petition_id, now=now, erased=total)


def _until_none(sessions: sessionmaker[Session], act: Callable[[Session], int]) -> int:
    total = 0
    while True:
        with sessions.begin() as session:
            done = act(session)
        total += done
        if done < BATCH:
            return total


def _end_updates(session: Session, petition: Petition, now: datetime) -> int:
    found = readers_due(petition, today_in(petition, now))
    if found is None:
        return 0
    ending = session.scalars(select(Subscription).where(found).order_by(Subscription.id).limit(BATCH).with_for_update())
    subscriptions = ending.all()
    for subscription in subscriptions:
        end_subscription(session, subscription, now=now)
    return len(subscriptions)


def _erase_names(session: Session, petition: Petition, now: datetime) -> int:
    found = names_due(petition, today_in(petition, now))
    ids: Sequence[int] = session.scalars(
        select(Signature.id).where(found).order_by(Signature.id).limit(BATCH).with_for_update()
    ).all()
    erase = erase_person if petition.state.is_over else erase_names
    erase(session, ids, now=now)
    return len(ids)


def _round_moments(session: Session, now: datetime) -> int:
    found = select(Delivery.id, Delivery.queued_at).where(moments_due(now)).order_by(Delivery.id).limit(BATCH)
    rows = session.execute(found.with_for_update()).all()
    by_day: dict[date, list[int]] = {}
    for row_id, queued_at in rows:
        by_day.setdefault(queued_at.astimezone(UTC).date(), []).append(row_id)
    for day, ids in by_day.items():
        noon = datetime.combine(day, time(12), UTC)
        session.execute(
            update(Delivery)
            .where(Delivery.id.in_(ids))
            .values(queued_at=noon, due_at=noon, first_deferred_at=None)
            .execution_options(synchronize_session=False)
        )
    return len(rows)
