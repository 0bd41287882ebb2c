"""Reviews: organizers accept or invalidate the signatures that match criteria, and may take that back.

A review moves signatures in transactions of a bounded size, locked in the order of signing: signature, counter.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, sessionmaker

from campaign.errors import NotFound, NotPossible
from campaign.models import Petition, Review, ReviewAction, Signature, SignatureState, Suspicion, SuspicionKind
from campaign.services.auditing import record
from campaign.services.counting import move_counts, take_numbers
from campaign.services.subscribing import begin_subscription
from campaign.vault import Vault

AT_ONCE = 500
SHOWN = 20
EXAMPLES = 3
MOST_GROUPS = 50
REVIEWED = (SignatureState.QUARANTINED, SignatureState.CONFIRMED)


@dataclass(frozen=True)
class Criteria:
    """Which signatures: those that wait or those that count already, and of them the ones that fit all that is set."""

    state: SignatureState = SignatureState.QUARANTINED
    kind: SuspicionKind | None = None
    group: str = ""
    first_day: date | None = None
    last_day: date | None = None
    language: str = ""
    country: str = ""

    def as_json(self) -> dict[str, Any]:
        """What a review keeps of them."""
        set_ones = {name: value for name, value in asdict(self).items() if value}
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in set_ones.items()}

    @classmethod
    def of(cls, group: "Group") -> Self:
        return cls(state=group.state, kind=group.kind, group=group.name)


@dataclass(frozen=True)
class Group:
    """Signatures that have something in common, how many, from when to when, and a few of them."""

    kind: SuspicionKind
    name: str
    state: SignatureState
    count: int
    first_day: date
    last_day: date
    examples: Sequence[Signature]


def _matching(petition_id: int, criteria: Criteria) -> list[ColumnElement[bool]]:
    # What one review has decided, another does not touch before the first is taken back.
    wanted = [
        Signature.petition_id == petition_id,
        Signature.state == criteria.state,
        Signature.review_id.is_(None),
        Signature.sealed_person.is_not(None),
    ]
    if criteria.kind is not None:
        reason = exists().where(Suspicion.signature_id == Signature.id, Suspicion.kind == criteria.kind)
        wanted.append(reason.where(Suspicion.group == criteria.group) if criteria.group else reason)
    if criteria.first_day is not None:
        wanted.append(Signature.signed_on >= criteria.first_day)
    if criteria.last_day is not None:
        wanted.append(Signature.signed_on <= criteria.last_day)
    if criteria.language:
        wanted.append(Signature.language == criteria.language)
    if criteria.country:
        wanted.append(Signature.country == criteria.country)
    return wanted


def list_groups(session: Session, petition_id: int) -> list[Group]:
    """What is to be looked at, those that wait before those that count, the largest first; 50 at most."""
    rows = session.execute(
        select(
            Suspicion.kind,
            Suspicion.group,
            Signature.state,
            func.count(),
            func.min(Signature.signed_on),
            func.max(Signature.signed_on),
        )
        .join(Signature, Signature.id == Suspicion.signature_id)
        .where(
            Suspicion.petition_id == petition_id,
            Signature.state.in_(REVIEWED),
            Signature.review_id.is_(None),
            Signature.sealed_person.is_not(None),
        )
        .group_by(Suspicion.kind, Suspicion.group, Signature.state)
        .order_by(Signature.state.desc(), func.count().desc(), Suspicion.group)
        .limit(MOST_GROUPS)
    ).all()
    groups = []
    for kind, name, state, count, first_day, last_day in rows:
        assert first_day is not None  # whatever was confirmed has its day
        assert last_day is not None
        criteria = Criteria(state=state, kind=kind, group=name)
        examples = list_matching(session, petition_id, criteria, most=EXAMPLES)
        groups.append(Group(kind, name, state, count, first_day, last_day, examples))
    return groups


def count_waiting(session: Session, petition_id: int) -> int:
    """How many signatures wait for a review."""
    return count_matching(session, petition_id, Criteria())


def count_matching(session: Session, petition_id: int, criteria: Criteria) -> int:
    """How many signatures a review by ``criteria`` would move."""
    return session.scalars(select(func.count(Signature.id)).where(*_matching(petition_id, criteria))).one()


def list_matching(session: Session, petition_id: int, criteria: Criteria, *, most: int = SHOWN) -> list[Signature]:
    """Some of those, in an order that stays the same."""
    found = select(Signature).where(*_matching(petition_id, criteria)).order_by(Signature.id).limit(most)
    return list(session.scalars(found))


def list_reviews(session: Session, petition_id: int) -> list[Review]:
    """The latest reviews, newest first."""
    wanted = select(Review).where(Review.petition_id == petition_id).order_by(Review.id.desc()).limit(SHOWN)
    return list(session.scalars(wanted))


def review(
    sessions: sessionmaker[Session],
    vault: Vault,
    petition: Petition,
    criteria: Criteria,
    action: ReviewAction,
    *,
    seen: int,
    actor: str,
    now: datetime,
) -> int:
    """Accept or invalidate what matches; how many signatures that were.

    ``seen`` is how many the organizer was shown. Raises NotPossible where there are not as many any more, and
    nothing has then changed. What a crash leaves undone is found by the same criteria again.
    """
    with sessions.begin() as session:
        if count_matching(session, petition.id, criteria) != seen or not seen:
            raise NotPossible("Other signatures match by now. Please look at them once more.")
        made = Review(petition_id=petition.id, at=now, actor=actor, action=action, criteria=criteria.as_json(), count=0)
        session.add(made)
        session.flush()
        review_id = made.id
        word = "signatures accepted" if action is ReviewAction.ACCEPT else "signatures invalidated"
        record(session, actor, word, petition.id, now=now, review=review_id, signatures=seen)
    moved, today = 0, now.astimezone(ZoneInfo(petition.timezone)).date()
    while True:
        with sessions.begin() as session:
            batch = _lock(session, *_matching(petition.id, criteria))
            _apply(session, vault, petition.id, batch, action, today=today)
            for signature in batch:
                signature.review_id = review_id
            session.get_one(Review, review_id).count += len(batch)
        moved += len(batch)
        if len(batch) < AT_ONCE:
            return moved


def undo(sessions: sessionmaker[Session], petition: Petition, review_id: int, *, actor: str, now: datetime) -> int:
    """Put back what a review moved, as far as it is still there; how many signatures that were.

    A signature that had a number when it was invalidated has the same again. Repeatable after a crash.
    Raises NotFound, NotPossible.
    """
    with sessions.begin() as session:
        made = session.get(Review, review_id, with_for_update=True)
        if made is None or made.petition_id != petition.id:
            raise NotFound("There is no such review of this petition.")
        left = session.scalar(select(exists().where(Signature.review_id == review_id)))
        if made.undone_at is not None and not left:
            raise NotPossible("This review was taken back already.")
        made.undone_at, made.undone_by = now, actor
        action, state = made.action, SignatureState(made.criteria["state"])
        record(session, actor, "review taken back", petition.id, now=now, review=review_id, signatures=made.count)
    moved = 0
    while True:
        with sessions.begin() as session:
            batch = _lock(session, Signature.review_id == review_id)
            moved += _take_back(session, petition.id, batch, action, state)
            for signature in batch:
                signature.review_id = None
        if len(batch) < AT_ONCE:
            return moved


def _lock(session: Session, *wanted: ColumnElement[bool]) -> list[Signature]:
    found = select(Signature).where(*wanted).order_by(Signature.id).limit(AT_ONCE).with_for_update()
    return list(session.scalars(found))


def _days(batch: Sequence[Signature]) -> Counter[date]:
    return Counter(signature.signed_on for signature in batch if signature.signed_on is not None)


def _apply(
    session: Session, vault: Vault, petition_id: int, batch: Sequence[Signature], action: ReviewAction, *, today: date
) -> None:
    waiting = [signature for signature in batch if signature.state is SignatureState.QUARANTINED]
    if action is ReviewAction.ACCEPT and waiting:
        for signature in waiting:
            if signature.wants_updates and signature.sealed_address is not None:
                address = vault.open(signature.sealed_address, row=f"address:{signature.id}")
                begin_subscription(session, vault, signature, address, day=today)
        session.flush()
        number = take_numbers(session, petition_id, _days(waiting))
        for place, signature in enumerate(waiting):
            signature.state, signature.number = SignatureState.CONFIRMED, number + place
    elif action is ReviewAction.INVALIDATE:
        move_counts(session, petition_id, _days([s for s in batch if s.state is SignatureState.CONFIRMED]), by=-1)
        for signature in batch:
            signature.state = SignatureState.INVALIDATED
    for signature in waiting:
        signature.sealed_address, signature.wants_updates = None, False


def _take_back(
    session: Session, petition_id: int, batch: Sequence[Signature], action: ReviewAction, state: SignatureState
) -> int:
    """How many were put back into ``state``, in which the review had found them."""
    if action is ReviewAction.ACCEPT and state is SignatureState.CONFIRMED:
        return len(batch)  # they were left as they were
    left_as = SignatureState.CONFIRMED if action is ReviewAction.ACCEPT else SignatureState.INVALIDATED
    # What its signer has withdrawn, or what was erased by its age, stays so.
    there = [s for s in batch if s.state is left_as and s.sealed_person is not None]
    if action is ReviewAction.ACCEPT:
        move_counts(session, petition_id, _days(there), by=-1)
    elif state is SignatureState.CONFIRMED:
        move_counts(session, petition_id, _days(there), by=1)
    for signature in there:
        signature.state = state
        if state is SignatureState.QUARANTINED:
            signature.number = None
    return len(there)
