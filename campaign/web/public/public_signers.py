"""Public signers: the names and comments of signers who want them to be shown."""

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Blueprint, Response, make_response, render_template
from sqlalchemy.orm import Session

from campaign.crypto.vault import Vault
from campaign.models import Petition
from campaign.services.signatures.public_names import Page
from campaign.services.signatures.public_signers import read_comments, read_signers
from campaign.web.core.context import installation, reader_language, texts_of
from campaign.web.core.local_time import local_time
from campaign.web.core.paging import asked_page
from campaign.web.core.security import Entry, entry
from campaign.web.public.petition import get_public

blueprint = Blueprint("wall", __name__, url_prefix="/<lang>/p/<slug>/signatures")
# A signer who withdraws disappears from every page, also from cached ones, within a minute.
_KEPT = "public, max-age=60"

Read = Callable[..., Page[Any]]


def _answer(lang: str, slug: str, template: str, read: Read) -> Response:
    page = asked_page()
    with installation().database.snapshots() as session:
        petition = get_public(session, slug, lang)
        words = partial(
            render_template,
            petition=petition,
            texts=texts_of(petition),
            as_of=installation().now(),
            local=local_time(petition),
            countries=reader_language().countries(),
        )
        if petition.shows_people:
            answer = make_response(words(template, page=_read(session, petition, read, page)))
        else:
            answer = make_response(words("public/petition/no_wall.html"), 404)
    answer.headers["Cache-Control"] = _KEPT
    if not petition.indexes_names:
        answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _read(session: Session, petition: Petition, read: Read, page: int) -> Page[Any]:
    vault: Vault = installation().vault
    return read(session, vault, petition, page=page)


@blueprint.get("")
@entry(Entry.PUBLIC)
def names(lang: str, slug: str) -> Response:
    return _answer(lang, slug, "public/petition/wall.html", read_signers)


@blueprint.get("/comments")
@entry(Entry.PUBLIC)
def comments(lang: str, slug: str) -> Response:
    return _answer(lang, slug, "public/petition/wall_comments.html", read_comments)
