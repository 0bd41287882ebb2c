"""Decisions about signatures: accepted ones count, invalidated ones do not, and either can be taken back once.

A decision about thousands is done in steps, each in its own transaction, so that people who sign meanwhile wait for one
step at most. If a decision is interrupted, the same button goes on with it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session, sessionmaker

from campaign.crypto.sealed_rows import address_row
from campaign.crypto.vault import Vault
from campaign.errors import NotFound, NotPossible
from campaign.models import AuditAction, Petition, Review, ReviewAction, Signature, SignatureState
from campaign.services.audit_log import record
from campaign.services.moderation.review_queue import Changed, Criteria, matching, name_of
from campaign.services.petitions.counts import move_counts, take_numbers
from campaign.services.petitions.referrals import count_sources
from campaign.services.subscribers.subscriptions import start_subscription

STEP = 500
_BECOMES = {
    ReviewAction.ACCEPT: SignatureState.CONFIRMED,
    ReviewAction.INVALIDATE: SignatureState.INVALIDATED,
}
_DONE = {
    ReviewAction.ACCEPT: AuditAction.SIGNATURES_ACCEPTED,
    ReviewAction.INVALIDATE: AuditAction.SIGNATURES_INVALIDATED,
}


@dataclass(frozen=True, slots=True)
class _Step:
    """Signatures that all have a number, or all have none. So a step locks its days once, and then the counter once, in
    the same order as signing does."""

    numbered: bool
    ids: Sequence[int]


def decide(
    sessions: sessionmaker[Session],
    vault: Vault,
    petition_id: int,
    action: ReviewAction,
    criteria: Criteria,
    *,
    seen: str,
    actor: str,
    now: datetime,
) -> Review:
    """Accept or invalidate the signatures that a preview identified by ``seen``, and no others.

    An interrupted decision is continued; a completed one stays as it is. Raises Changed if other signatures match now
    than the preview showed, NotPossible for an action that the criteria do not allow.
    """
    if not criteria.allows(action):
        raise NotPossible("Only signatures that wait for a review, or are suspicious, can be accepted.")
    with sessions.begin() as session:
        review, steps = _begin(session, petition_id, action, criteria, seen=seen, actor=actor, now=now)
    for step in steps:
        with sessions.begin() as session:
            _decide_step(session, vault, review.id, step)
    with sessions() as session:
        return session.get_one(Review, review.id)


def _begin(
    session: Session,
    petition_id: int,
    action: ReviewAction,
    criteria: Criteria,
    *,
    seen: str,
    actor: str,
    now: datetime,
) -> tuple[Review, list[_Step]]:
    """The decision, and the steps that are left."""
    # A double click decides once: decisions about one petition begin one after the other.
    session.execute(select(Petition.id).where(Petition.id == petition_id).with_for_update(key_share=True))
    kept = {**criteria.to_json(), "seen": seen}
    same = select(Review).where(Review.petition_id == petition_id, Review.action == action, Review.undone_at.is_(None))
    begun = next((review for review in session.scalars(same) if review.criteria == kept), None)
    found = matching(petition_id, criteria)
    moved = (Signature.review_id == begun.id) & (Signature.state == _BECOMES[action]) if begun else None
    rows = session.execute(
        select(Signature.id, Signature.signed_on, Signature.number, Signature.review_id)
        .where(found if moved is None else or_(found, moved))
        .order_by(Signature.id)
    ).all()
    if not rows or name_of([row.id for row in rows]) != seen:
        raise Changed("Other signatures match now than you were shown.")
    if begun is None:
        begun = Review(petition_id=petition_id, at=now, actor=actor, action=action, criteria=kept, count=0)
        session.add(begun)
        session.flush()
        record(
            session,
            actor,
            _DONE[action],
            petition_id,
            now=now,
            review=begun.id,
            state=criteria.state.value,
            signatures=len(rows),
        )
    waiting = [row for row in rows if row.review_id != begun.id]
    waiting.sort(key=lambda row: (row.signed_on or date.min, row.id))  # numbers are given in the order of the days
    steps = []
    for numbered in (False, True):
        ids = [row.id for row in waiting if (row.number is not None) is numbered]
        steps += [_Step(numbered, ids[start : start + STEP]) for start in range(0, len(ids), STEP)]
    return begun, steps


def _lock_review(session: Session, petition_id: int | None, review_id: int) -> Review | None:
    """The decision, locked; None if there is none. Raises NotPossible if its petition was burned.

    Locks are taken in one order everywhere: review, signature, allowance, counter.
    """
    found = select(Review).where(Review.id == review_id).with_for_update(key_share=True)
    if petition_id is not None:
        found = found.where(Review.petition_id == petition_id)
    review = session.scalars(found).one_or_none()
    if review is not None and review.is_burned:
        raise NotPossible("The petition was burned: only the number of signatures is left of this decision.")
    return review


def _decide_step(session: Session, vault: Vault, review_id: int, step: _Step) -> None:
    """Change the signatures of the step that still match: others were withdrawn, or decided about, meanwhile."""
    review = _lock_review(session, None, review_id)
    assert review is not None  # nothing deletes one
    if review.undone_at is not None:
        raise NotPossible("This decision was taken back while it was being carried out.")
    criteria = Criteria.from_json(review.criteria)
    found = list(
        session.scalars(
            select(Signature)
            .where(
                Signature.id.in_(step.ids),
                Signature.number.is_not(None) if step.numbered else Signature.number.is_(None),
                matching(review.petition_id, criteria),
            )
            .order_by(Signature.id)
            .with_for_update()
        )
    )
    if not found:
        return
    if review.action is ReviewAction.ACCEPT and criteria.state is SignatureState.QUARANTINED:
        _begin_updates(session, vault, found)
        if step.numbered:
            move_counts(session, review.petition_id, _days(found), by=1)
        else:
            _number(session, review.petition_id, found)
    elif review.action is ReviewAction.INVALIDATE and criteria.state is SignatureState.CONFIRMED:
        move_counts(session, review.petition_id, _days(found), by=-1)
    # A signature that waits no more keeps no address to write to, and not the link that brought its signer.
    kept_no_more = {"sealed_address": None, "wants_updates": False, "source": None}
    _set(session, found, state=_BECOMES[review.action], review_id=review.id, **kept_no_more)
    review.count += len(found)


def _begin_updates(session: Session, vault: Vault, signatures: Sequence[Signature]) -> None:
    for signature in signatures:
        if signature.wants_updates and signature.sealed_address is not None:
            assert signature.signed_on is not None  # it was confirmed
            address = vault.open(signature.sealed_address, row=address_row(signature.id))
            start_subscription(session, vault, signature, address, day=signature.signed_on)
    session.flush()


def _number(session: Session, petition_id: int, signatures: Sequence[Signature]) -> None:
    """Count the signatures, and give each the next number."""
    first = take_numbers(session, petition_id, _days(signatures))
    sources = (signature.source for signature in signatures if signature.source is not None)
    count_sources(session, petition_id, Counter(sources))
    in_order = sorted(signatures, key=lambda signature: (signature.signed_on or date.min, signature.id))
    for number, signature in enumerate(in_order, first):
        signature.number = number
    session.flush()


def _days(signatures: Sequence[Signature]) -> Counter[date]:
    """The number of signatures of each day."""
    return Counter(signature.signed_on for signature in signatures if signature.signed_on is not None)


def _set(session: Session, signatures: Sequence[Signature], **values: Any) -> None:
    session.execute(
        update(Signature)
        .where(Signature.id.in_([signature.id for signature in signatures]))
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def take_back(
    sessions: sessionmaker[Session], petition_id: int, review_id: int, *, actor: str, now: datetime
) -> Review:
    """Put the signatures of a decision back into their state before, except those withdrawn or decided about since.

    They keep their numbers. An interrupted call is continued by the next one. Raises NotFound, and NotPossible if
    everything was taken back already.
    """
    with sessions.begin() as session:
        review = _lock_review(session, petition_id, review_id)
        if review is None:
            raise NotFound("There is no such decision about this petition.")
        if review.undone_at is None:
            review.undone_at, review.undone_by = now, actor
            record(
                session,
                actor,
                AuditAction.REVIEW_TAKEN_BACK,
                petition_id,
                now=now,
                review=review.id,
                signatures=review.count,
            )
        elif not session.scalars(_moved_by(review).limit(1)).first():
            raise NotPossible("This decision was taken back already.")
    while True:
        with sessions.begin() as session:
            if not _take_back_step(session, petition_id, review_id):
                return review


def list_unfinished(session: Session, reviews: Sequence[Review]) -> set[int]:
    """The ids of the decisions whose taking back was interrupted."""
    undone = [review for review in reviews if review.undone_at is not None]
    return {review.id for review in undone if session.scalars(_moved_by(review).limit(1)).first() is not None}


def _moved_by(review: Review) -> Any:
    return select(Signature).where(Signature.review_id == review.id, Signature.state == _BECOMES[review.action])


def _take_back_step(session: Session, petition_id: int, review_id: int) -> int:
    review = _lock_review(session, petition_id, review_id)
    assert review is not None  # nothing deletes one
    before = Criteria.from_json(review.criteria).state
    found = session.scalars(_moved_by(review).order_by(Signature.id).limit(STEP).with_for_update()).all()
    if not found:
        return 0
    match review.action, before:
        case ReviewAction.INVALIDATE, SignatureState.CONFIRMED:
            move_counts(session, petition_id, _days(found), by=1)
        case ReviewAction.ACCEPT, SignatureState.QUARANTINED:
            move_counts(session, petition_id, _days(found), by=-1)
        case _:
            pass  # whether it is counted does not change
    _set(session, found, state=before, review_id=None)
    return len(found)
