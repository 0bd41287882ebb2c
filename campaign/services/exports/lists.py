"""A list as somebody asks for it: which rows, in the clear or as a file that only organizers' keys open."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from campaign.crypto.organizer_keys import PublicKeys
from campaign.crypto.recipient_sealing import Target
from campaign.crypto.vault import Vault
from campaign.errors import InvalidInput, NotPossible
from campaign.models import Petition, SignatureState
from campaign.services.exports import rows as export_rows
from campaign.services.exports.age_lists import encrypt_list
from campaign.services.exports.rows import Format, Row
from campaign.services.subscribers.subscriptions import count_active

LISTS = SIGNATURES, SUBSCRIBERS = tuple(export_rows.COLUMNS)
AGE = "age"
FORMATS = (*(kind.value for kind in Format), AGE)


@dataclass(frozen=True)
class Wanted:
    """``format`` is one of ``FORMATS``; ``state`` chooses among the signatures and is None for readers."""

    chosen: str
    format: str
    state: SignatureState | None

    def of(self, petition: Petition) -> "Wanted":
        """The list in the form in which this petition gives it: of a sealed one it is always an age file."""
        return replace(self, format=AGE) if petition.sealed_to else self

    @property
    def details(self) -> dict[str, Any]:
        """For the audit trail."""
        chosen = {"list": self.chosen, "format": self.format}
        return chosen if self.state is None else {**chosen, "state": self.state.value}


def want(petition: Petition, chosen: str, kind: str, state: SignatureState) -> Wanted:
    """The list that is asked for."""
    return Wanted(chosen, kind, state if chosen == SIGNATURES else None).of(petition)


def check_possible(session: Session, petition: Petition, wanted: Wanted) -> None:
    """Raise NotPossible where the list would have to show names in the clear that the server cannot read."""
    if wanted.format != AGE and wanted.state is not None and export_rows.count_sealed(session, petition, wanted.state):
        raise NotPossible(
            "Names in this list are sealed to organizers' keys, so it can only be an encrypted file. "
            "Name a key with --to, or put the keys back into the petition file."
        )


def recipients_of(petition: Petition, lines: Sequence[str] = ()) -> list[PublicKeys]:
    """To whom an age file is encrypted: ``lines``, or else the petition's organizers. Raises InvalidInput, and
    OrganizerKeyError for a damaged line.
    """
    recipients = [PublicKeys.read(line) for line in lines or petition.sealed_to]
    if not recipients:
        raise InvalidInput("to", "This petition names no organizers' keys: say with --to who shall open the file.")
    return recipients


def count_list(session: Session, petition: Petition, wanted: Wanted) -> int:
    """How many rows the list has."""
    if wanted.state is None:
        return count_active(session, petition.id)
    return export_rows.count_signatures(session, petition, wanted.state)


def list_wanted(session: Session, vault: Vault, petition: Petition, wanted: Wanted) -> Iterator[Row]:
    """The rows of the list."""
    if wanted.state is None:
        return export_rows.list_subscribers(session, vault, petition)
    return export_rows.list_signatures(session, vault, petition, wanted.state)


def write_clear(rows: Iterator[Row], wanted: Wanted) -> Iterator[bytes]:
    """The list as everybody reads it, piece by piece."""
    return export_rows.write_rows(rows, export_rows.COLUMNS[wanted.chosen], Format(wanted.format))


def write_encrypted(
    rows: Iterator[Row], total: int, wanted: Wanted, target: Target, *, to: Sequence[PublicKeys]
) -> None:
    """The list of ``total`` rows as an age file."""
    encrypt_list(rows, {"list": wanted.chosen, "rows": total}, target, to)
