"""A list that a person asks for: which rows, and in the clear or as a file that only organizers' keys open."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from campaign.crypto.organizer_keys import PublicKeys
from campaign.crypto.recipient_sealing import Target
from campaign.crypto.vault import Vault
from campaign.errors import InvalidInput, NotPossible
from campaign.models import AuditDetails, Petition, SignatureState
from campaign.services.exports import rows as export_rows
from campaign.services.exports.age_lists import encrypt_list
from campaign.services.exports.rows import Format, Row
from campaign.services.subscribers.subscriptions import count_active

LISTS = SIGNATURES, SUBSCRIBERS = tuple(export_rows.COLUMNS)
AGE = "age"
FORMATS = (*(kind.value for kind in Format), AGE)


@dataclass(frozen=True)
class Wanted:
    """Which list: ``chosen`` is one of ``LISTS``, ``format`` one of ``FORMATS``, ``state`` that of the signatures.

    ``state`` is None for the list of readers.
    """

    chosen: str
    format: str
    state: SignatureState | None

    def of(self, petition: Petition) -> "Wanted":
        """The list in the form that the petition allows: if the petition is sealed, it is always an age file."""
        return replace(self, format=AGE) if petition.sealed_to else self

    @property
    def details(self) -> AuditDetails:
        """What the audit trail says of the list."""
        chosen: AuditDetails = {"list": self.chosen, "format": self.format}
        return chosen if self.state is None else {**chosen, "state": self.state.value}


def formats_of(petition: Petition) -> list[str]:
    """The formats for the petition's organizers: an age file needs keys, and a sealed petition needs an age file."""
    return [AGE] if petition.sealed_to else [kind.value for kind in Format]


def want(petition: Petition, chosen: str, kind: str, state: SignatureState) -> Wanted:
    """The list that a person asks for, in the form that the petition allows."""
    return Wanted(chosen, kind, state if chosen == SIGNATURES else None).of(petition)


def check_possible(session: Session, petition: Petition, wanted: Wanted) -> None:
    """Raise NotPossible if the list would be in the clear, but has names that the server cannot read."""
    if wanted.format != AGE and wanted.state is not None and export_rows.count_sealed(session, petition, wanted.state):
        raise NotPossible(
            "Names in this list are sealed to organizers' keys, so it can only be an encrypted file. "
            "Name a key with --to, or put the keys back into the petition file."
        )


def recipients_of(petition: Petition, lines: Sequence[str] = ()) -> list[PublicKeys]:
    """The keys to which an age file is encrypted: the public ``lines``, or else those of the petition's organizers.

    Raises InvalidInput if there is no key, OrganizerKeyError for a damaged line.
    """
    recipients = [PublicKeys.read(line) for line in lines or petition.sealed_to]
    if not recipients:
        raise InvalidInput(
            "to", "This petition names no organizers' keys. Give with --to the key that shall open the file."
        )
    return recipients


def count_list(session: Session, petition: Petition, wanted: Wanted) -> int:
    """The number of rows of the list."""
    if wanted.state is None:
        return count_active(session, petition.id)
    return export_rows.count_signatures(session, petition, wanted.state)


def list_wanted(session: Session, vault: Vault, petition: Petition, wanted: Wanted) -> Iterator[Row]:
    """The rows of the list."""
    if wanted.state is None:
        return export_rows.list_subscribers(session, vault, petition)
    return export_rows.list_signatures(session, vault, petition, wanted.state)


def write_clear(rows: Iterator[Row], wanted: Wanted) -> Iterator[bytes]:
    """The list in the clear, in UTF-8, piece by piece."""
    return export_rows.write_rows(rows, export_rows.COLUMNS[wanted.chosen], Format(wanted.format))


def write_encrypted(
    rows: Iterator[Row], total: int, wanted: Wanted, target: Target, *, to: Sequence[PublicKeys]
) -> None:
    """Write the list of ``total`` rows as an age file."""
    encrypt_list(rows, {"list": wanted.chosen, "rows": total}, target, to)
