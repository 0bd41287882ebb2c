"""Counts of signatures and forms. They change in the transaction of the fact, so a page reads one row."""

from collections import Counter
from datetime import date
from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from campaign.db import upsert
from campaign.models import DailyCount, PetitionCounter


def count_confirmed(session: Session, petition_id: int) -> int:
    """The public number of signatures."""
    return session.scalars(select(PetitionCounter.confirmed).where(PetitionCounter.petition_id == petition_id)).one()


def take_number(session: Session, petition_id: int, day: date) -> int:
    """Count one more confirmed signature on ``day``. Returns its number under the petition."""
    _move_day(session, petition_id, day, 1)
    return session.execute(
        update(PetitionCounter)
        .where(PetitionCounter.petition_id == petition_id)
        .values(confirmed=PetitionCounter.confirmed + 1, last_number=PetitionCounter.last_number + 1)
        .returning(PetitionCounter.last_number)
        .execution_options(synchronize_session=False)
    ).scalar_one()


def uncount(session: Session, petition_id: int, day: date) -> None:
    """Count a signature of ``day`` no more. Its number is not given again."""
    _move_day(session, petition_id, day, -1)
    session.execute(
        update(PetitionCounter)
        .where(PetitionCounter.petition_id == petition_id)
        .values(confirmed=PetitionCounter.confirmed - 1)
        .execution_options(synchronize_session=False)
    )


def count_post(session: Session, petition_id: int, *, is_mailed: bool) -> None:
    """Count a form that was sent, and its confirmation mail if ``is_mailed``."""
    session.execute(
        update(PetitionCounter)
        .where(PetitionCounter.petition_id == petition_id)
        .values(posts=PetitionCounter.posts + 1, confirmations=PetitionCounter.confirmations + int(is_mailed))
        .execution_options(synchronize_session=False)
    )


def take_numbers(session: Session, petition_id: int, days: Counter[date]) -> int:
    """Count more signatures on each day. Returns the first of their consecutive numbers."""
    for day in sorted(days):
        _move_day(session, petition_id, day, days[day])
    last = session.execute(
        update(PetitionCounter)
        .where(PetitionCounter.petition_id == petition_id)
        .values(
            confirmed=PetitionCounter.confirmed + days.total(), last_number=PetitionCounter.last_number + days.total()
        )
        .returning(PetitionCounter.last_number)
        .execution_options(synchronize_session=False)
    ).scalar_one()
    return last - days.total() + 1


def move_counts(session: Session, petition_id: int, days: Counter[date], *, by: Literal[1, -1]) -> None:
    """Count signatures that have numbers already (1), or count them no more (-1). They keep their numbers."""
    if not days:
        return
    for day in sorted(days):
        _move_day(session, petition_id, day, by * days[day])
    session.execute(
        update(PetitionCounter)
        .where(PetitionCounter.petition_id == petition_id)
        .values(confirmed=PetitionCounter.confirmed + by * days.total())
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
    """Each day with confirmed signatures and their number, oldest first."""
    rows = session.execute(
        select(DailyCount.day, DailyCount.confirmed)
        .where(DailyCount.petition_id == petition_id, DailyCount.confirmed > 0)
        .order_by(DailyCount.day)
    )
    return [(day, confirmed) for day, confirmed in rows]
