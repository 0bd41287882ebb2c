"""Editions shown to people who are not their readers: to organizers before they are made, to anybody afterwards."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.errors import NotFound
from campaign.mail.message import Content
from campaign.models import Audience, Edition, EditionState, EditionText, Petition, ReaderFrequency
from campaign.services.digests.audiences import Offer, audience_of, find_offer, find_refusal, gather_told
from campaign.services.digests.content import (
    PREFERENCES_MARK,
    UNSUBSCRIBE_MARK,
    News,
    compose_digest,
    find_last_number,
    gather_news,
)
from campaign.services.digests.transitions import find_waiting
from campaign.services.links import Links

_PUBLIC = (EditionState.SENDING, EditionState.PAUSED, EditionState.SENT)
# Why you get this, and the links that are yours: the template of the digest has it between these.
_READERS_PART = re.compile(r"<!--reader-->.*?<!--/reader-->", re.DOTALL)


@dataclass(frozen=True)
class Preview:
    """The next edition as it would be made now for readers of one ``frequency``: its words by language."""

    number: int
    frequency: ReaderFrequency
    news: News
    contents: dict[str, Content]
    reaches_them: bool


def preview_digest(
    session: Session,
    petition: Petition,
    links: Links,
    *,
    now: datetime,
    languages: Sequence[str] = (),
    frequency: ReaderFrequency = ReaderFrequency.EACH,
) -> Preview:
    """What readers who chose ``frequency`` will get, in ``languages`` or in all of the petition's, as the mail will be.

    It is the edition that waits to be let go, as it is frozen, else the next one as it would be made now. Only the
    links that nobody can follow before it is sent lead nowhere.
    """
    waiting = find_waiting(session, petition.id)
    audience, news = audience_of(frequency), gather_news(session, petition)
    written = {}
    if waiting is not None:
        number = waiting.number or 0
        offer = find_offer(session, petition, waiting)
        for text in waiting.texts:
            if text.audience is audience:
                written[text.language] = Content(text.subject, text.text, text.html)
    else:
        number = 1 + (find_last_number(session, petition.id) or 0)
        told = gather_told(session, petition, news, now=now)
        offer = Offer(Audience.EACH in told, Audience.MONTHLY in told, bool(news.milestones))
        for language in languages or petition.languages:
            written[language] = compose_digest(petition, told.get(audience, news), language, links, number=number)
    contents = {
        language: _without_reader(written[language], links, links.edition(language, petition.slug, number))
        for language in languages or petition.languages
        if language in written
    }
    return Preview(number, frequency, news, contents, find_refusal(offer, frequency, paused=False) is None)


def _without_reader(content: Content, links: Links, unmade: str) -> Content:
    """Each reader's own links are made when the mail is sent, and the edition's page when it is made."""
    text = content.text.replace(UNSUBSCRIBE_MARK, f"{links.base_url}/unsubscribe/…")
    return Content(
        content.subject,
        text.replace(PREFERENCES_MARK, f"{links.base_url}/me/…"),
        _unlinked(content.html, UNSUBSCRIBE_MARK, PREFERENCES_MARK, unmade),
    )


def _unlinked(html: str, *addresses: str) -> str:
    for address in addresses:
        html = html.replace(f' href="{address}"', "")
    return html


def get_public_edition(session: Session, petition: Petition, language: str, number: int) -> str:
    """The HTML of an edition as it went out, but for the part that is each reader's own. Raises NotFound."""
    html = session.scalar(
        select(EditionText.html)
        .join(Edition, Edition.id == EditionText.edition_id)
        .where(
            Edition.petition_id == petition.id,
            Edition.number == number,
            Edition.state.in_(_PUBLIC),
            EditionText.language == language,
            EditionText.audience == Audience.EACH,
        )
    )
    if html is None:
        raise NotFound("There is no such edition in this language.")
    return _unlinked(_READERS_PART.sub("", html), UNSUBSCRIBE_MARK, PREFERENCES_MARK)


def list_public_editions(session: Session, petition_id: int, language: str) -> list[Edition]:
    """The editions that went out in ``language``, or are going out, newest first."""
    return list(
        session.scalars(
            select(Edition)
            .join(EditionText, EditionText.edition_id == Edition.id)
            .where(
                Edition.petition_id == petition_id,
                Edition.state.in_(_PUBLIC),
                EditionText.language == language,
                EditionText.audience == Audience.EACH,
            )
            .order_by(Edition.number.desc())
        )
    )
