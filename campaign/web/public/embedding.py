"""A petition on other websites: the script that turns a link into a box, and the answer to websites that ask (oEmbed).

The browsers of their visitors ask this server for the script and the count, and ask no other server for anything.
"""

import json
from pathlib import Path
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, render_template, request
from sqlalchemy.orm import Session

from campaign.errors import NotFound
from campaign.media.colours import colour_of, ink_on
from campaign.models import Petition
from campaign.services.petitions.counts import count_confirmed
from campaign.web.core.context import installation, texts_of, use_language
from campaign.web.core.security import Entry, allow_everywhere, entry
from campaign.web.public.petition import get_public
from campaign.web.public.printed import tell_count
from campaign.web.public.share import HEIGHT, WIDTH

blueprint = Blueprint("embedding", __name__)
_SCRIPT = Path(__file__).parents[1] / "static" / "embed.js"
# The size of the box, in pixels. If a website offers less room, the answer is a link.
_BOX = _BOX_WIDTH, _BOX_HEIGHT = 420, 240


@blueprint.get("/embed.js")
@entry(Entry.PUBLIC)
def script() -> Response:
    answer = Response(_SCRIPT.read_bytes(), mimetype="text/javascript")
    answer.headers["Cache-Control"] = "public, max-age=3600"
    answer.add_etag()
    answer.make_conditional(request)
    allow_everywhere(answer)
    return answer


@blueprint.get("/oembed")
@entry(Entry.PUBLIC)
def oembed() -> Response:
    """How a website shows one of our petition pages (oembed.com): the box, or a link if there is no room for it."""
    if request.args.get("format", "json") != "json":
        abort(501)
    with installation().database.snapshots() as session:
        lang, petition = _get_named(session, request.args.get("url", ""))
        use_language(lang)
        told = _tell(petition, lang, count_confirmed(session, petition.id))
    answer = Response(json.dumps(told, ensure_ascii=False), content_type="application/json")
    answer.headers["Cache-Control"] = "public, max-age=3600"
    allow_everywhere(answer)
    return answer


def _get_named(session: Session, address: str) -> tuple[str, Petition]:
    """The petition whose page is at ``address`` on this server, and the page's language. Raises NotFound."""
    base = installation().settings.base_url
    if not address.startswith(f"{base}/"):
        raise NotFound("This is no address of a petition here.")
    words = urlsplit(address.removeprefix(base)).path.split("/")
    if len(words) != 4 or words[0] or words[2] != "p":
        raise NotFound("This is no address of a petition here.")
    return words[1], get_public(session, words[3], words[1])


def _room(name: str) -> int | None:
    """The number of pixels that the website has; None if it tells no number."""
    asked = request.args.get(name, "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else None


def _has_room(width: int, height: int) -> bool:
    offered = ((_room("maxwidth"), width), (_room("maxheight"), height))
    return all(room is None or room >= needed for room, needed in offered)


def _tell(petition: Petition, lang: str, confirmed: int) -> dict[str, str | int]:
    title, address = texts_of(petition)["title"], installation().public_links.petition(lang, petition.slug)
    told: dict[str, str | int] = {
        "version": "1.0",
        "type": "link",
        "title": title,
        "provider_name": installation().public_links.host,
        "provider_url": installation().settings.base_url,
        "cache_age": 3600,
    }
    if count := tell_count(confirmed):
        told["title"] = f"{title} – {count}"
    if _has_room(*_BOX):
        colour = colour_of(petition.look)
        box = render_template(
            "public/share/box.html", petition=petition, title=title, address=address, colour=colour, ink=ink_on(colour)
        )
        told |= {"type": "rich", "html": box.strip(), "width": _BOX_WIDTH, "height": _BOX_HEIGHT}
    if _has_room(WIDTH, HEIGHT):
        told |= {"thumbnail_url": f"{address}/picture.png", "thumbnail_width": WIDTH, "thumbnail_height": HEIGHT}
    return told
