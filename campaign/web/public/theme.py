"""The theme of a petition's page: the shades of its colour, its picture and its logo."""

import re

from flask import Blueprint, Response, make_response

from campaign.errors import NotFound
from campaign.media.colours import Palette
from campaign.media.pictures import ENDINGS
from campaign.models import PictureKind
from campaign.services.petitions.pictures import get_picture
from campaign.web.core.caching import kept_for_ever
from campaign.web.core.context import installation
from campaign.web.core.security import Entry, entry

blueprint = Blueprint("look", __name__)
_STYLE = """:root {{ --brand: {0.ink}; --brand-fill: {0.button}; }}
@media (prefers-color-scheme: dark) {{ :root {{ --brand: {0.night_ink}; }} }}
"""


@blueprint.get("/look/<colour>.css")
@entry(Entry.PUBLIC)
def style(colour: str) -> Response:
    """The style sheet with the shades of a colour, which is written as six hexadecimal digits. It needs no petition."""
    if not re.fullmatch("[0-9a-f]{6}", colour):
        raise NotFound("There is no such colour.")
    answer = make_response(_STYLE.format(Palette.of(f"#{colour}")))
    answer.mimetype = "text/css"
    return kept_for_ever(answer)


@blueprint.get("/p/<slug>/<any(picture, logo):kind>-<digest>.<any(png, jpg, webp):ending>")
@entry(Entry.PUBLIC)
def picture(slug: str, kind: str, digest: str, ending: str) -> Response:
    with installation().database.snapshots() as session:
        found = get_picture(session, slug, PictureKind(kind))
        if found.digest != digest or ENDINGS[found.media_type] != ending:
            raise NotFound("There is no such picture.")
        answer = make_response(found.content)
    answer.mimetype = found.media_type
    return kept_for_ever(answer)
