"""For whom an edition is written, who of its readers wants it, and why the others get none."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.models import (
    Audience,
    Edition,
    EditionState,
    EditionText,
    Petition,
    ReaderFrequency,
    Subscription,
    SubscriptionState,
)
from campaign.services.digests.content import News, gather_news

N_ = str  # marks a sentence for the translators; the page translates it

# Why a reader gets no mail for an edition. These are stored in the ledger and shown to the reader.
PAUSED = N_("you paused the digest")
ONE_A_MONTH = N_("you chose one digest a month")
NO_MILESTONE = N_("you chose milestones only, and none was passed")
NOTHING_NEW = N_("nothing new since the last edition")


def audience_of(frequency: ReaderFrequency) -> Audience:
    """Which text a reader gets who chose ``frequency``. Who wants milestones only reads the one for each edition."""
    return Audience.MONTHLY if frequency is ReaderFrequency.MONTHLY else Audience.EACH


def gather_told(session: Session, petition: Petition, each: News, *, now: datetime) -> dict[Audience, News]:
    """What an edition made now tells, by audience; without those to whom it has nothing to tell.

    ``each`` is what it has for the readers of each edition; the other window closes at the same place.

    The first edition of a calendar month (in the petition's timezone) that has anything to tell to the readers of one
    a month carries their text, whether or not there are any yet: so their next window begins here. An edition is made
    for them alone only if there are some.
    """
    told = {} if each.is_empty else {Audience.EACH: each}
    if not _told_this_month(session, petition, now):
        monthly = gather_news(session, petition, Audience.MONTHLY, until=each)
        if not monthly.is_empty and (told or _has_monthly_readers(session, petition.id)):
            told[Audience.MONTHLY] = monthly
    return told


def _told_this_month(session: Session, petition: Petition, now: datetime) -> bool:
    month = now.astimezone(ZoneInfo(petition.timezone)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    made = (
        select(Edition.id)
        .join(EditionText, EditionText.edition_id == Edition.id)
        .where(
            Edition.petition_id == petition.id,
            Edition.state != EditionState.CANCELLED,
            Edition.made_at >= month,
            EditionText.audience == Audience.MONTHLY,
        )
    )
    return session.scalars(made.limit(1)).first() is not None


def _has_monthly_readers(session: Session, petition_id: int) -> bool:
    readers = select(Subscription.id).where(
        Subscription.petition_id == petition_id,
        Subscription.state == SubscriptionState.ACTIVE,
        Subscription.frequency == ReaderFrequency.MONTHLY,
        Subscription.paused.is_(False),
    )
    return session.scalars(readers.limit(1)).first() is not None


@dataclass(frozen=True)
class Offer:
    """What an edition has for its readers: the text for each edition, the one for a month, a milestone passed."""

    each: bool
    monthly: bool
    milestone: bool


def find_offer(session: Session, petition: Petition, edition: Edition) -> Offer:
    """What ``edition`` has, read from what was frozen when it was made."""
    carried = select(EditionText.audience).where(EditionText.edition_id == edition.id).distinct()
    audiences = set(session.scalars(carried))
    told = session.scalar(
        select(func.max(Edition.total)).where(
            Edition.petition_id == petition.id,
            Edition.number < edition.number,
            Edition.state != EditionState.CANCELLED,
        )
    )
    return Offer(
        each=Audience.EACH in audiences,
        monthly=Audience.MONTHLY in audiences,
        milestone=any((told or 0) < milestone <= edition.total for milestone in petition.milestones),
    )


@lru_cache(maxsize=8)
def list_refusals(offer: Offer) -> dict[ReaderFrequency, str]:
    """The choices with which a reader gets no mail for an edition, and why. Pausing is refused whatever is chosen."""
    refusals = {}
    if not offer.each:
        refusals = {ReaderFrequency.EACH: NOTHING_NEW, ReaderFrequency.MILESTONES: NOTHING_NEW}
    if not offer.monthly:
        refusals[ReaderFrequency.MONTHLY] = ONE_A_MONTH
    if not offer.milestone:
        refusals[ReaderFrequency.MILESTONES] = NO_MILESTONE
    return refusals


def find_refusal(offer: Offer, frequency: ReaderFrequency, *, paused: bool) -> str | None:
    """Why a reader with these choices wants no mail for the edition; None where they want it."""
    return PAUSED if paused else list_refusals(offer).get(frequency)
