"""The pace of sending, kept in the database: it holds over all workers, and over a restart."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.db import upsert
from campaign.models import SendingPace
from campaign.text.rates import Rate

_ALL = "all"
# So far ahead one sender takes its turns: a confirmation that comes up now waits no longer than this for its own.
AHEAD = timedelta(seconds=1)


def find_interval(limits: Sequence[Rate]) -> timedelta | None:
    """The time between two mails under all of ``limits``, None without a limit.

    Mails are spread evenly: in no hour, whenever it begins, are there more than the limit and one.
    """
    return max((limit.per / limit.amount for limit in limits), default=None)


def find_turn(session: Session, *, now: datetime) -> datetime:
    """The moment of the next turn; the row stays locked until the transaction ends, so that nobody else takes it."""
    session.execute(
        upsert(session, SendingPace)
        .values(name=_ALL, free_at=now)
        .on_conflict_do_nothing(index_elements=[SendingPace.name])
    )
    free_at = session.scalars(select(SendingPace.free_at).where(SendingPace.name == _ALL).with_for_update()).one()
    return max(free_at, now)


def take_turns(session: Session, first: datetime, count: int, interval: timedelta) -> list[datetime]:
    """The moments of ``count`` turns from ``first`` on, which are this sender's now."""
    session.get_one(SendingPace, _ALL).free_at = first + count * interval
    return [first + number * interval for number in range(count)]
