"""What everybody may see of those who signed: the name that a signer lets be shown, and a page of a list."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, TextClause, func, select, text
from sqlalchemy.orm import Session

from campaign.errors import NotFound
from campaign.models import Display, Signature
from campaign.services.signatures.sign import Person
from campaign.text.personal_text import initials_of

Item = TypeVar("Item")

# Letter by letter the conditions of ix_signature_shown and ix_signature_comments, and no parameters: either database
# then takes the index, and reads nothing of anybody else.
SHOWN = text("state = 'confirmed' AND display <> 'hidden'")
WITH_COMMENT = text("state = 'confirmed' AND comment_state <> 'private'")


def shown_name(person: Person, display: Display) -> str | None:
    """The name as its owner lets it be shown; None where nothing of it is."""
    match display:
        case Display.NAME:
            return person.name
        case Display.INITIALS:
            return initials_of(person.name)
        case Display.HIDDEN:
            return None


@dataclass(frozen=True)
class Page(Generic[Item]):
    """One page of a list: its number, that of the last one, how much there is in all, and what is on this one."""

    number: int
    last: int
    in_all: int
    items: list[Item]


def list_numbers(
    session: Session, petition_id: int, condition: TextClause, *narrower: Any, newest_first: bool, page: int, size: int
) -> Page[int]:
    """The numbers of the signatures on a page. Both steps walk the index and touch no row. Raises NotFound."""
    found: Select[Any] = select(Signature.number).where(Signature.petition_id == petition_id, condition, *narrower)
    in_all = session.scalars(select(func.count()).select_from(found.subquery())).one()
    last = max(1, -(-in_all // size))
    if not 1 <= page <= last:
        raise NotFound("This list has no such page.")
    order = Signature.number.desc() if newest_first else Signature.number
    numbers = session.scalars(found.order_by(order).offset((page - 1) * size).limit(size)).all()
    return Page(page, last, in_all, list(numbers))
