"""What a digest says: what is new since the last edition, in words, in each language."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.mail.compose import compose
from campaign.mail.message import Content
from campaign.models import Audience, Edition, EditionState, EditionText, Petition, Update
from campaign.services.links import Links
from campaign.services.petitions.counts import count_confirmed
from campaign.services.petitions.store import latest_sequence, list_updates
from campaign.services.petitions.updates import placeholder_values, tell_update

# Stand in a frozen text where each reader's own links will be; campaign.text.placeholders refuses them in other texts.
UNSUBSCRIBE_MARK = "@@unsubscribe-url@@"
PREFERENCES_MARK = "@@preferences-url@@"
_LONGEST_SUBJECT = 250  # the linter's


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


def find_last_edition(session: Session, petition_id: int, audience: Audience = Audience.EACH) -> Edition | None:
    """The newest edition that was sent, is being sent or waits for it; for ``MONTHLY`` the newest with their text.

    The news of a cancelled one is still to tell.
    """
    found = select(Edition).where(Edition.petition_id == petition_id, *_TOLD)
    if audience is Audience.MONTHLY:
        found = found.where(Edition.texts.any(EditionText.audience == audience))
    return session.scalars(found.order_by(Edition.number.desc()).limit(1)).one_or_none()


def gather_news(
    session: Session, petition: Petition, audience: Audience = Audience.EACH, *, until: News | None = None
) -> News:
    """What has happened since the last edition that ``audience`` was told something in, until now or as ``until``."""
    last = find_last_edition(session, petition.id, audience)
    since_total, since_update, number = (last.total, last.last_update, last.number) if last else (0, 0, 0)
    total = until.total if until else count_confirmed(session, petition.id)
    # Read before the updates: one that is published in between is left to the next edition, whole.
    last_update = until.last_update if until else latest_sequence(session, petition.id)
    # A count can fall below a milestone and pass it again; it is told once.
    told = select(func.max(Edition.total)).where(Edition.petition_id == petition.id, Edition.number <= number, *_TOLD)
    told_total = session.scalar(told) or 0
    return News(
        signatures=max(0, total - since_total),
        total=total,
        goal=petition.goal,
        milestones=[milestone for milestone in petition.milestones if told_total < milestone <= total],
        updates=[
            update
            for update in reversed(list_updates(session, petition.id, after=since_update))
            if update.sequence <= last_update
        ],
        last_update=last_update,
    )


def compose_digest(petition: Petition, news: News, language: str, links: Links, *, number: int) -> Content:
    """Edition ``number`` in one language, with the two marks where each reader's links go."""
    values = placeholder_values(petition, language, links, count=news.total)
    content = compose(
        "digest",
        language,
        petition=petition.texts[language],
        news=news,
        updates=[tell_update(update, language, values) for update in news.updates],
        petition_url=links.petition(language, petition.slug),
        updates_url=links.updates(language, petition.slug),
        edition_url=links.edition(language, petition.slug, number),
        preferences_url=PREFERENCES_MARK,
        unsubscribe_url=UNSUBSCRIBE_MARK,
    )
    # Placeholders can make a title longer than anybody meant it to be.
    return replace(content, subject=content.subject[:_LONGEST_SUBJECT])
