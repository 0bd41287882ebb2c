"""Signs of life of the workers, by which the living find those that died."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from campaign.db import upsert
from campaign.models import Heartbeat
from campaign.periods import WORKER_DEAD_AFTER


def beat(session: Session, worker: str, *, now: datetime) -> None:
    """Note that ``worker`` is alive."""
    insert = upsert(session, Heartbeat).values(worker=worker, at=now)
    session.execute(insert.on_conflict_do_update(index_elements=[Heartbeat.worker], set_={"at": now}))


def list_silent(session: Session, *, now: datetime) -> list[str]:
    """The workers that have given no sign of life for two minutes and did not say that they end."""
    silent = select(Heartbeat.worker).where(Heartbeat.at <= now - WORKER_DEAD_AFTER)
    return list(session.scalars(silent.order_by(Heartbeat.worker)))


def forget_worker(session: Session, worker: str) -> None:
    """The worker has ended, and nothing of it is left to do."""
    session.execute(delete(Heartbeat).where(Heartbeat.worker == worker))
