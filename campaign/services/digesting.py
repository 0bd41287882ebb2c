"""The digest: what is new since the last edition, frozen with the deliveries it owes in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, Table, func, insert, literal, select
from sqlalchemy.orm import Session

from campaign.errors import CampaignError
from campaign.mail.compose import compose
from campaign.mail.message import Content
from campaign.markdown import render_markdown
from campaign.models import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Edition,
    EditionState,
    EditionText,
    Petition,
    PetitionState,
    Schedule,
    Subscription,
    SubscriptionState,
    Update,
)
from campaign.services.counting import count_confirmed
from campaign.services.links import Links
from campaign.services.petitions import latest_sequence, list_updates
from campaign.services.scheduling import next_run
from campaign.services.subscribing import count_active

N_ = str  # marks a sentence for the translators; the page translates it

# Stands in a frozen text where each reader's own link will be.
UNSUBSCRIBE_MARK = "@@unsubscribe-url@@"


class AlreadyMade(CampaignError):
    """Somebody else made the edition that was asked for."""


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


def find_last_edition(session: Session, petition_id: int) -> Edition | None:
    """The newest edition that was sent or is being sent."""
    return session.scalars(
        select(Edition)
        .where(Edition.petition_id == petition_id, Edition.number.is_not(None))
        .order_by(Edition.number.desc())
        .limit(1)
    ).one_or_none()


def list_editions(session: Session, petition_id: int, *, most: int = 50) -> list[Edition]:
    """Editions and skipped runs, newest first."""
    return list(
        session.scalars(
            select(Edition).where(Edition.petition_id == petition_id).order_by(Edition.id.desc()).limit(most)
        )
    )


def gather_news(session: Session, petition: Petition) -> News:
    """What has happened since the last edition."""
    last = find_last_edition(session, petition.id)
    since_total, since_update = (last.total, last.last_update) if last else (0, 0)
    total = count_confirmed(session, petition.id)
    # A count can fall below a milestone and pass it again; it is told once.
    told = select(func.max(Edition.total)).where(Edition.petition_id == petition.id, Edition.number.is_not(None))
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


def make_edition(
    session: Session, petition: Petition, links: Links, *, period: str, now: datetime, after: int | None = None
) -> Edition:
    """Make the edition for ``period``: freeze what it says and write a delivery for each reader.

    Where there is nothing new, or nobody to read it, the run is recorded as skipped, with the reason, and the next
    window begins where this one did. A period is made once: asking again gives the edition that was made. ``after`` is
    the number of the last edition that the person who asked has seen; raises AlreadyMade where there is a newer one.
    """
    # One edition of a petition is made at a time; SQLite writes one at a time anyway.
    session.execute(select(Petition.id).where(Petition.id == petition.id).with_for_update(key_share=True))
    made = session.scalars(
        select(Edition).where(Edition.petition_id == petition.id, Edition.period == period)
    ).one_or_none()
    if made is not None:
        return made
    last = find_last_edition(session, petition.id)
    number = (last.number or 0) if last else 0
    if after is not None and after != number:
        raise AlreadyMade(f"Edition {number} has been made in the meantime; this one was not.")
    news = gather_news(session, petition)
    skipped = N_("nothing new since the last edition") if news.is_empty else None
    if skipped is None and not count_active(session, petition.id):
        skipped = N_("nobody is subscribed")
    edition = Edition(
        petition_id=petition.id,
        period=period,
        number=None if skipped else number + 1,
        state=EditionState.SKIPPED if skipped else EditionState.SENDING,
        reason=skipped,
        made_at=now,
        total=news.total,
        last_update=news.last_update,
    )
    session.add(edition)
    for language in [] if skipped else petition.languages:
        content = compose_digest(petition, news, language, links)
        edition.texts.append(
            EditionText(language=language, subject=content.subject, text=content.text, html=content.html)
        )
    session.flush()
    if not skipped:
        edition.candidates = _owe_deliveries(session, petition.id, edition.id, now)
    return edition


def _owe_deliveries(session: Session, petition_id: int, edition_id: int, now: datetime) -> int:
    """One queued delivery for each active subscription; how many."""
    table = cast("Table", Delivery.__table__)
    columns: dict[str, Any] = {
        "petition_id": literal(petition_id),
        "kind": literal(DeliveryKind.DIGEST, table.c.kind.type),
        "edition_id": literal(edition_id),
        "subscription_id": Subscription.id,
        "state": literal(DeliveryState.QUEUED, table.c.state.type),
        "attempts": literal(0),
        "queued_at": literal(now, table.c.queued_at.type),
        "due_at": literal(now, table.c.due_at.type),
    }
    owed = select(*columns.values()).where(
        Subscription.petition_id == petition_id, Subscription.state == SubscriptionState.ACTIVE
    )
    result = session.execute(
        insert(table).from_select(list(columns), owed, include_defaults=False).execution_options(preserve_rowcount=True)
    )
    return cast("CursorResult[Any]", result).rowcount


def make_due_editions(session: Session, links: Links, *, now: datetime) -> list[Edition]:
    """An edition for every schedule that is due; runs that were missed coalesce into one."""
    editions = []
    due = (
        select(Schedule)
        .join(Petition, Petition.id == Schedule.petition_id)
        .where(Schedule.next_at <= now, Schedule.paused.is_(False), Petition.state != PetitionState.DRAFT)
        .with_for_update(of=Schedule, skip_locked=True)
    )
    for schedule in session.scalars(due):
        petition = session.get_one(Petition, schedule.petition_id)
        period = f"scheduled for {schedule.next_at.isoformat()}"
        schedule.next_at = next_run(schedule, petition.timezone, after=now)
        editions.append(make_edition(session, petition, links, period=period, now=now))
    return editions
