"""The petition's public numbers: signatures by country and by day. They have no personal data and need no key."""

from dataclasses import replace
from datetime import date, timedelta

from flask import Blueprint, Response, make_response, render_template

from campaign.services.petitions.counts import count_confirmed, list_days
from campaign.services.petitions.lifecycle import today_in
from campaign.services.signatures.countries import read_country_totals
from campaign.web.core.context import installation, reader_language, texts_of
from campaign.web.core.daily_counts import SHOWN, days_from, weeks_before
from campaign.web.core.local_time import local_time
from campaign.web.core.security import Entry, entry
from campaign.web.public.petition import get_public

blueprint = Blueprint("numbers", __name__)


def _first_day(today: date) -> date:
    """The Monday from which each day is shown; what is older than ``SHOWN`` days is shown by week."""
    oldest = today - timedelta(days=SHOWN - 1)
    return oldest + timedelta(days=-oldest.weekday() % 7)


@blueprint.get("/<lang>/p/<slug>/numbers")
@entry(Entry.PUBLIC)
def show(lang: str, slug: str) -> Response:
    now = installation().now()
    with installation().database.snapshots() as session:
        petition = get_public(session, slug, lang)
        places, countries = read_country_totals(session, petition.id), reader_language().countries()
        alphabetical = list(countries)
        # Countries with as many signatures stand in the order of the reader's alphabet.
        ranked = sorted(places.countries, key=lambda each: (-each[1], alphabetical.index(each[0])))
        counted, today = list_days(session, petition.id), today_in(petition, now)
        answer = make_response(
            render_template(
                "public/petition/numbers.html",
                petition=petition,
                texts=texts_of(petition),
                confirmed=count_confirmed(session, petition.id),
                places=replace(places, countries=ranked),
                countries=countries,
                days=days_from(counted, _first_day(today), today),
                weeks=weeks_before(counted, _first_day(today)),
                as_of=now,
                local=local_time(petition),
            )
        )
    answer.headers["Cache-Control"] = "public, max-age=60"
    return answer
