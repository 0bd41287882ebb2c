"""Organizers' texts for one reader: in the reader's language, with placeholders filled in, as HTML and as text."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup, escape

from campaign.i18n import Language
from campaign.models import Petition, Update
from campaign.services.links import PublicLinks
from campaign.text.markdown import render_markdown, render_text
from campaign.text.placeholders import fill_placeholders


@dataclass(frozen=True)
class Told:
    """An update in one language."""

    key: str
    day: date
    title: str
    html: Markup
    text: str


def placeholder_values(petition: Petition, language: str, links: PublicLinks, *, count: int) -> dict[str, str]:
    """The value of each placeholder in ``language``; ``count`` is the number of signatures to be shown."""
    number = Language(language).number
    return {
        "count": number(count),
        "goal": number(petition.goal),
        "title": petition.texts[language]["title"],
        "petition_url": links.petition(language, petition.slug),
        "updates_url": links.updates(language, petition.slug),
    }


def fill_html(source: str, values: Mapping[str, str]) -> Markup:
    """The Markdown ``source`` as HTML. Values are escaped: their characters have no meaning in Markdown or HTML."""
    safe = {name: str(escape(value)) for name, value in values.items()}
    return Markup(fill_placeholders(render_markdown(source), safe))  # noqa: S704 - sanitised, and the values escaped


def tell_update(update: Update, language: str, values: Mapping[str, str]) -> Told:
    """The update in ``language``, with its placeholders filled in."""
    texts = update.texts[language]
    return Told(
        key=update.key,
        day=update.published_on,
        title=fill_placeholders(texts["title"], values),
        html=fill_html(texts["body"], values),
        text=fill_placeholders(render_text(texts["body"]), values),
    )
