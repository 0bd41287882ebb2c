"""The public lists: the names of signers who want to be shown, and the comments that organizers have approved."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import TextClause, select
from sqlalchemy.orm import Session

from campaign.crypto.vault import Vault
from campaign.models import CommentState, Display, Petition, Signature
from campaign.services.signatures.countries import list_named_countries
from campaign.services.signatures.public_names import SHOWN, WITH_COMMENT, Page, list_numbers, shown_name
from campaign.services.signatures.sign import open_person

NAMES = 100
COMMENTS = 50
LATEST = 3


@dataclass(frozen=True)
class Signer:
    """A signer with the name that they want to show; the country only if many signers are from it."""

    name: str
    country: str | None


@dataclass(frozen=True)
class Comment:
    """A public comment in ``language``; ``name`` is None if the signer's name is hidden."""

    text: str
    language: str
    name: str | None


def read_signers(session: Session, vault: Vault, petition: Petition, *, page: int) -> Page[Signer]:
    """A page of names, the newest first. Only the data of the signers on this page is opened. Raises NotFound."""
    found = list_numbers(session, petition.id, SHOWN, newest_first=True, page=page, size=NAMES)
    named = list_named_countries(session, petition.id)
    signers = []
    for signature in _list_signatures(session, petition.id, SHOWN, found.items):
        person = open_person(vault, signature)
        name = shown_name(person, signature.display) if person is not None else None
        if name:
            signers.append(Signer(name, signature.country if signature.country in named else None))
    return Page(found.number, found.last, found.in_all, signers)


def read_comments(session: Session, vault: Vault, petition: Petition, *, page: int) -> Page[Comment]:
    """A page of approved comments, the newest first. Raises NotFound."""
    return _read_comments(session, vault, petition, page=page, size=COMMENTS, most_named=Display.NAME)


def list_latest_comments(session: Session, vault: Vault, petition: Petition) -> list[Comment]:
    """The newest comments for the petition's own page.

    Search engines index that page, so it shows whole names only if they may index names (``indexes_names``).
    """
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
    """The signatures with these numbers, the newest first."""
    found = select(Signature).where(Signature.petition_id == petition_id, Signature.number.in_(numbers), condition)
    return list(session.scalars(found.order_by(Signature.number.desc())))
