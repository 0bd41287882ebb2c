"""Counts by country: hourly, with small places put together so that subtracting tells nothing."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from campaign.installation.wiring import Campaign
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


def crowd(campaign: Campaign, country: str | None, count: int, start: int = 0) -> None:
    with campaign.database.sessions.begin() as session:
        for number in range(start, start + count):
            sign_within(session, campaign, f"{country}{number}@example.org".lower(), country=country)
    confirm_all(campaign)


def places(campaign: Campaign) -> CountryTotals:
    with campaign.database.snapshots() as session:
        return read_country_totals(session, get_petition(session, SLUG).id)


def count(campaign: Campaign) -> None:
    count_countries(campaign.database.snapshots, campaign.database.sessions, now=campaign.now())


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


def test_the_count_is_a_picture_of_the_hour(campaign: Campaign, clock: Clock) -> None:
    crowd(campaign, "KZ", 12)
    crowd(campaign, "DE", 3)
    crowd(campaign, "LU", 9)
    crowd(campaign, None, 2)
    sign(campaign, "pending@example.org", country="KZ")
    assert places(campaign) == CountryTotals(None, [], None, None)
    work_once(campaign)
    counted = places(campaign)
    assert counted == CountryTotals(campaign.now(), [("KZ", 12)], 12, 2)
    withdraw(campaign, "kz0@example.org")
    clock.turn(timedelta(minutes=59))
    count(campaign)
    assert places(campaign) == counted
    clock.turn(timedelta(minutes=1))
    count(campaign)
    assert places(campaign) == CountryTotals(campaign.now(), [("KZ", 11)], 12, 2)
    with campaign.database.snapshots() as session:
        assert list_named_countries(session, find_petition(campaign).id) == {"KZ"}


def test_the_counts_stay_when_the_countries_are_burned(campaign: Campaign, clock: Clock) -> None:
    crowd(campaign, "KZ", 12)
    count(campaign)
    before = places(campaign)
    list(burn(campaign.database.sessions, find_petition(campaign).id, actor="x", now=campaign.now()))
    clock.turn(timedelta(days=1))
    count(campaign)
    assert places(campaign) == before
    with campaign.database.snapshots() as session:
        assert session.query(Signature).filter(Signature.country.is_not(None)).count() == 0
