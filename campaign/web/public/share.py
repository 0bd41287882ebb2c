"""Sharing a petition: the page with everything for it, the poster, the picture of a shared link, and the badge."""

from typing import cast

from flask import Blueprint, Response, current_app, render_template, request
from sqlalchemy.orm import Session

from campaign.media.colours import colour_of, ink_on
from campaign.media.pdf import Format, PrintCache
from campaign.services.petitions.counts import count_confirmed
from campaign.services.petitions.store import get_text_version
from campaign.web.core.context import installation, reader_language, texts_of
from campaign.web.core.security import Entry, allow_everywhere, allow_script, entry
from campaign.web.public.petition import get_public
from campaign.web.public.printed import tell_picture, tell_poster

blueprint = Blueprint("spread", __name__)
WIDTH, HEIGHT = 1200, 630


def _cache() -> PrintCache:
    return cast("PrintCache", current_app.extensions["prints"])


def _answer(document: str, kind: Format, content_type: str, data: dict[str, object], seconds: int) -> Response:
    printed = _cache().get(document, kind, data)
    answer = Response(printed.content, content_type=content_type)
    answer.headers["Cache-Control"] = f"public, max-age={seconds}"
    answer.set_etag(printed.digest)
    return cast("Response", answer.make_conditional(request))


@blueprint.get("/<lang>/p/<slug>/picture.png")
@entry(Entry.PUBLIC)
def picture(lang: str, slug: str) -> Response:
    """The picture that services show when somebody shares the petition's address (Open Graph)."""
    with installation().database.snapshots() as session:
        petition = get_public(session, slug, lang)
        shown = tell_picture(petition, count_confirmed(session, petition.id))
    answer = _answer("picture", Format.PNG, "image/png", shown, 3600)
    allow_everywhere(answer)
    return answer


@blueprint.get("/<lang>/p/<slug>/poster.pdf")
@entry(Entry.PUBLIC)
def poster(lang: str, slug: str) -> Response:
    with installation().database.snapshots() as session:
        petition = get_public(session, slug, lang)
        shown = tell_poster(petition, get_text_version(session, petition, lang))
    answer = _answer("poster", Format.PDF, "application/pdf", shown, 300)
    answer.headers["Content-Disposition"] = f'inline; filename="{petition.slug}-{lang}-poster.pdf"'
    return answer


@blueprint.get("/<lang>/p/<slug>/badge.svg")
@entry(Entry.PUBLIC)
def badge(lang: str, slug: str) -> Response:
    """The number of signatures as a small picture, for any website."""
    with installation().database.snapshots() as session:
        petition = get_public(session, slug, lang)
        count = tell_signatures(session, petition.id)
    colour = colour_of(petition.look)
    label = reader_language().gettext("petition")
    drawn = render_template("public/share/badge.svg", label=label, count=count, colour=colour, ink=ink_on(colour))
    answer = Response(drawn, content_type="image/svg+xml; charset=utf-8")
    answer.headers["Cache-Control"] = "public, max-age=60"
    allow_everywhere(answer)
    return answer


def tell_signatures(session: Session, petition_id: int) -> str:
    """The number of signatures, in two words."""
    count, language = count_confirmed(session, petition_id), reader_language()
    told = language.ngettext("%(number)s signature", "%(number)s signatures", count)
    return told % {"number": language.number(count)}


@blueprint.get("/<lang>/p/<slug>/spread")
@entry(Entry.PUBLIC)
def show(lang: str, slug: str) -> str:
    allow_script()
    with installation().database.snapshots() as session:
        petition = get_public(session, slug, lang)
        return render_template(
            "public/share/show.html",
            petition=petition,
            texts=texts_of(petition),
            count=tell_signatures(session, petition.id),
            colour=colour_of(petition.look),
            ink=ink_on(colour_of(petition.look)),
        )
