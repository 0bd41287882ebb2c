"""Confirmed signatures by country: counted once an hour, with small countries added up before anything is stored.

They are counted only once an hour, so that a person who watches the page does not learn when somebody from a small
country signed. Small countries are added up, so that nobody is the only signer of a country; and no subtraction of the
stored numbers gives the number of a small country.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, sessionmaker

from campaign.models import CountryCount, Petition, PetitionCounter, PetitionState, Signature, SignatureState
from campaign.periods import COUNTRIES_COUNTED_EVERY, NAMES_KEPT, SMALLEST_PLACE
from campaign.services.petitions.lifecycle import today_in

# Codes that ISO 3166 reserves for its users.
OTHER_COUNTRIES, NOT_SAID = "XX", "ZZ"


@dataclass(frozen=True)
class CountryTotals:
    """The counts by country at the time ``at``, the largest first.

    ``others`` are signatures from small countries, ``not_said`` those without a country; None if there are none. ``at``
    is None if nothing was counted yet. Everything is empty if too few signers gave a country to add them up.
    """

    at: datetime | None
    countries: list[tuple[str, int]]
    others: int | None
    not_said: int | None

    @property
    def in_all(self) -> int:
        return sum(count for _, count in self.countries) + (self.others or 0) + (self.not_said or 0)


def merge_small(counts: Mapping[str | None, int]) -> dict[str, int]:
    """Turn ``counts`` by country (None: no country given) into counts that everybody may see.

    Countries with fewer than ``SMALLEST_PLACE`` signatures are added up in one row. If that row is still below this
    number, the next smallest country is added to it: otherwise the total minus the shown counts would reveal one small
    country. The result is empty if no row would be large enough.
    """
    places = sorted(((count, code) for code, count in counts.items() if code is not None and count > 0), reverse=True)
    others = 0
    while places and (places[-1][0] < SMALLEST_PLACE or 0 < others < SMALLEST_PLACE):
        others += places.pop()[0]
    if 0 < others < SMALLEST_PLACE:
        return {}
    shown = {code: count for count, code in places}
    if others:
        shown[OTHER_COUNTRIES] = others
    if counts.get(None, 0) > 0:
        shown[NOT_SAID] = counts[None]
    return shown


def count_countries(snapshots: sessionmaker[Session], sessions: sessionmaker[Session], *, now: datetime) -> None:
    """Count again for each petition whose counts are an hour old. Signing does not wait for it."""
    with snapshots() as session:
        counted = {petition_id: merge_small(_count(session, petition_id)) for petition_id in _list_due(session, now)}
    for petition_id, counts in counted.items():
        with sessions.begin() as session:
            _keep(session, petition_id, counts, now)


def _count(session: Session, petition_id: int) -> dict[str | None, int]:
    rows = session.execute(
        select(Signature.country, func.count())
        .where(Signature.petition_id == petition_id, Signature.state == SignatureState.CONFIRMED)
        .group_by(Signature.country)
    )
    return dict(rows.all())


def _list_due(session: Session, now: datetime) -> list[int]:
    rows = session.execute(
        select(Petition, PetitionCounter.countries_at)
        .join(PetitionCounter, PetitionCounter.petition_id == Petition.id)
        .where(Petition.state != PetitionState.DRAFT)
        .order_by(Petition.id)
    )
    return [
        petition.id
        for petition, at in rows
        if (at is None or at <= now - COUNTRIES_COUNTED_EVERY) and not _is_settled(petition, now)
    ]


def _is_settled(petition: Petition, now: datetime) -> bool:
    """Whether the countries were erased with the names. Then the last counts stay, like all counts."""
    handed = petition.handed_over_on
    is_erased = petition.state.is_over and handed is not None and handed + NAMES_KEPT <= today_in(petition, now)
    return petition.burned_on is not None or is_erased


def _keep(session: Session, petition_id: int, counts: Mapping[str, int], now: datetime) -> None:
    counter = session.get_one(PetitionCounter, petition_id, with_for_update=True)
    if counter.countries_at is not None and counter.countries_at > now - COUNTRIES_COUNTED_EVERY:
        return  # another worker has counted meanwhile
    session.execute(delete(CountryCount).where(CountryCount.petition_id == petition_id))
    session.add_all(
        CountryCount(petition_id=petition_id, country=code, confirmed=count) for code, count in counts.items()
    )
    counter.countries_at = now


def _read(session: Session, petition_id: int) -> dict[str, int]:
    found = select(CountryCount.country, CountryCount.confirmed).where(CountryCount.petition_id == petition_id)
    return dict(session.execute(found).all())


def read_country_totals(session: Session, petition_id: int) -> CountryTotals:
    """The totals that were counted last."""
    counts = _read(session, petition_id)
    others, not_said = counts.pop(OTHER_COUNTRIES, None), counts.pop(NOT_SAID, None)
    countries = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return CountryTotals(session.get_one(PetitionCounter, petition_id).countries_at, countries, others, not_said)


def list_named_countries(session: Session, petition_id: int) -> set[str]:
    """The countries with a row of their own. Other countries are not shown beside a signer's name either."""
    return set(_read(session, petition_id)) - {OTHER_COUNTRIES, NOT_SAID}
