"""Counts: kept beside the facts, by day of the campaign's timezone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from campaign.installation.wiring import Installation
from campaign.models import Signature, SignatureState
from campaign.services.petitions.counts import count_confirmed, list_days, take_number, uncount
from tests.conftest import Clock
from tests.scenes.people import confirm, disown, find_petition, get_signature, sign


def days(installation: Installation) -> list[tuple[date, int]]:
    with installation.database.snapshots() as session:
        return list_days(session, find_petition(installation).id)


def test_a_signature_counts_on_the_day_of_the_campaigns_timezone(installation: Installation, clock: Clock) -> None:
    for hour, email in ((18, "evening@example.org"), (19, "midnight@example.org"), (23, "night@example.org")):
        clock.moment = datetime(2026, 11, 23, hour, tzinfo=UTC)
        sign(installation, email)
        confirm(installation, email)
    assert days(installation) == [(date(2026, 11, 23), 1), (date(2026, 11, 24), 2)]
    assert get_signature(installation, "midnight@example.org").signed_on == date(2026, 11, 24)


def test_a_withdrawn_signature_is_taken_from_the_day_it_was_counted_on(
    installation: Installation, clock: Clock
) -> None:
    for day, email in ((23, "a@example.org"), (24, "b@example.org")):
        clock.moment = datetime(2026, 11, day, 7, tzinfo=UTC)
        sign(installation, email)
        confirm(installation, email)
    disown(installation, "a@example.org")
    assert days(installation) == [(date(2026, 11, 24), 1)]


def test_the_count_is_the_number_of_confirmed_signatures(installation: Installation) -> None:
    for number in range(6):
        sign(installation, f"p{number}@example.org")
        if number % 3:
            confirm(installation, f"p{number}@example.org")
    disown(installation, "p1@example.org")
    disown(installation, "p0@example.org")
    with installation.database.snapshots() as session:
        rows = session.scalars(select(func.count()).where(Signature.state == SignatureState.CONFIRMED)).one()
        assert count_confirmed(session, find_petition(installation).id) == rows == 3
    assert sum(count for _, count in days(installation)) == 3


def test_many_at_once_are_each_counted_and_numbered(installation: Installation) -> None:
    petition = find_petition(installation)

    def take(_: int) -> int:
        with installation.database.sessions.begin() as session:
            return take_number(session, petition.id, date(2026, 11, 23))

    with ThreadPoolExecutor(10) as threads:
        assert sorted(threads.map(take, range(30))) == list(range(1, 31))
    assert days(installation) == [(date(2026, 11, 23), 30)]


def test_the_count_never_goes_below_nothing(installation: Installation) -> None:
    with pytest.raises(IntegrityError), installation.database.sessions.begin() as session:
        uncount(session, find_petition(installation).id, date(2026, 11, 23))
    assert days(installation) == []
