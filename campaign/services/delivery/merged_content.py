"""One mail for all campaigns: the editions that are due for a reader become the sections of one mail."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from campaign.i18n import Language
from campaign.mail.compose import compose
from campaign.mail.lint.html import MOST_BYTES
from campaign.mail.message import Content, Message
from campaign.models import Delivery, Edition, Petition, Subscription
from campaign.services.delivery.eligibility import open_reader, read_digest
from campaign.services.delivery.envelope import Post, address_message
from campaign.services.digests.list_headers import list_headers
from campaign.services.links import Links

# What the template of a digest puts around its news; an edition that was made without goes in as a whole.
_NEWS = re.compile(r"<!--news-->(.*)<!--/news-->", re.DOTALL)
_BODY = re.compile(r"<body[^>]*>(.*)</body>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True)
class Section:
    """One edition within the mail, and the links by which its reader stops or changes it.

    ``whole`` is False where the mail has no room for its words: its title and its address stand for them.
    """

    subscription_id: int
    title: str
    language: Language
    text: str
    html: str
    edition_url: str
    unsubscribe_url: str
    preferences_url: str
    whole: bool = True


def compose_merged(session: Session, links: Links, deliveries: Sequence[Delivery]) -> Content:
    """The mail that has ``deliveries``, of one reader, as its sections, around them the first one's language.

    In their order those are whole for which it has room: mail programs cut a mail off that is larger. Raises NotWanted
    where the reader's choices, as of now, leave one of them out.
    """
    sections = [_section(session, links, delivery) for delivery in deliveries]
    everything = links.unsubscribe(*(section.subscription_id for section in sections))
    written = _write(sections, everything)
    if _size(written) < MOST_BYTES:
        return written
    fitting = [replace(section, whole=False) for section in sections]
    written = _write(fitting, everything)
    for number, section in enumerate(sections):
        with_it = [*fitting[:number], section, *fitting[number + 1 :]]
        tried = _write(with_it, everything)
        if _size(tried) < MOST_BYTES:
            fitting, written = with_it, tried
    return written


def _write(sections: Sequence[Section], unsubscribe_url: str) -> Content:
    return compose("merged", sections[0].language.code, sections=sections, unsubscribe_url=unsubscribe_url)


def _size(content: Content) -> int:
    return len(content.html.encode())


def _section(session: Session, links: Links, delivery: Delivery) -> Section:
    subscription = session.get_one(Subscription, delivery.subscription_id)
    petition = session.get_one(Petition, delivery.petition_id)
    edition = session.get_one(Edition, delivery.edition_id)
    content = read_digest(session, links, delivery, subscription)
    news = _NEWS.search(content.html)
    html = news[1] if news else f"<tr><td>{_find_body(content.html)}</td></tr>"
    return Section(
        subscription_id=subscription.id,
        title=petition.texts[subscription.language]["title"],
        language=Language(subscription.language),
        text=content.text.rpartition("\n--\n")[0].strip(),
        html=html,
        edition_url=links.edition(subscription.language, petition.slug, edition.number or 0),
        unsubscribe_url=links.unsubscribe(subscription.id),
        preferences_url=links.me(subscription.id),
    )


def _find_body(html: str) -> str:
    body = _BODY.search(html)
    return body[1] if body else html


def write_merged(session: Session, post: Post, deliveries: Sequence[Delivery]) -> Message:
    """The one message for ``deliveries``, known by the first of them. Raises NotWanted as ``compose_merged`` does."""
    first = deliveries[0]
    subscriptions = [session.get_one(Subscription, delivery.subscription_id) for delivery in deliveries]
    petition = session.get_one(Petition, first.petition_id)
    language, unsubscribe = subscriptions[0].language, post.links.unsubscribe(*(one.id for one in subscriptions))
    return address_message(
        post,
        petition,
        first,
        compose_merged(session, post.links, deliveries),
        language=language,
        address=open_reader(session, post.vault, subscriptions[0]),
        headers=list_headers(post.links, post.mail_from, petition, language, unsubscribe=unsubscribe, merged=True),
    )
