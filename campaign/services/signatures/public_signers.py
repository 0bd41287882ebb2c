"""The wall: the names of those who signed and want it to be known, and the comments that organizers let be shown."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import TextClause, select
from sqlalchemy.orm import Session

from campaign.crypto.vault import Vault
from campaign.models import CommentState, Display, Petition, Signature
from campaign.services.signatures.countries import list_named
from campaign.services.signatures.public_names import SHOWN, WITH_COMMENT, Page, list_numbers, shown_name
from campaign.services.signatures.sign import open_person

NAMES = 100
COMMENTS = 50
LATEST = 3


@dataclass(frozen=True)
class Signer:
    """Somebody as they want to be named; the country only where many came from it."""

    name: str
    country: str | None


@dataclass(frozen=True)
class Comment:
    """What a signer said for everybody, in ``language``; without a ``name`` where nothing of it is shown."""

    text: str
    language: str
    name: str | None


def read_wall(session: Session, vault: Vault, petition: Petition, *, page: int) -> Page[Signer]:
    """A page of names, newest first. Opens nobody but those on it. Raises NotFound."""
    found = list_numbers(session, petition.id, SHOWN, newest_first=True, page=page, size=NAMES)
    named = list_named(session, petition.id)
    signers = []
    for signature in _list_signatures(session, petition.id, SHOWN, found.items):
        person = open_person(vault, signature)
        name = shown_name(person, signature.display) if person is not None else None
        if name:
            signers.append(Signer(name, signature.country if signature.country in named else None))
    return Page(found.number, found.last, found.in_all, signers)


def read_comments(session: Session, vault: Vault, petition: Petition, *, page: int) -> Page[Comment]:
    """A page of the comments that are shown, newest first. Raises NotFound."""
    return _read_comments(session, vault, petition, page=page, size=COMMENTS, most_named=Display.NAME)


def list_latest_comments(session: Session, vault: Vault, petition: Petition) -> list[Comment]:
    """The newest comments for the petition's own page. Search engines list it: no whole name where they may not."""
    if not petition.shows_people:
        return []
    most_named = Display.NAME if petition.indexes_names else Display.INITIALS
    return _read_comments(session, vault, petition, page=1, size=LATEST, most_named=most_named).items


def _read_comments(
    session: Session, vault: Vault, petition: Petition, *, page: int, size: int, most_named: Display
) -> Page[Comment]:
    shown = Signature.comment_state == CommentState.SHOWN
    found = list_numbers(session, petition.id, WITH_COMMENT, shown, newest_first=True, page=page, size=size)
    comments = []
    for signature in _list_signatures(session, petition.id, WITH_COMMENT, found.items):
        person = open_person(vault, signature)
        if person is not None and person.comment:
            display = most_named if signature.display is Display.NAME else signature.display
            comments.append(Comment(person.comment, signature.language, shown_name(person, display)))
    return Page(found.number, found.last, found.in_all, comments)


def _list_signatures(
    session: Session, petition_id: int, condition: TextClause, numbers: Sequence[int]
) -> list[Signature]:
    """The signatures with these numbers, newest first."""
    found = select(Signature).where(Signature.petition_id == petition_id, Signature.number.in_(numbers), condition)
    return list(session.scalars(found.order_by(Signature.number.desc())))
