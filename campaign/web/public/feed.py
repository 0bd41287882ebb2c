"""The petition's updates as an Atom feed (RFC 4287), one for each language."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response, render_template, request

from campaign.models import Petition
from campaign.services.petitions.counts import count_confirmed
from campaign.services.petitions.store import list_updates
from campaign.services.petitions.updates import placeholder_values, tell_update
from campaign.web.core.context import installation, texts_of
from campaign.web.core.security import Entry, entry
from campaign.web.public.petition import get_public

blueprint = Blueprint("feed", __name__)
MOST = 50
# A feed must have a time of its last update; a feed without updates has none yet.
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def _moment(petition: Petition, day: date) -> datetime:
    """The beginning of an update's day: its time of day is not known."""
    return datetime.combine(day, time(), ZoneInfo(petition.timezone))


@blueprint.get("/<lang>/p/<slug>/feed.xml")
@entry(Entry.PUBLIC)
def show(lang: str, slug: str) -> Response:
    links = installation().public_links
    with installation().database.snapshots() as session:
        petition = get_public(session, slug, lang)
        values = placeholder_values(petition, lang, links, count=count_confirmed(session, petition.id))
        updates = [tell_update(update, lang, values) for update in list_updates(session, petition.id, most=MOST)]
        entries = [(update, _moment(petition, update.day)) for update in updates]
        answer = make_response(
            render_template(
                "public/petition/feed.xml",
                texts=texts_of(petition),
                entries=entries,
                updated=max((moment for _, moment in entries), default=_NEVER),
                page_url=links.updates(lang, slug),
                feed_url=links.feed(lang, slug),
            )
        )
    answer.mimetype = "application/atom+xml"
    answer.headers["Cache-Control"] = "public, max-age=300"
    answer.add_etag()
    answer.make_conditional(request)
    return answer
