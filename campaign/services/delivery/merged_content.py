"""The content of a merged mail: the editions that are due for a reader of several petitions are its sections."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from campaign.i18n import Language
from campaign.mail.compose import compose
from campaign.mail.lint.html import MOST_BYTES
from campaign.mail.message import Content, Message
from campaign.models import Delivery, Edition, EditionText, Petition, Subscription
from campaign.services.delivery.envelope import MailIdentity, address_message
from campaign.services.digests.audiences import audience_of
from campaign.services.digests.content import PREFERENCES_MARK, UNSUBSCRIBE_MARK
from campaign.services.digests.list_headers import list_headers
from campaign.services.links import Links

# What the template of a digest puts around its news; an edition that was made without goes in as a whole.
# The last mark of a signature begins the footer; editions from before December 2026 have it without the space.
_FOOTER = re.compile(r"\n-- ?\n(?!.*\n-- ?\n)", re.DOTALL)
_NEWS = re.compile(r"<!--news-->(.*)<!--/news-->", re.DOTALL)
_BODY = re.compile(r"<body[^>]*>(.*)</body>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True)
class Section:
    """One edition in the mail, and the links with which its reader stops or changes it.

    ``whole`` is False if the mail has no room for its text: then the mail has its title and its address instead.
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
    """The mail whose sections are ``deliveries``, all of one reader. The words around them are in the first's language.

    Mail programs cut off a larger mail, so a section is whole only if there is room for it, in their order.
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
    content = _read_digest(session, links, edition, subscription)
    news = _NEWS.search(content.html)
    html = news[1] if news else f"<tr><td>{_find_body(content.html)}</td></tr>"
    return Section(
        subscription_id=subscription.id,
        title=petition.texts[subscription.language]["title"],
        language=Language(subscription.language),
        text=_FOOTER.split(content.text, maxsplit=1)[0].strip(),
        html=html,
        edition_url=links.edition(subscription.language, petition.slug, edition.number or 0),
        unsubscribe_url=links.unsubscribe(subscription.id),
        preferences_url=links.me(subscription.id),
    )


def _find_body(html: str) -> str:
    body = _BODY.search(html)
    return body[1] if body else html


def _read_digest(session: Session, links: Links, edition: Edition, subscription: Subscription) -> Content:
    """The text of the edition that this reader gets, with the reader's links."""
    frozen = session.get_one(EditionText, (edition.id, subscription.language, audience_of(subscription.frequency)))

    def fill(text: str) -> str:
        return text.replace(UNSUBSCRIBE_MARK, links.unsubscribe(subscription.id)).replace(
            PREFERENCES_MARK, links.me(subscription.id)
        )

    return Content(subject=frozen.subject, text=fill(frozen.text), html=fill(frozen.html))


def write_merged(session: Session, identity: MailIdentity, deliveries: Sequence[Delivery], address: str) -> Message:
    """The one message for ``deliveries`` to the reader at ``address``. It is known by the first of them.

    The caller has checked that the reader is to get each of them.
    """
    first = deliveries[0]
    subscriptions = [session.get_one(Subscription, delivery.subscription_id) for delivery in deliveries]
    petition = session.get_one(Petition, first.petition_id)
    links, language = identity.links, subscriptions[0].language
    unsubscribe = links.unsubscribe(*(subscription.id for subscription in subscriptions))
    return address_message(
        identity,
        petition,
        first,
        compose_merged(session, links, deliveries),
        language=language,
        address=address,
        headers=list_headers(links, identity.mail_from, petition, language, unsubscribe=unsubscribe, merged=True),
    )
