"""Restoring a backup: it is checked before, restored completely or not at all, and nothing is sent twice after it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, LargeBinary, Table, delete, func, literal, select, text
from sqlalchemy.exc import DatabaseError as BrokenFile
from sqlalchemy.orm import Session

from campaign.crypto.randomness import random_name
from campaign.crypto.vault import Vault
from campaign.db import upsert
from campaign.errors import InvalidFile, KeyringError
from campaign.models import (
    AuditAction,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Edition,
    EditionState,
    Organizer,
    Petition,
    PetitionState,
    Schedule,
    Suppression,
)
from campaign.services.audit_log import record
from campaign.services.delivery.ledger import move
from campaign.services.digests.transitions import move_edition
from campaign.services.operations.backup import FORMAT, NOTE, SHORT_LIVED, copy_rows, count_rows, list_tables
from campaign.services.operations.key_rotation import SEALED, count_sealed
from campaign.services.petitions.schedule import next_run
from campaign.services.privacy.tombstones import Stone, list_stones, replay

N_ = str  # marks a sentence for the translators; the page translates it

RESTORED = N_("the database was restored from a backup: part of this edition may have been sent since it was made")
IN_BETWEEN = N_("the backup was made while this was sent")
# If the server was lost, the ids of mails sent after the backup are unknown. None may be given twice: many are skipped.
_IDS_SKIPPED = 1_000_000_000


@dataclass(frozen=True)
class Restored:
    """What a restore did: rows erased again, editions that wait for a decision, organizers who must sign in again."""

    erased: int
    paused: int
    organizers: int


def read_note(backup: Connection) -> dict[str, str]:
    """What the backup says about itself. Raises InvalidFile if the file is no backup, or damaged, or too new."""
    try:
        found = [row[0] for row in backup.exec_driver_sql("PRAGMA quick_check")]
        note = {row.name: row.value for row in backup.execute(select(NOTE))}
    except BrokenFile:
        raise InvalidFile("This is not a backup, or a part of it is missing; nothing was changed.") from None
    if found != ["ok"]:
        raise InvalidFile("The backup is damaged; nothing was changed.")
    if note.get("format") != FORMAT:
        raise InvalidFile("The backup was made by a newer version of this program. Update the program.")
    return note


def check_backup(backup: Connection, vault: Vault) -> tuple[dict[str, str], int]:
    """What the backup says about itself, and the number of its rows. Raises InvalidFile, KeyringError."""
    note = read_note(backup)
    with Session(backup) as session:
        _check_keys(session, vault, note.get("keyring"))
        return note, count_rows(session)


def _check_keys(backup: Session, vault: Vault, mark: str | None) -> None:
    """Raise KeyringError if the keyring does not open the values in the backup."""
    if mark != vault.mark:
        raise KeyringError(
            "The backup was made with another keyring. Put the copy of that keyring in the place of this one; "
            "nothing was changed."
        )
    # The versions of keys begin with 1; 0 marks values sealed to organizers' own keys, which no keyring opens.
    for version in sorted(set(count_sealed(backup)) - {0}):
        for sealed in SEALED:
            first = func.substr(sealed.column, 1, 1, type_=LargeBinary) == literal(bytes([version]), LargeBinary)
            for *key, value in backup.execute(
                select(*sealed.table.primary_key.columns, sealed.column).where(first).limit(1)
            ):
                _check_opens(vault, value, sealed.row_name(*key), version)


def _check_opens(vault: Vault, value: bytes, row: str, version: int) -> None:
    try:
        vault.open(value, row=row)
    except KeyringError:
        raise KeyringError(
            f"What is in the backup was sealed with a key {version} that is not in the keyring any more. Put the copy "
            "of the keyring from that time in the place of this one; nothing was changed."
        ) from None


def restore(
    session: Session,
    backup: Connection,
    *,
    stones: Collection[Stone],
    actor: str,
    now: datetime,
    copied: Callable[[int], object],
) -> Restored:
    """Replace all rows by those of the backup, in the caller's transaction.

    Rows that were erased since are erased again, by the tombstones of this database, of the backup and of ``stones``.
    Suppressed addresses stay suppressed. Mails that may have been sent since are not sent by themselves.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        names = ", ".join(connection.dialect.identifier_preparer.format_table(table) for table in list_tables())
        connection.execute(text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))
    known = list_stones(session) | set(stones)
    suppressed = [dict(row) for row in connection.execute(select(Suppression.__table__)).mappings()]
    burned = {
        petition.slug: petition.burned_on
        for petition in session.scalars(select(Petition).where(Petition.burned_on.is_not(None)))
    }
    session.expunge_all()
    for table in (*SHORT_LIVED, *reversed(list_tables())):
        connection.execute(delete(table))
    copy_rows(backup, connection, copied)
    for table in list_tables():
        _continue_ids(connection, table)
    if suppressed:
        session.execute(upsert(session, Suppression).on_conflict_do_nothing(), suppressed)
    for petition in session.scalars(select(Petition).where(Petition.slug.in_(burned))):
        # Its people are erased again by their tombstones; it must not take new signatures either.
        petition.state, petition.burned_on = PetitionState.CLOSED, burned[petition.slug]
        petition.closed_on = petition.closed_on or petition.burned_on
    erased = replay(session, known | list_stones(session), now=now)
    _settle_sending(session)
    paused = _pause_editions(session, actor, now)
    _skip_missed_runs(session, now)
    organizers = _end_sessions(session)
    record(session, actor, AuditAction.BACKUP_RESTORED, None, now=now, erased=erased, paused=paused)
    return Restored(erased=erased, paused=paused, organizers=organizers)


