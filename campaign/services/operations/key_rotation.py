"""Key rotation: values that an older key sealed are sealed again with the newest; it can be stopped and continued."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Column, LargeBinary, Table, bindparam, func, literal, select, text, tuple_, update
from sqlalchemy.orm import InstrumentedAttribute, Session, sessionmaker

from campaign.crypto.sealed_rows import address_row, app_row, link_request_row, person_row
from campaign.crypto.vault import Vault
from campaign.models import AuditAction, LinkRequest, Organizer, Signature, Subscription
from campaign.services.audit_log import record

BATCH = 500


@dataclass(frozen=True)
class SealedColumn:
    """A column of sealed bytes, and the identity by which they open, made from the row's primary key."""

    attribute: InstrumentedAttribute[bytes | None]
    row_name: Callable[..., str]

    @property
    def column(self) -> Column[Any]:
        return cast("Column[Any]", self.attribute.property.columns[0])

    @property
    def table(self) -> Table:
        return self.column.table


SEALED = (
    SealedColumn(Signature.sealed_person, person_row),
    SealedColumn(Signature.sealed_address, address_row),
    SealedColumn(Subscription.sealed_address, address_row),
    SealedColumn(LinkRequest.sealed_address, link_request_row),
    SealedColumn(Organizer.sealed_totp, app_row),
)

# Where `reseal_next` goes on: the primary key of the last row that it has read.
Place = tuple[Any, ...]


def count_sealed(session: Session) -> Counter[int]:
    """The number of sealed values for each version of the key."""
    counts: Counter[int] = Counter()
    for sealed in SEALED:
        version = func.substr(sealed.column, 1, 1, type_=LargeBinary)
        for first, count in session.execute(
            select(version, func.count()).where(sealed.column.is_not(None)).group_by(version)
        ):
            counts[bytes(first)[0] if first else 0] += count
    return counts


def reseal_next(
    session: Session, vault: Vault, sealed: SealedColumn, old: Sequence[int], after: Place | None
) -> tuple[int, Place | None]:
    """Seal the next batch of values anew that keys of the versions ``old`` sealed.

    Returns the number of values, and the place to go on from, None at the end. Raises KeyringError if the keys do not
    open a row.
    """
    key = list(sealed.table.primary_key.columns)
    version = func.substr(sealed.column, 1, 1, type_=LargeBinary)
    rows = (
        select(*key, sealed.column)
        .where(version.in_([literal(bytes([each]), LargeBinary) for each in old]))
        .order_by(*key)
        .limit(BATCH)
        .with_for_update()
    )
    if after is not None:
        values = (literal(value, column.type) for value, column in zip(after, key, strict=True))
        rows = rows.where(tuple_(*key) > tuple_(*values))
    found = session.execute(rows).all()
    if not found:
        return 0, None
    places = {f"key_{number}": column for number, column in enumerate(key)}
    anew = [
        {
            **dict(zip(places, row[:-1], strict=True)),
            "anew": vault.seal(vault.open(row[-1], row=name), row=name),
        }
        for row in found
        for name in (sealed.row_name(*row[:-1]),)
    ]
    change = update(sealed.table).values({sealed.column: bindparam("anew")})
    for name, column in places.items():
        change = change.where(column == bindparam(name))
    session.connection().execute(change, anew)
    return len(found), tuple(found[-1][:-1]) if len(found) == BATCH else None


def reseal_all(sessions: sessionmaker[Session], vault: Vault, old: Sequence[int]) -> Iterator[int]:
    """Seal anew everything that keys of the versions ``old`` sealed, each batch in a transaction of its own.

    Yields the number of values of each batch. May be stopped at any place, and begun again.
    """
    for sealed in SEALED:
        place: Place | None = None
        more = True
        while more:
            with sessions.begin() as session:
                count, place = reseal_next(session, vault, sealed, old, place)
            yield count
            more = place is not None


def count_left(snapshots: sessionmaker[Session], old: Sequence[int]) -> int:
    """The number of values that keys of the versions ``old`` still seal."""
    with snapshots() as session:
        counts = count_sealed(session)
    return sum(counts[version] for version in old)


def record_rotation(sessions: sessionmaker[Session], newest: int, resealed: int, *, actor: str, now: datetime) -> None:
    """Record that ``resealed`` values were sealed anew with the key of the version ``newest``."""
    with sessions.begin() as session:
        record(session, actor, AuditAction.KEY_ROTATED, None, now=now, key_version=newest, resealed=resealed)


def wait_for_open_transactions(sessions: sessionmaker[Session], *, within: float) -> bool:
    """Wait for transactions that were open when the new key was added, since later ones seal with the new key.

    Returns whether all of them ended ``within`` so many seconds.
    """
    with sessions.begin() as session:
        moment = moment_of_database(session)
    until = time.monotonic() + within
    while True:
        with sessions.begin() as session:
            if not count_older_transactions(session, moment):
                return True
        if time.monotonic() > until:
            return False
        time.sleep(0.1)


def moment_of_database(session: Session) -> Any:
    """The present moment by the database's own clock, for ``count_older_transactions``."""
    return session.scalar(text("SELECT clock_timestamp()")) if session.get_bind().dialect.name == "postgresql" else None


def count_older_transactions(session: Session, moment: Any) -> int:
    """The number of other transactions that began before ``moment``: they may still store what an old key sealed.

    On SQLite the first batch waits for the only writer there can be, and seals its rows anew; so the number is 0.
    """
    if session.get_bind().dialect.name != "postgresql":
        return 0
    older = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND xact_start <= :moment"
    )
    return int(session.scalar(older, {"moment": moment}) or 0)
