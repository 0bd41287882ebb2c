"""Confirmed signatures by country: counted once an hour, and small places put together before anything is kept.

An hour, so that whoever watches the page does not learn at which moment somebody from a small place signed. Together,
so that nobody is the only one from a place; what is kept cannot be taken apart again by subtracting.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, sessionmaker

from campaign.models import CountryCount, Petition, PetitionCounter, PetitionState, Signature, SignatureState
from campaign.periods import COUNTRIES_COUNTED_EVERY, NAMES_KEPT, SMALLEST_PLACE
from campaign.services.petitions.lifecycle import today_in

# Codes that ISO 3166 leaves to its users.
OTHER_PLACES, NOT_SAID = "XX", "ZZ"


@dataclass(frozen=True)
class Places:
    """The counts by country, most first, as of ``at``; the two that are no countries last, None where there are none.

    ``at`` is None where nothing was counted yet. All is empty where too few said a country to put them together.
    """

    at: datetime | None
    countries: list[tuple[str, int]]
    others: int | None
    not_said: int | None

    @property
    def in_all(self) -> int:
        return sum(count for _, count in self.countries) + (self.others or 0) + (self.not_said or 0)


def merge_small(counts: Mapping[str | None, int]) -> dict[str, int]:
    """``counts`` by country, None for those who did not say, as everybody may see them.

    Places with fewer than ``SMALLEST_PLACE`` are one row. So is the next smallest as long as that row has fewer: else
    the total less what is shown would tell of one small place. Empty where no row would have enough.
    """
    places = sorted(((count, code) for code, count in counts.items() if code is not None and count > 0), reverse=True)
    others = 0
    while places and (places[-1][0] < SMALLEST_PLACE or 0 < others < SMALLEST_PLACE):
        others += places.pop()[0]
    if 0 < others < SMALLEST_PLACE:
        return {}
    shown = {code: count for count, code in places}
    if others:
        shown[OTHER_PLACES] = others
    if counts.get(None, 0) > 0:
        shown[NOT_SAID] = counts[None]
    return shown


def count_countries(snapshots: sessionmaker[Session], sessions: sessionmaker[Session], *, now: datetime) -> None:
    """Count anew for each petition whose counts are an hour old. People who sign meanwhile wait for none of it."""
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
    """Whether countries are erased with the names: then the last counts stay, as all counts do."""
    handed = petition.handed_over_on
    is_erased = petition.state.is_over and handed is not None and handed + NAMES_KEPT <= today_in(petition, now)
    return petition.burned_on is not None or is_erased


def _keep(session: Session, petition_id: int, counts: Mapping[str, int], now: datetime) -> None:
    counter = session.get_one(PetitionCounter, petition_id, with_for_update=True)
    if counter.countries_at is not None and counter.countries_at > now - COUNTRIES_COUNTED_EVERY:
        return  # another worker has been here meanwhile
    session.execute(delete(CountryCount).where(CountryCount.petition_id == petition_id))
    session.add_all(
        CountryCount(petition_id=petition_id, country=code, confirmed=count) for code, count in counts.items()
    )
    counter.countries_at = now


def _read(session: Session, petition_id: int) -> dict[str, int]:
    found = select(CountryCount.country, CountryCount.confirmed).where(CountryCount.petition_id == petition_id)
    return dict(session.execute(found).all())


def read_places(session: Session, petition_id: int) -> Places:
    """What was counted last."""
    counts = _read(session, petition_id)
    others, not_said = counts.pop(OTHER_PLACES, None), counts.pop(NOT_SAID, None)
    countries = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return Places(session.get_one(PetitionCounter, petition_id).countries_at, countries, others, not_said)


def list_named(session: Session, petition_id: int) -> set[str]:
    """The countries that are named: the others are not named beside a signer either."""
    return set(_read(session, petition_id)) - {OTHER_PLACES, NOT_SAID}
