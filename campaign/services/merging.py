"""One mail for all campaigns: the editions that are due for a reader become the sections of one mail."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from campaign.mail.compose import compose
from campaign.mail.message import Content, Message
from campaign.models import Delivery, Petition, Subscription
from campaign.services.links import Links
from campaign.services.list_headers import list_headers
from campaign.services.posting import Post, address_message
from campaign.services.wanting import open_reader, read_digest

# What the template of a digest puts around its news; an edition that was made without goes in as a whole.
_NEWS = re.compile(r"<!--news-->(.*)<!--/news-->", re.DOTALL)
_BODY = re.compile(r"<body[^>]*>(.*)</body>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True)
class Section:
    """One edition within the mail, and the links by which its reader stops or changes it."""

    subscription_id: int
    title: str
    language: str
    text: str
    html: str
    unsubscribe_url: str
    preferences_url: str


def compose_merged(session: Session, links: Links, deliveries: Sequence[Delivery]) -> Content:
    """The mail that has ``deliveries``, of one reader, as its sections, around them the first one's language.

    Raises NotWanted where the reader's choices, as of now, leave one of them out.
    """
    sections = [_section(session, links, delivery) for delivery in deliveries]
    everything = links.unsubscribe(*(section.subscription_id for section in sections))
    return compose("merged", sections[0].language, sections=sections, unsubscribe_url=everything)


def _section(session: Session, links: Links, delivery: Delivery) -> Section:
    subscription = session.get_one(Subscription, delivery.subscription_id)
    petition = session.get_one(Petition, delivery.petition_id)
    content = read_digest(session, links, delivery, subscription)
    news = _NEWS.search(content.html)
    html = news[1] if news else f"<tr><td>{_find_body(content.html)}</td></tr>"
    return Section(
        subscription_id=subscription.id,
        title=petition.texts[subscription.language]["title"],
        language=subscription.language,
        text=content.text.rpartition("\n--\n")[0].strip(),
        html=html,
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
