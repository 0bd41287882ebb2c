"""An export from the request to the file: it is checked, recorded or left for approval, and then written.

The page and the command export in this one way. Only the page asks a second organizer for approval: the command belongs
to the operator of the server, who can read the database anyway.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from campaign.crypto.organizer_keys import PublicKeys
from campaign.crypto.recipient_sealing import Target
from campaign.crypto.vault import Vault
from campaign.models import AuditAction, AuditDetails, Petition
from campaign.services.audit_log import record
from campaign.services.exports.approvals import ask_for_export, take_export, wanted_by
from campaign.services.exports.lists import (
    AGE,
    Wanted,
    check_possible,
    count_list,
    list_wanted,
    recipients_of,
    write_clear,
    write_encrypted,
)
from campaign.services.exports.rows import Row

# Of a public key so much is recorded that its owner recognises it.
_TOLD_OF_KEY = 24


@dataclass(frozen=True)
class Export:
    """A list that was recorded and may be written now: to ``recipients`` as an age file, or else in the clear."""

    wanted: Wanted
    recipients: Sequence[PublicKeys]


def _prepare(session: Session, petition: Petition, wanted: Wanted, lines: Sequence[str] = ()) -> Export:
    check_possible(session, petition, wanted)
    return Export(wanted, recipients_of(petition, lines) if wanted.format == AGE else ())


def export_list(
    session: Session,
    petition: Petition,
    wanted: Wanted,
    *,
    reason: str | None,
    actor: str,
    now: datetime,
    lines: Sequence[str] = (),
) -> Export:
    """Check that the list can be made, and record the export. ``lines`` are public keys to encrypt to.

    Raises NotPossible, InvalidInput if the list cannot be made now, OrganizerKeyError for a damaged key.
    """
    export = _prepare(session, petition, wanted, lines)
    details: AuditDetails = {**wanted.details}
    if reason:
        details["reason"] = reason
    if lines:
        details["to"] = ", ".join(keys.line[:_TOLD_OF_KEY] for keys in export.recipients)
    record(session, actor, AuditAction.EXPORTED, petition.id, now=now, **details)
    return export


def request_list(
    session: Session, petition: Petition, wanted: Wanted, *, reason: str, actor: str, now: datetime
) -> Export | None:
    """Export the list at once; if the petition needs approval, ask the other organizers for it, and return None.

    Raises NotPossible, InvalidInput if the list cannot be made now.
    """
    if not petition.export_needs_approval:
        return export_list(session, petition, wanted, reason=reason, actor=actor, now=now)
    _prepare(session, petition, wanted)
    ask_for_export(session, petition, wanted, reason=reason, actor=actor, now=now)
    return None


def take_list(session: Session, petition: Petition, number: int, *, actor: str, now: datetime) -> Export:
    """Take the list of an approved request, once. Raises Forbidden, NotFound, NotPossible, InvalidInput."""
    request = take_export(session, petition.id, number, actor=actor, now=now)
    # The petition may have been sealed after the request.
    return _prepare(session, petition, wanted_by(request).of(petition))


def list_pieces(session: Session, vault: Vault, petition: Petition, export: Export) -> Iterator[bytes]:
    """The list in the clear, piece by piece."""
    return write_clear(list_wanted(session, vault, petition, export.wanted), export.wanted)


def _show_nothing(rows: Iterator[Row], _total: int) -> Iterator[Row]:
    return rows


def write_list(
    session: Session,
    vault: Vault,
    petition: Petition,
    export: Export,
    target: Target,
    *,
    show: Callable[[Iterator[Row], int], Iterator[Row]] = _show_nothing,
) -> int:
    """Write the list into ``target``, in the clear or encrypted. Returns how many rows it has.

    ``show`` gets the rows and their number, and passes the rows on, for example through a progress bar.
    """
    total = count_list(session, petition, export.wanted)
    rows = show(list_wanted(session, vault, petition, export.wanted), total)
    if export.recipients:
        write_encrypted(rows, total, export.wanted, target, to=export.recipients)
    else:
        for piece in write_clear(rows, export.wanted):
            target.write(piece)
    return total
