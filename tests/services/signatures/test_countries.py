"""Counts by country: hourly, with small places put together so that subtracting tells nothing."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from campaign.installation.wiring import Installation
from campaign.models import Signature
from campaign.periods import SMALLEST_PLACE
from campaign.services.petitions.store import get_petition
from campaign.services.privacy.burn import burn
from campaign.services.signatures.countries import (
    NOT_SAID,
    OTHER_COUNTRIES,
    CountryTotals,
    count_countries,
    list_named_countries,
    merge_small,
    read_country_totals,
)
from campaign.worker import work_once
from tests.conftest import SLUG, Clock
from tests.scenes.people import confirm_all, find_petition, sign, sign_within, withdraw


def crowd(installation: Installation, country: str | None, count: int, start: int = 0) -> None:
    with installation.database.sessions.begin() as session:
        for number in range(start, start + count):
            sign_within(session, installation, f"{country}{number}@example.org".lower(), country=country)
    confirm_all(installation)


def places(installation: Installation) -> CountryTotals:
    with installation.database.snapshots() as session:
        return read_country_totals(session, get_petition(session, SLUG).id)


def count(installation: Installation) -> None:
    count_countries(installation.database.snapshots, installation.database.sessions, now=installation.now())


def test_one_small_place_is_hidden_together_with_the_next() -> None:
    assert merge_small({"DE": 50, "KZ": 12, "LU": 3, None: 4}) == {"DE": 50, OTHER_COUNTRIES: 15, NOT_SAID: 4}
    assert merge_small({"DE": 50, "KZ": 30, "LU": 6, "MT": 4}) == {"DE": 50, "KZ": 30, OTHER_COUNTRIES: 10}
    assert merge_small({"DE": 50, "KZ": 10}) == {"DE": 50, "KZ": 10}
    assert merge_small({"LU": 9, None: 500}) == {}
    assert merge_small({None: 3}) == {NOT_SAID: 3}


@given(st.dictionaries(st.sampled_from(["DE", "KZ", "LU", "MT", "FR", "PL", None]), st.integers(0, 40)))
def test_no_row_tells_of_a_small_place(counts: dict[str | None, int]) -> None:
    shown = merge_small(counts)
    assert all(number >= SMALLEST_PLACE for code, number in shown.items() if code != NOT_SAID)
    assert all(counts[code] == number for code, number in shown.items() if code not in (NOT_SAID, OTHER_COUNTRIES))
    if shown:
        assert sum(shown.values()) == sum(counts.values())
    if OTHER_COUNTRIES in shown:
        together = [number for code, number in counts.items() if code is not None and number and code not in shown]
        assert len(together) > 1


def test_the_count_is_a_picture_of_the_hour(installation: Installation, clock: Clock) -> None:
    crowd(installation, "KZ", 12)
    crowd(installation, "DE", 3)
    crowd(installation, "LU", 9)
    crowd(installation, None, 2)
    sign(installation, "pending@example.org", country="KZ")
    assert places(installation) == CountryTotals(None, [], None, None)
    work_once(installation)
    counted = places(installation)
    assert counted == CountryTotals(installation.now(), [("KZ", 12)], 12, 2)
    withdraw(installation, "kz0@example.org")
    clock.turn(timedelta(minutes=59))
    count(installation)
    assert places(installation) == counted
    clock.turn(timedelta(minutes=1))
    count(installation)
    assert places(installation) == CountryTotals(installation.now(), [("KZ", 11)], 12, 2)
    with installation.database.snapshots() as session:
        assert list_named_countries(session, find_petition(installation).id) == {"KZ"}


def test_the_counts_stay_when_the_countries_are_burned(installation: Installation, clock: Clock) -> None:
    crowd(installation, "KZ", 12)
    count(installation)
    before = places(installation)
    list(burn(installation.database.sessions, find_petition(installation).id, actor="x", now=installation.now()))
    clock.turn(timedelta(days=1))
    count(installation)
    assert places(installation) == before
    with installation.database.snapshots() as session:
        assert session.query(Signature).filter(Signature.country.is_not(None)).count() == 0
