"""Tombstones outside the database: a file beside it says which rows were erased, so that a backup revives none."""

import os
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from campaign.errors import InvalidFile
from campaign.models import Erased, Signature, SignatureState, Subscription, SubscriptionState, Tombstone
from campaign.services.signatures.erase import (
    add_tombstones,
    end_subscription,
    erase_names,
    erase_person,
    erase_signature,
)

_AT_A_TIME = 500
_COUNTED = "# in the database: "


class Stone(NamedTuple):
    """One tombstone: the kind, the id of the row, and the day of its erasure; nothing about a person."""

    kind: Erased
    row_id: int
    erased_on: date


def list_stones(session: Session) -> set[Stone]:
    """All tombstones in the database."""
    return {Stone(*row) for row in session.execute(select(Tombstone.kind, Tombstone.row_id, Tombstone.erased_on))}


def read_stones(file: Path) -> set[Stone]:
    """All tombstones in a file of the worker; none if there is no file. Raises InvalidFile."""
    try:
        lines = file.read_text(encoding="ascii").splitlines()
        return {
            Stone(Erased(kind), int(row_id), date.fromisoformat(day))
            for kind, row_id, day in (line.split(" ") for line in lines if not line.startswith("#"))
        }
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise InvalidFile(f"{file} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise InvalidFile(f"{file} is not a file of tombstones, or a part of it is missing.") from None


def keep_beside(session: Session, file: Path, *, now: datetime) -> int:
    """Bring ``file`` up to date if rows were erased since. Returns how many rows were erased again.

    A tombstone in the file and not in the database means that a backup was restored by other means than our command.
    """
    counted = session.scalar(select(func.count()).select_from(Tombstone))
    if _read_count(file) == counted:
        return 0
    stones, noted = list_stones(session), read_stones(file)
    missing = _without(noted, stones)
    erased = replay(session, missing, now=now)
    _write(file, [*stones, *missing], counted=len(stones) + len(missing))
    return erased


def _without(stones: Collection[Stone], others: Collection[Stone]) -> set[Stone]:
    known = {(stone.kind, stone.row_id) for stone in others}
    return {stone for stone in stones if (stone.kind, stone.row_id) not in known}


def _read_count(file: Path) -> int | None:
    try:
        with file.open(encoding="ascii") as lines:
            return int(lines.readline().removeprefix(_COUNTED))
    except (OSError, ValueError):
        return None


def _write(file: Path, stones: Collection[Stone], *, counted: int) -> None:
    """Write all tombstones, or leave the old file as it is. Raises OSError."""
    new = file.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as lines:
        lines.write(f"{_COUNTED}{counted}\n")
        lines.writelines(f"{kind} {row_id} {erased_on}\n" for kind, row_id, erased_on in sorted(stones))
        lines.flush()
        os.fsync(lines.fileno())
    new.replace(file)


def replay(session: Session, stones: Collection[Stone], *, now: datetime) -> int:
    """Erase these rows again; the counts change as they did then. Returns how many rows. It can be repeated."""
    buried: dict[tuple[Erased, date], list[int]] = {}
    for stone in stones:
        buried.setdefault((stone.kind, stone.erased_on), []).append(stone.row_id)
    erased = 0
    for (kind, day), row_ids in buried.items():
        for start in range(0, len(row_ids), _AT_A_TIME):
            ids = row_ids[start : start + _AT_A_TIME]
            add_tombstones(
                session, kind, ids, on=day
            )  # with the day of then: erasing does not change a tombstone that is there
            erased += _ERASE[kind](session, ids, now)
    return erased


_PERSONAL = (Signature.fingerprint, Signature.sealed_person, Signature.country)


def _list_kept(
    session: Session, ids: list[int], *states: SignatureState, by: Sequence[InstrumentedAttribute[Any]] = _PERSONAL
) -> list[Signature]:
    """The signatures, locked, that have a value in one of the columns ``by``, or are in one of ``states``."""
    something = or_(*(column.is_not(None) for column in by), Signature.state.in_(states))
    return list(session.scalars(select(Signature).where(Signature.id.in_(ids), something).with_for_update()))


def _erase_signatures(session: Session, ids: list[int], now: datetime) -> int:
    counted = (SignatureState.PENDING, SignatureState.QUARANTINED, SignatureState.CONFIRMED)
    kept = _list_kept(session, ids, *counted)
    for signature in kept:
        erase_signature(session, signature, now=now)
    return len(kept)


def _erase_persons(session: Session, ids: list[int], now: datetime) -> int:
    kept = _erase_pending(session, _list_kept(session, ids), now)
    erase_person(session, ids, now=now)
    return len(kept)


def _erase_names(session: Session, ids: list[int], now: datetime) -> int:
    named = _list_kept(session, ids, by=(Signature.sealed_person, Signature.country))
    kept = _erase_pending(session, named, now)
    erase_names(session, ids, now=now)
    return len(kept)


def _erase_pending(session: Session, kept: list[Signature], now: datetime) -> list[Signature]:
    """Erase pending signatures: they were confirmed after the backup was made, so in it none of them counts."""
    for signature in kept:
        if signature.state is SignatureState.PENDING:
            erase_signature(session, signature, now=now)
    return kept


def _end_subscriptions(session: Session, ids: list[int], now: datetime) -> int:
    active = select(Subscription).where(Subscription.id.in_(ids), Subscription.state == SubscriptionState.ACTIVE)
    kept = list(session.scalars(active.with_for_update()))
    for subscription in kept:
        end_subscription(session, subscription, now=now)
    return len(kept)


_ERASE: dict[Erased, Callable[[Session, list[int], datetime], int]] = {
    Erased.SIGNATURE: _erase_signatures,
    Erased.PERSON: _erase_persons,
    Erased.NAME: _erase_names,
    Erased.SUBSCRIPTION: _end_subscriptions,
}
