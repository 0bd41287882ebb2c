"""Editions of a digest: made once for each period, their words frozen."""

from collections.abc import Mapping
from datetime import datetime
from textwrap import shorten

from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.errors import CampaignError
from campaign.models import (
    Audience,
    AuditAction,
    AuditDetails,
    Edition,
    EditionState,
    EditionText,
    Petition,
    PetitionState,
    Schedule,
)
from campaign.services.audit_log import record
from campaign.services.digests.audiences import NOTHING_NEW, gather_told
from campaign.services.digests.content import News, compose_digest, find_last_number, gather_news
from campaign.services.digests.lint_check import LintRefused, require_sendable
from campaign.services.digests.transitions import Dispatch, find_waiting, release_made
from campaign.services.links import Links
from campaign.services.petitions.schedule import next_run
from campaign.services.subscribers.subscriptions import count_active

N_ = str  # marks a sentence for the translators; the page translates it

REASON_LENGTH = 200


class AlreadyMade(CampaignError):
    """Somebody else made the edition that was asked for."""


def list_editions(session: Session, petition_id: int, *, most: int = 50) -> list[Edition]:
    """Editions and skipped runs, newest first."""
    return list(
        session.scalars(
            select(Edition).where(Edition.petition_id == petition_id).order_by(Edition.id.desc()).limit(most)
        )
    )


def make_edition(
    session: Session,
    petition: Petition,
    links: Links,
    dispatch: Dispatch,
    *,
    period: str,
    now: datetime,
    after: int | None = None,
    made_by: str | None = None,
) -> Edition:
    """Make the edition for ``period``: freeze what it says, and begin to send it unless it has to wait.

    It waits as a draft for approval if the campaign asks for that, and as scheduled for the end of the cool-down and
    for the send window. Where there is nothing new, or nobody to read it, or the last edition still waits, the run is
    recorded as skipped, with the reason, and the next window begins where this one did. A period is made once: asking
    again gives the edition that was made. ``after`` is the number of the last edition that the person who asked has
    seen; raises AlreadyMade where there is a newer one.
    Raises LintRefused, with nothing made, where a mail of the edition must not go out as it is.
    """
    # One edition of a petition is made at a time; SQLite writes one at a time anyway.
    session.execute(select(Petition.id).where(Petition.id == petition.id).with_for_update(key_share=True))
    made = session.scalars(
        select(Edition).where(Edition.petition_id == petition.id, Edition.period == period)
    ).one_or_none()
    if made is not None:
        return made
    number = find_last_number(session, petition.id) or 0
    if after is not None and after != number:
        raise AlreadyMade(f"Edition {number} has been made in the meantime; this one was not.")
    news = gather_news(session, petition)
    told = gather_told(session, petition, news, now=now)
    skipped = _reason_to_skip(session, petition, told)
    contents = {
        (audience, language): compose_digest(petition, told[audience], language, links, number=number + 1)
        for audience in (() if skipped else told)
        for language in petition.languages
    }
    require_sendable(links, petition, ((language, content) for (_, language), content in contents.items()))
    edition = Edition(
        petition_id=petition.id,
        period=period,
        number=None if skipped else number + 1,
        state=EditionState.SKIPPED if skipped else EditionState.DRAFT,
        reason=skipped,
        made_at=now,
        made_by=made_by,
        total=news.total,
        last_update=news.last_update,
    )
    session.add(edition)
    for (audience, language), content in contents.items():
        edition.texts.append(
            EditionText(
                language=language,
                audience=audience,
                subject=content.subject,
                text=content.text,
                html=content.html,
            )
        )
    session.flush()
    if not skipped:
        release_made(session, dispatch, edition, now=now)
    return edition


def send_digest(
    session: Session,
    petition: Petition,
    links: Links,
    dispatch: Dispatch,
    *,
    actor: str,
    now: datetime,
    after: int | None = None,
) -> Edition:
    """Make the next edition because ``actor`` asks for it, and record that. Raises AlreadyMade and LintRefused.

    The edition is sent at once, unless it must wait for its approval or for its time.
    """
    period = f"by hand {now.isoformat()}"
    edition = make_edition(session, petition, links, dispatch, period=period, now=now, after=after, made_by=actor)
    if edition.state is EditionState.SKIPPED:
        record(session, actor, AuditAction.DIGEST_SKIPPED, petition.id, now=now, reason=edition.reason)
    elif edition.state is EditionState.SENDING:
        details: AuditDetails = {"edition": edition.number, "readers": edition.candidates}
        record(session, actor, AuditAction.DIGEST_SENT, petition.id, now=now, **details)
    else:
        record(session, actor, AuditAction.DIGEST_MADE, petition.id, now=now, edition=edition.number)
    return edition


def _reason_to_skip(session: Session, petition: Petition, told: Mapping[Audience, News]) -> str | None:
    waiting = find_waiting(session, petition.id)
    if waiting is not None and waiting.state is EditionState.DRAFT:
        return N_("the last edition still waits for approval")
    if waiting is not None:
        return N_("the last edition has not been sent yet")
    if not told:
        return NOTHING_NEW
    if not count_active(session, petition.id):
        return N_("nobody is subscribed")
    return None


def make_due_editions(session: Session, links: Links, dispatch: Dispatch, *, now: datetime) -> list[Edition]:
    """An edition for every schedule that is due; runs that were missed coalesce into one.

    A run whose mails the linter refuses is recorded as skipped, and what is new waits for the next one.
    """
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
        try:
            editions.append(make_edition(session, petition, links, dispatch, period=period, now=now))
        except LintRefused as refused:
            editions.append(_record_refused(session, petition, period, refused, now=now))
    return editions


def _record_refused(
    session: Session, petition: Petition, period: str, refused: LintRefused, *, now: datetime
) -> Edition:
    news = gather_news(session, petition)
    edition = Edition(
        petition_id=petition.id,
        period=period,
        state=EditionState.SKIPPED,
        reason=shorten(refused.first, REASON_LENGTH, placeholder=" …"),
        made_at=now,
        total=news.total,
        last_update=news.last_update,
    )
    session.add(edition)
    session.flush()
    return edition
