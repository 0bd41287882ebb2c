"""Lists for organizers, streamed: signatures without addresses, and the digest's readers by themselves."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.models import Petition, Signature, SignatureState, Subscription, SubscriptionState, TextVersion
from campaign.services.signing import Person
from campaign.vault import Vault

Row = Mapping[str, str | int | None]

SIGNATURE_COLUMNS = ("number", "name", "country", "place", "comment", "language", "day", "text_version", "display")
SUBSCRIBER_COLUMNS = ("address", "language", "since")
# A spreadsheet runs a cell that begins with one of these (OWASP, "CSV Injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_AT_ONCE = 1000


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


def count_signatures(session: Session, petition: Petition, state: SignatureState) -> int:
    """How many rows a list will have; for progress bars, not for pages."""
    return session.scalars(
        select(func.count()).where(Signature.petition_id == petition.id, Signature.state == state)
    ).one()


def list_signatures(session: Session, vault: Vault, petition: Petition, state: SignatureState) -> Iterator[Row]:
    """The signatures in ``state``, in the order of their numbers, one row at a time. Never an address."""
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
        person = Person.open(vault, row_id, sealed) if sealed else Person(name="")
        yield {
            "number": number,
            "name": person.name,
            "country": country,
            "place": person.place,
            "comment": person.comment,
            "language": language,
            "day": signed_on.isoformat() if signed_on else None,
            "text_version": digest[:16],
            "display": display.value,
        }


def list_subscribers(session: Session, vault: Vault, petition: Petition) -> Iterator[Row]:
    """The digest's readers: address, language, and since when."""
    rows = session.execute(
        select(Subscription.id, Subscription.sealed_address, Subscription.language, Subscription.since_on)
        .where(Subscription.petition_id == petition.id, Subscription.state == SubscriptionState.ACTIVE)
        .order_by(Subscription.since_on, Subscription.id)
        .execution_options(yield_per=_AT_ONCE)
    )
    for row_id, sealed, language, since_on in rows:
        address = vault.open(sealed, row=f"address:{row_id}").decode() if sealed else ""
        yield {"address": address, "language": language, "since": since_on.isoformat()}


def safe_cell(value: str | int | None) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe goes before what begins like one."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" \u00a0").startswith(_FORMULA_STARTS) else text


def write_rows(rows: Iterable[Row], columns: tuple[str, ...], kind: Format) -> Iterator[bytes]:
    """The list in UTF-8, piece by piece: CSV (RFC 4180) with a line of headings, or one JSON object a line."""
    if kind is Format.JSONL:
        for row in rows:
            yield json.dumps({column: row[column] for column in columns}, ensure_ascii=False).encode() + b"\n"
        return
    piece = io.StringIO(newline="")
    writer = csv.writer(piece)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([safe_cell(row[column]) for column in columns])
        if piece.tell() > 64 * 1024:
            yield piece.getvalue().encode()
            piece.seek(0)
            piece.truncate()
    yield piece.getvalue().encode()
