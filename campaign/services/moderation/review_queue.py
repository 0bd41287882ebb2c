"""The review queue: groups of suspicious signatures, and the signatures that match an organizer's criteria."""

from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, case, exists, func, or_, select
from sqlalchemy.orm import Session

from campaign.errors import NotPossible
from campaign.models import Review, ReviewAction, Signature, SignatureState, Suspicion, SuspicionKind

MOST_GROUPS = 30
EXAMPLES = 3
SHOWN = 20
# The states of the signatures that an organizer can decide about.
REVIEWED = (SignatureState.QUARANTINED, SignatureState.CONFIRMED)
# Signatures without a decision; a decision that was taken back leaves no mark.
_OPEN = or_(
    Signature.state == SignatureState.QUARANTINED,
    (Signature.state == SignatureState.CONFIRMED) & Signature.review_id.is_(None),
)


class Changed(NotPossible):
    """Other signatures match now than the page showed to the organizer."""


@dataclass(frozen=True, slots=True)
class Criteria:
    """Which signatures a decision is about: all in one ``state``, so that it can be taken back; the rest narrows it.

    ``first`` and ``last`` are days of signing, both included.
    """

    state: SignatureState
    kind: SuspicionKind | None = None
    group: str | None = None
    first: date | None = None
    last: date | None = None
    language: str | None = None
    country: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {name: str(value) for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Criteria":
        """The criteria in ``kept``; other values in it are left out."""
        return cls(
            SignatureState(kept["state"]),
            SuspicionKind(kept["kind"]) if "kind" in kept else None,
            kept.get("group"),
            date.fromisoformat(kept["first"]) if "first" in kept else None,
            date.fromisoformat(kept["last"]) if "last" in kept else None,
            kept.get("language"),
            kept.get("country"),
        )

    def allows(self, action: ReviewAction) -> bool:
        """Whether the action fits: only suspicious signatures, or those that wait, can be accepted."""
        return action is ReviewAction.INVALIDATE or self.state is SignatureState.QUARANTINED or self.kind is not None


@dataclass(frozen=True)
class Group:
    """Suspicious signatures with something in common: how many wait, how many count, and the first day of signing."""

    kind: SuspicionKind
    group: str
    quarantined: int
    counted: int
    since: date | None
    examples: list[Signature]


@dataclass(frozen=True)
class Preview:
    """The signatures that match now: their number, the first of them, and ``seen``, which identifies exactly these."""

    count: int
    first: list[Signature]
    seen: str


def matching(petition_id: int, criteria: Criteria) -> ColumnElement[bool]:
    """The condition for signatures that match the criteria; in a group, only those without a decision."""
    found = [Signature.petition_id == petition_id, Signature.state == criteria.state]
    if criteria.kind is not None:
        reason = (Suspicion.signature_id == Signature.id) & (Suspicion.kind == criteria.kind)
        if criteria.group is not None:
            reason &= Suspicion.group == criteria.group
        found += [exists().where(reason), _OPEN]
    if criteria.first is not None:
        found.append(Signature.signed_on >= criteria.first)
    if criteria.last is not None:
        found.append(Signature.signed_on <= criteria.last)
    if criteria.language is not None:
        found.append(Signature.language == criteria.language)
    if criteria.country is not None:
        found.append(Signature.country == criteria.country)
    result = found[0]
    for condition in found[1:]:
        result &= condition
    return result


def name_of(ids: list[int]) -> str:
    """A hash that identifies a set of signatures, given in order."""
    digest = sha256()
    for row_id in ids:
        digest.update(row_id.to_bytes(8))
    return digest.hexdigest()[:32]


def preview_review(session: Session, petition_id: int, criteria: Criteria) -> Preview:
    """The signatures that a decision by these criteria would be about. Writes nothing."""
    found = matching(petition_id, criteria)
    ids = list(session.scalars(select(Signature.id).where(found).order_by(Signature.id)))
    first = session.scalars(select(Signature).where(found).order_by(Signature.signed_on, Signature.id).limit(SHOWN))
    return Preview(len(ids), list(first), name_of(ids))


def list_groups(session: Session, petition_id: int) -> list[Group]:
    """The largest groups without a decision, at most ``MOST_GROUPS``."""
    waits = case((Signature.state == SignatureState.QUARANTINED, 1))
    counts = case((Signature.state == SignatureState.CONFIRMED, 1))
    rows = session.execute(
        select(Suspicion.kind, Suspicion.group, func.count(waits), func.count(counts), func.min(Signature.signed_on))
        .join(Signature, Signature.id == Suspicion.signature_id)
        .where(Suspicion.petition_id == petition_id, _OPEN)
        .group_by(Suspicion.kind, Suspicion.group)
        .order_by(func.count().desc(), Suspicion.kind, Suspicion.group)
        .limit(MOST_GROUPS)
    ).all()
    return [Group(*row, _list_examples(session, petition_id, row.kind, row.group)) for row in rows]


def _list_examples(session: Session, petition_id: int, kind: SuspicionKind, group: str) -> list[Signature]:
    return list(
        session.scalars(
            select(Signature)
            .join(Suspicion, Suspicion.signature_id == Signature.id)
            .where(Suspicion.petition_id == petition_id, Suspicion.kind == kind, Suspicion.group == group, _OPEN)
            .order_by(Signature.signed_on, Signature.id)
            .limit(EXAMPLES)
        )
    )


def count_to_review(session: Session, petition_id: int) -> dict[SignatureState, int]:
    """The number of signatures that wait for a review, and of those that count but are suspicious."""
    waiting = select(func.count()).where(
        Signature.petition_id == petition_id, Signature.state == SignatureState.QUARANTINED
    )
    suspicious = (
        select(func.count(Suspicion.signature_id.distinct()))
        .join(Signature, Signature.id == Suspicion.signature_id)
        .where(
            Suspicion.petition_id == petition_id,
            Signature.state == SignatureState.CONFIRMED,
            Signature.review_id.is_(None),
        )
    )
    return {
        SignatureState.QUARANTINED: session.scalars(waiting).one(),
        SignatureState.CONFIRMED: session.scalars(suspicious).one(),
    }


def list_reviews(session: Session, petition_id: int, *, most: int = 50) -> list[Review]:
    """The latest ``most`` decisions, newest first."""
    return list(
        session.scalars(select(Review).where(Review.petition_id == petition_id).order_by(Review.id.desc()).limit(most))
    )
