"""Suspicions: the reasons for which a confirmed signature waits for a review, or is shown to organizers."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from campaign.db import upsert
from campaign.models import Signature, SignatureState, Suspicion, SuspicionKind


@dataclass(frozen=True, slots=True)
class Suspected:
    """One reason, the random name of the group of signatures that share it, and the ``earlier`` ones of that group."""

    kind: SuspicionKind
    group: str
    earlier: tuple[int, ...] = ()


def note_suspicions(session: Session, petition_id: int, signature_id: int | None, found: Sequence[Suspected]) -> None:
    """Store the suspicions about a form, and about earlier signatures that belong to the same group.

    ``signature_id`` is None if the form changed nothing. Reviewed signatures get no suspicion, nor do erased ones or
    those of another petition.
    """
    wanted = {
        (row_id, reason.kind): reason.group
        for reason in found
        for row_id in (*reason.earlier, *([] if signature_id is None else [signature_id]))
    }
    if not wanted:
        return
    open_to_it = set(
        session.scalars(
            select(Signature.id).where(
                Signature.id.in_({row_id for row_id, _ in wanted}),
                Signature.petition_id == petition_id,
                Signature.review_id.is_(None),
                Signature.state.in_((SignatureState.PENDING, SignatureState.QUARANTINED, SignatureState.CONFIRMED)),
            )
        )
    )
    rows = [
        {"signature_id": row_id, "kind": kind, "petition_id": petition_id, "group": group}
        for (row_id, kind), group in wanted.items()
        if row_id in open_to_it
    ]
    if rows:
        session.execute(upsert(session, Suspicion).on_conflict_do_nothing(), rows)


def is_suspected(session: Session, signature_id: int) -> bool:
    """Whether there is a suspicion about the signature."""
    return bool(session.scalar(select(exists().where(Suspicion.signature_id == signature_id))))
