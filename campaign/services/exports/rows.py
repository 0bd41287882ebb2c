"""The rows of lists for organizers, streamed: signatures without addresses, or the digest's readers."""

import base64
import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.crypto.recipient_sealing import SEALED_MARK, is_sealed_to_organizers
from campaign.crypto.sealed_rows import address_row, person_row
from campaign.crypto.vault import Vault
from campaign.models import Petition, Signature, SignatureState, Subscription, SubscriptionState, TextVersion
from campaign.services.signatures.sign import Person

Row = Mapping[str, str | int | None]

SIGNATURE_COLUMNS = ("number", "name", "country", "place", "comment", "language", "day", "text_version", "display")
SUBSCRIBER_COLUMNS = ("address", "language", "since")
COLUMNS = {"signatures": SIGNATURE_COLUMNS, "subscribers": SUBSCRIBER_COLUMNS}
# A spreadsheet takes a cell that begins with one of these for a formula (OWASP, "CSV Injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_AT_ONCE = 1000


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


def count_signatures(session: Session, petition: Petition, state: SignatureState) -> int:
    """The number of signatures in ``state``; for progress bars, not for pages."""
    return session.scalars(
        select(func.count()).where(Signature.petition_id == petition.id, Signature.state == state)
    ).one()


def count_sealed(session: Session, petition: Petition, state: SignatureState) -> int:
    """The number of signatures in ``state`` whose names are sealed to organizers' keys."""
    first_byte = func.substr(Signature.sealed_person, 1, 1)
    return session.scalars(
        select(func.count()).where(
            Signature.petition_id == petition.id, Signature.state == state, first_byte == SEALED_MARK
        )
    ).one()


def list_signatures(session: Session, vault: Vault, petition: Petition, state: SignatureState) -> Iterator[Row]:
    """The signatures in ``state``, in the order of their numbers, one row at a time. Never an address.

    If a name is sealed to organizers' keys, the row has the sealed bytes (base64) and the identity of the row.
    """
    rows = session.execute(
        select(
            Signature.id,
            Signature.number,
            Signature.sealed_person,
            Signature.country,
            Signature.language,
            Signature.signed_on,
            TextVersion.digest,
            Signature.display,
        )
        .join(TextVersion, TextVersion.id == Signature.text_version_id)
        .where(Signature.petition_id == petition.id, Signature.state == state)
        .order_by(Signature.number, Signature.id)
        .execution_options(yield_per=_AT_ONCE)
    )
    for row_id, number, sealed, country, language, signed_on, digest, display in rows:
        row = {
            "number": number,
            "country": country,
            "language": language,
            "day": signed_on.isoformat() if signed_on else None,
            "text_version": digest[:16],
            "display": display.value,
        }
        if sealed and is_sealed_to_organizers(sealed):
            yield row | {"sealed": base64.b64encode(sealed).decode(), "row": person_row(row_id)}
        else:
            yield row | person_columns(Person.open(vault, row_id, sealed) if sealed else Person(name=""))


def person_columns(person: Person) -> dict[str, str | int | None]:
    """The columns in which a list tells what a signer said of themselves."""
    return {"name": person.name, "place": person.place, "comment": person.comment}


def list_subscribers(session: Session, vault: Vault, petition: Petition) -> Iterator[Row]:
    """The digest's readers: address, language, and since when."""
    rows = session.execute(
        select(Subscription.id, Subscription.sealed_address, Subscription.language, Subscription.since_on)
        .where(Subscription.petition_id == petition.id, Subscription.state == SubscriptionState.ACTIVE)
        .order_by(Subscription.since_on, Subscription.id)
        .execution_options(yield_per=_AT_ONCE)
    )
    for row_id, sealed, language, since_on in rows:
        address = vault.open(sealed, row=address_row(row_id)).decode() if sealed else ""
        yield {"address": address, "language": language, "since": since_on.isoformat()}


def safe_cell(value: str | int | None) -> str:
    """The cell with an apostrophe before it if a spreadsheet would take it for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" \u00a0").startswith(_FORMULA_STARTS) else text


def write_rows(
    rows: Iterable[Row], columns: tuple[str, ...], kind: Format, *, headings: bool = True
) -> Iterator[bytes]:
    """The list in UTF-8, piece by piece: CSV (RFC 4180) with a line of headings, or one JSON object a line.

    The headings of CSV begin with a byte order mark. A spreadsheet that is opened by a double click knows UTF-8 by it.
    """
    if kind is Format.JSONL:
        for row in rows:
            yield json.dumps({column: row[column] for column in columns}, ensure_ascii=False).encode() + b"\n"
        return
    piece = io.StringIO(newline="")
    writer = csv.writer(piece)
    if headings:
        piece.write("\ufeff")
        writer.writerow(columns)
    for row in rows:
        writer.writerow([safe_cell(row[column]) for column in columns])
        if piece.tell() > 64 * 1024:
            yield piece.getvalue().encode()
            piece.seek(0)
            piece.truncate()
    yield piece.getvalue().encode()
