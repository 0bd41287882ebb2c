"""What a digest says: what is new since the last edition, in words, in each language."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.mail.compose import compose
from campaign.mail.message import Content
from campaign.markdown import render_markdown
from campaign.models import Edition, EditionState, Petition, Update
from campaign.services.counting import count_confirmed
from campaign.services.links import Links
from campaign.services.petitions import latest_sequence, list_updates

# Stands in a frozen text where each reader's own link will be.
UNSUBSCRIBE_MARK = "@@unsubscribe-url@@"


@dataclass(frozen=True)
class News:
    """What an edition tells: the window between the last edition and now."""

    signatures: int
    total: int
    goal: int
    milestones: Sequence[int]
    updates: Sequence[Update]
    last_update: int

    @property
    def is_empty(self) -> bool:
        return self.signatures == 0 and not self.updates

    @property
    def progress(self) -> float:
        return min(1.0, self.total / self.goal)


_TOLD = (Edition.number.is_not(None), Edition.state != EditionState.CANCELLED)


def find_last_number(session: Session, petition_id: int) -> int | None:
    """The number of the newest edition, a cancelled one too: numbers are given once."""
    return session.scalar(select(func.max(Edition.number)).where(Edition.petition_id == petition_id))


def find_last_edition(session: Session, petition_id: int) -> Edition | None:
    """The newest edition that was sent, is being sent or waits for it. The news of a cancelled one is still to tell."""
    return session.scalars(
        select(Edition).where(Edition.petition_id == petition_id, *_TOLD).order_by(Edition.number.desc()).limit(1)
    ).one_or_none()


def gather_news(session: Session, petition: Petition) -> News:
    """What has happened since the last edition."""
    last = find_last_edition(session, petition.id)
    since_total, since_update = (last.total, last.last_update) if last else (0, 0)
    total = count_confirmed(session, petition.id)
    # A count can fall below a milestone and pass it again; it is told once.
    told = select(func.max(Edition.total)).where(Edition.petition_id == petition.id, *_TOLD)
    told_total = session.scalar(told) or 0
    return News(
        signatures=max(0, total - since_total),
        total=total,
        goal=petition.goal,
        milestones=[milestone for milestone in petition.milestones if told_total < milestone <= total],
        updates=list(reversed(list_updates(session, petition.id, after=since_update))),
        last_update=latest_sequence(session, petition.id),
    )


def compose_digest(petition: Petition, news: News, language: str, links: Links) -> Content:
    """The edition in one language, with ``UNSUBSCRIBE_MARK`` where each reader's link goes."""
    updates = [
        {
            "title": update.texts[language]["title"],
            "text": update.texts[language]["body"],
            "html": render_markdown(update.texts[language]["body"]),
            "day": update.published_on,
        }
        for update in news.updates
    ]
    return compose(
        "digest",
        language,
        petition=petition.texts[language],
        news=news,
        updates=updates,
        petition_url=links.petition(language, petition.slug),
        updates_url=links.updates(language, petition.slug),
        unsubscribe_url=UNSUBSCRIBE_MARK,
    )


def preview_digest(session: Session, petition: Petition, links: Links) -> dict[str, Content]:
    """The next edition as it would be made now, by language."""
    news = gather_news(session, petition)
    return {language: compose_digest(petition, news, language, links) for language in petition.languages}
