"""The petition's page, put together from the stored data."""

from functools import cache

from flask import render_template
from markupsafe import Markup
from sqlalchemy.orm import Session

from campaign.i18n import Language
from campaign.models import Petition, TextVersion
from campaign.services.petitions.counts import count_confirmed
from campaign.services.petitions.lifecycle import takes_signatures
from campaign.services.petitions.pictures import list_pictures
from campaign.services.petitions.store import list_related, list_updates
from campaign.services.petitions.updates import Told, fill_html, placeholder_values, tell_update
from campaign.services.signatures.public_signers import list_latest_comments
from campaign.web.core.context import installation, reader_language, texts_of
from campaign.web.core.forms import SigningForm
from campaign.web.core.local_time import local_time
from campaign.web.core.locked_mode import keyless
from campaign.web.core.security import allow_puzzle, allow_script
from campaign.web.public.challenge import needs_challenge, show_challenge

LATEST_UPDATES = 3
PREVIEW = "preview"  # the purpose in the token of a draft's link


@cache
def _country_options(language: Language) -> Markup:
    """The long list of the form, made once for each language."""
    return Markup("").join(
        Markup('<option value="{}">{}</option>').format(code, name) for code, name in language.countries().items()
    )


def _values(petition: Petition, confirmed: int) -> dict[str, str]:
    return placeholder_values(petition, reader_language().code, installation().public_links, count=confirmed)


def petition_page(session: Session, petition: Petition, version: TextVersion, form: SigningForm | None) -> str:
    """The page with the given form, or without one: in a preview, and if the petition cannot be signed."""
    confirmed = count_confirmed(session, petition.id)
    challenge, now = None, installation().now()
    allow_script(asks=True)
    if form is not None and needs_challenge(petition, now):
        challenge = show_challenge(session, petition, form, now=now)
        allow_puzzle()
    return render_template(
        "public/petition/show.html",
        petition=petition,
        texts=texts_of(petition),
        version=version,
        takes_signatures=takes_signatures(petition, now),
        ends=petition.closes_at
        if not petition.state.is_over and petition.closes_at and petition.closes_at > now
        else None,
        local=local_time(petition),
        form=form,
        challenge=challenge,
        errors=form.first_errors() if form else {},
        confirmed=confirmed,
        goal=petition.goal_at(confirmed),
        call=fill_html(texts_of(petition)["call"], _values(petition, confirmed)),
        updates=tell_updates(session, petition, confirmed, most=LATEST_UPDATES),
        comments=[] if keyless() else list_latest_comments(session, installation().vault, petition),
        pictures=list_pictures(session, petition.id),
        related=list_related(session, petition),
        countries=reader_language().countries(),
        country_options=_country_options(reader_language()),
        page_url=installation().public_links.petition(reader_language().code, petition.slug),
    )


def tell_updates(session: Session, petition: Petition, confirmed: int, *, most: int | None = None) -> list[Told]:
    """The petition's updates in the reader's language, newest first, with today's numbers in them."""
    values = _values(petition, confirmed)
    language = reader_language().code
    return [tell_update(update, language, values) for update in list_updates(session, petition.id, most=most)]


def tell_count(session: Session, petition: Petition, lang: str) -> dict[str, int | str]:
    """The public number with the time at which it was read, and in words if a language is asked for."""
    confirmed = count_confirmed(session, petition.id)
    goal = petition.goal_at(confirmed)
    as_of = installation().now().replace(microsecond=0).isoformat()
    told: dict[str, int | str] = {"confirmed": confirmed, "goal": goal, "as_of": as_of}
    if lang in petition.languages:
        language = Language(lang)
        told["number"] = language.number(confirmed)
        told["words"] = render_template("public/petition/count.txt", language=language, confirmed=confirmed, goal=goal)
    return told
