"""Suspicions: why a signature that its signer confirms waits for a review, or is shown to organizers though counted."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from campaign.db import upsert
from campaign.models import Signature, SignatureState, Suspicion, SuspicionKind


@dataclass(frozen=True, slots=True)
class Suspected:
    """One reason, the random name of what it has in common with others, and the signatures that came before it did."""

    kind: SuspicionKind
    group: str
    earlier: tuple[int, ...] = ()


def note_suspicions(session: Session, petition_id: int, signature_id: int | None, found: Sequence[Suspected]) -> None:
    """Note what was found about a post, and about those before it that turned out to be of the same group.

    ``signature_id`` is None where the post changed nothing. Signatures that were reviewed are left alone, and so are
    those that exist no more or belong to another petition.
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
    """Whether there is a reason to look at the signature before it counts."""
    return bool(session.scalar(select(exists().where(Suspicion.signature_id == signature_id))))
