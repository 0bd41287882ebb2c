"""How many cases a sink gets, and an installation in which each case is undone."""

import dataclasses
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session, sessionmaker

from campaign.db import Database
from campaign.installation.wiring import Installation
from campaign.models import DailyCount, Petition, PetitionCounter, Signature, SignatureState

Case = TypeVar("Case")

# ``make fuzz`` sets it for the night; then the cases are others each time.
NIGHTLY = int(os.environ.get("FUZZ_CASES", "0"))  # noqa: TID251
CASES = NIGHTLY or 500
# What hypothesis does around one example costs more than most cases do, so an example is a list of them.
AT_ONCE = 10
# Without the phase that explains a failure: it runs hundreds of cases more.
PHASES = (Phase.generate, Phase.shrink)

_ran: Counter[str] = Counter()


def fuzz(
    sink: str, cases: SearchStrategy[Case], check: Callable[[Case], object], *, part: int = 1, holds: int = 1
) -> None:
    """Check so many cases of ``sink``; a sample takes a ``part`` of them in CI, and all of them at night.

    What ``cases`` draws ``holds`` so many of them.
    """
    count = (CASES if NIGHTLY else CASES // part) / holds

    @settings(
        max_examples=ceil(count / AT_ONCE),
        derandomize=not NIGHTLY,
        database=None,
        phases=PHASES,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(cases, min_size=AT_ONCE, max_size=AT_ONCE))
    def every(some: list[Case]) -> None:
        for case in some:
            check(case)
            _ran[sink] += holds

    every.__qualname__ = sink  # what a failure is reported under
    every()


def take_count() -> dict[str, int]:
    """How many cases of which sink were checked since this was asked last."""
    counted = dict(_ran)
    _ran.clear()
    return counted


class Sandbox:
    """An installation all of whose transactions are parts of one that is never committed."""

    def __init__(self, installation: Installation, connection: Connection) -> None:
        self._connection = connection
        sessions = sessionmaker(connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        database = Database(engine=installation.database.engine, sessions=sessions, snapshots=sessions)
        self.installation = dataclasses.replace(installation, database=database)

    @contextmanager
    def case(self) -> Iterator[None]:
        """What is written here is looked at, and forgotten."""
        # SQLAlchemy's own would stay open when it is rolled back, and ten thousand would stand within each other.
        self._connection.exec_driver_sql("SAVEPOINT before_case")
        try:
            yield
            with self.installation.database.snapshots() as session:
                check_counts(session)
        finally:
            self._connection.exec_driver_sql("ROLLBACK TO SAVEPOINT before_case")
            self._connection.exec_driver_sql("RELEASE SAVEPOINT before_case")


@contextmanager
def sandbox(installation: Installation) -> Iterator[Sandbox]:
    with installation.database.engine.connect() as connection, connection.begin() as everything:
        yield Sandbox(installation, connection)
        everything.rollback()


_CONFIRMED = (
    select(func.count())
    .where(Signature.petition_id == Petition.id, Signature.state == SignatureState.CONFIRMED)
    .scalar_subquery()
)
_DAYS = (
    select(func.coalesce(func.sum(DailyCount.confirmed), 0))
    .where(DailyCount.petition_id == Petition.id)
    .scalar_subquery()
)
# Made once: to make it costs more than to ask it.
_COUNTED = select(PetitionCounter.confirmed, _CONFIRMED, _DAYS).join(
    Petition, Petition.id == PetitionCounter.petition_id
)


def check_counts(session: Session) -> None:
    """The counter of each petition is the number of its confirmed signatures, and so is the sum of its days."""
    for row in session.execute(_COUNTED):
        assert len(set(row)) == 1, row