def _continue_ids(connection: Connection, table: Table) -> None:
    """Give new rows ids that no row had before; for mails with a gap, since their ids are known outside."""
    column = table.autoincrement_column
    if column is None:
        return
    skipped = _IDS_SKIPPED if table.name == Delivery.__tablename__ else 0
    highest = int(connection.scalar(select(func.max(column))) or 0)
    if connection.dialect.name == "postgresql":
        names = {"table": table.name, "column": column.name}
        sequence = connection.scalar(text("SELECT pg_get_serial_sequence(:table, :column)"), names)
        used = int(connection.scalar(text(f"SELECT last_value FROM {sequence}")) or 0)  # noqa: S608 (its own name)
        after = {"sequence": sequence, "after": max(highest, used) + skipped}
        connection.execute(text("SELECT setval(:sequence, :after)"), after)
    elif skipped:
        named = {"name": table.name}
        used = int(connection.scalar(text("SELECT max(seq) FROM sqlite_sequence WHERE name = :name"), named) or 0)
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), named)
        after = {**named, "after": max(highest, used) + skipped}
        connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :after)"), after)


def _settle_sending(session: Session) -> None:
    """Settle mails that were being sent at the backup: a digest becomes in doubt, any other mail is sent again."""
    for delivery in session.scalars(select(Delivery).where(Delivery.state == DeliveryState.SENDING)):
        if delivery.kind is DeliveryKind.DIGEST:
            move(delivery, DeliveryState.IN_DOUBT, IN_BETWEEN)
        else:
            move(delivery, DeliveryState.QUEUED, IN_BETWEEN)
    session.flush()


def _pause_editions(session: Session, actor: str, now: datetime) -> int:
    """Pause every edition that had not ended, so that a person decides. Returns how many."""
    waiting = (EditionState.DRAFT, EditionState.SCHEDULED, EditionState.SENDING, EditionState.PAUSED)
    editions = session.scalars(select(Edition).where(Edition.state.in_(waiting))).all()
    for edition in editions:
        edition.reason = RESTORED
        if edition.state in (EditionState.SCHEDULED, EditionState.SENDING):
            move_edition(edition, EditionState.PAUSED)
            record(session, actor, AuditAction.EDITION_PAUSED, edition.petition_id, now=now, edition=edition.number)
    return len(editions)


def _skip_missed_runs(session: Session, now: datetime) -> None:
    """Skip digests that were due since the backup: they were probably sent. The next digest tells the news."""
    due = (
        select(Schedule, Petition.timezone)
        .join(Petition, Petition.id == Schedule.petition_id)
        .where(Schedule.next_at <= now)
    )
    for schedule, timezone in session.execute(due):
        schedule.next_at = next_run(schedule, timezone, after=now)


def _end_sessions(session: Session) -> int:
    """End all sessions and sign-in links, because some were ended since. Returns the number of organizers."""
    organizers = session.scalars(select(Organizer)).all()
    for organizer in organizers:
        organizer.session_key = random_name()
        organizer.invited_until = None
    return len(organizers)
