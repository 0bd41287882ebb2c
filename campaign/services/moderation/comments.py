"""Comments that signers offer for the public page: organizers read each one and decide whether it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.crypto.vault import Vault
from campaign.models import AuditAction, CommentState, Petition, Signature, SignatureState
from campaign.services.audit_log import record
from campaign.services.signatures.public_names import WITH_COMMENT, Page, list_numbers, shown_name
from campaign.services.signatures.sign import open_person

AT_A_TIME = 20
_DONE = {CommentState.SHOWN: AuditAction.COMMENTS_SHOWN, CommentState.REFUSED: AuditAction.COMMENTS_REFUSED}


@dataclass(frozen=True)
class Offer:
    """A comment for an organizer to read, with the ``name`` that would be shown beside it, or None.

    ``version`` identifies what the organizer reads: if the signer changes it, the version is another one.
    """

    number: int
    version: str
    text: str
    language: str
    name: str | None


def version_of(signature: Signature) -> str:
    """A hash of what a page shows of a comment and its signer."""
    return sha256((signature.sealed_person or b"") + signature.display.encode()).hexdigest()[:32]


def count_comments(session: Session, petition_id: int) -> dict[CommentState, int]:
    """The number of comments in each state that organizers see."""
    rows = session.execute(
        select(Signature.comment_state, func.count())
        .where(Signature.petition_id == petition_id, WITH_COMMENT)
        .group_by(Signature.comment_state)
    )
    return dict.fromkeys(CommentState.read(), 0) | dict(rows.all())


def list_offers(session: Session, vault: Vault, petition: Petition, state: CommentState, *, page: int) -> Page[Offer]:
    """A page of the comments in ``state``, oldest first. Raises NotFound."""
    wanted = Signature.comment_state == state
    found = list_numbers(session, petition.id, WITH_COMMENT, wanted, newest_first=False, page=page, size=AT_A_TIME)
    chosen = select(Signature).where(
        Signature.petition_id == petition.id, Signature.number.in_(found.items), WITH_COMMENT
    )
    offers = []
    for signature in session.scalars(chosen.order_by(Signature.number)):
        person = open_person(vault, signature)
        if person is not None and person.comment and signature.number is not None:
            name = shown_name(person, signature.display)
            offers.append(Offer(signature.number, version_of(signature), person.comment, signature.language, name))
    return Page(found.number, found.last, found.in_all, offers)


def decide_comments(
    session: Session,
    petition_id: int,
    seen: Mapping[int, str],
    state: CommentState,
    *,
    actor: str,
    now: datetime,
) -> int:
    """Show the comments with these numbers, or refuse them. Returns how many. ``seen`` has the version of each.

    A comment that was changed or withdrawn after it was read stays as it is, since nobody has read its present text.
    """
    found = session.scalars(
        select(Signature)
        .where(
            Signature.petition_id == petition_id,
            Signature.number.in_(seen),
            Signature.state == SignatureState.CONFIRMED,
            Signature.comment_state.in_(CommentState.read()),
        )
        .order_by(Signature.id)
        .with_for_update()
    )
    decided = [signature for signature in found if version_of(signature) == seen[signature.number or 0]]
    for signature in decided:
        signature.comment_state = state
    if decided:
        record(session, actor, _DONE[state], petition_id, now=now, comments=len(decided))
    return len(decided)
