"""Counts, kept in the transaction that changes them and read from one row."""

from datetime import date

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from campaign.db import upsert
from campaign.models import DailyCount, PetitionCounter


def count_confirmed(session: Session, petition_id: int) -> int:
    """The public number of signatures."""
    return session.scalars(select(PetitionCounter.confirmed).where(PetitionCounter.petition_id == petition_id)).one()


def take_number(session: Session, petition_id: int, day: date) -> int:
    """Count one more confirmed signature on ``day``; its number under the petition."""
    _move_day(session, petition_id, day, 1)
    return session.execute(
        update(PetitionCounter)
        .where(PetitionCounter.petition_id == petition_id)
        .values(confirmed=PetitionCounter.confirmed + 1, last_number=PetitionCounter.last_number + 1)
        .returning(PetitionCounter.last_number)
        .execution_options(synchronize_session=False)
    ).scalar_one()


def uncount(session: Session, petition_id: int, day: date) -> None:
    """Take back a signature that was counted on ``day``. Its number is not given again."""
    _move_day(session, petition_id, day, -1)
    session.execute(
        update(PetitionCounter)
        .where(PetitionCounter.petition_id == petition_id)
        .values(confirmed=PetitionCounter.confirmed - 1)
        .execution_options(synchronize_session=False)
    )


def _move_day(session: Session, petition_id: int, day: date, change: int) -> None:
    session.execute(
        upsert(session, DailyCount)
        .values(petition_id=petition_id, day=day, confirmed=change)
        .on_conflict_do_update(
            index_elements=[DailyCount.petition_id, DailyCount.day],
            set_={"confirmed": DailyCount.confirmed + change},
        )
    )


def list_days(session: Session, petition_id: int) -> list[tuple[date, int]]:
    """Each day on which somebody confirmed, with how many, oldest first."""
    rows = session.execute(
        select(DailyCount.day, DailyCount.confirmed)
        .where(DailyCount.petition_id == petition_id, DailyCount.confirmed > 0)
        .order_by(DailyCount.day)
    )
    return [(day, confirmed) for day, confirmed in rows]
