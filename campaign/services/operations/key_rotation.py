"""Key rotation: what an older key sealed is sealed again with the newest, in batches, from wherever it stopped."""

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
    """A column of sealed bytes, and as part of which row they open, from the values of its primary key."""

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

# What `reseal_next` gives to go on from: the primary key of the last row that was looked at.
Place = tuple[Any, ...]


def count_sealed(session: Session) -> Counter[int]:
    """How many sealed values each version of the key opens."""
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
    """Seal the next batch anew that keys of the versions ``old`` sealed; how many, and the place to go on from.

    The place is None at the end. Raises KeyringError for a row that the keys do not open.
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
    """How many transactions of others are open since ``moment`` or longer: they may yet store what an old key sealed.

    On SQLite the first batch waits for the one writer there may be, and seals its work anew: none need be waited for.
    """
    if session.get_bind().dialect.name != "postgresql":
        return 0
    older = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND xact_start <= :moment"
    )
    return int(session.scalar(older, {"moment": moment}) or 0)
