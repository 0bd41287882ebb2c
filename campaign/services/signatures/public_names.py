"""The names that everybody may see: a signer's name as the signer allows it, and one page of a list."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, TextClause, func, select, text
from sqlalchemy.orm import Session

from campaign.errors import NotFound
from campaign.models import Display, Signature
from campaign.services.signatures.sign import Person
from campaign.text.personal_text import initials_of

Item = TypeVar("Item")

# Exactly the conditions of ix_signature_shown and ix_signature_comments, without parameters: then both databases use
# the index, and read no row of other people.
SHOWN = text("state = 'confirmed' AND display <> 'hidden'")
WITH_COMMENT = text("state = 'confirmed' AND comment_state <> 'private'")


def shown_name(person: Person, display: Display) -> str | None:
    """The name as the signer allows it to be shown; None if it is hidden."""
    match display:
        case Display.NAME:
            return person.name
        case Display.INITIALS:
            return initials_of(person.name)
        case Display.HIDDEN:
            return None


@dataclass(frozen=True)
class Page(Generic[Item]):
    """One page of a list: its number, the number of the last page, the number of all items, and this page's items."""

    number: int
    last: int
    in_all: int
    items: list[Item]


def list_numbers(
    session: Session, petition_id: int, condition: TextClause, *narrower: Any, newest_first: bool, page: int, size: int
) -> Page[int]:
    """The numbers of the signatures on a page. Both queries read only the index and no row. Raises NotFound."""
    found: Select[Any] = select(Signature.number).where(Signature.petition_id == petition_id, condition, *narrower)
    in_all = session.scalars(select(func.count()).select_from(found.subquery())).one()
    last = max(1, -(-in_all // size))
    if not 1 <= page <= last:
        raise NotFound("The list does not have this page.")
    order = Signature.number.desc() if newest_first else Signature.number
    numbers = session.scalars(found.order_by(order).offset((page - 1) * size).limit(size)).all()
    return Page(page, last, in_all, list(numbers))
