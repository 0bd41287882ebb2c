"""Petitions: load from a campaign file, and find; the versions of their demands; their updates."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.errors import InvalidFile, InvalidInput, NotFound
from campaign.i18n import available_languages
from campaign.media.pictures import Picture
from campaign.models import (
    AuditAction,
    AuditDetails,
    Demand,
    Petition,
    PetitionCounter,
    PetitionState,
    PictureKind,
    TextVersion,
    Update,
)
from campaign.models.column_types import Texts
from campaign.services.audit_log import record
from campaign.services.petitions.file_parts import DemandTexts, TimelineTexts
from campaign.services.petitions.file_schema import PetitionFile, UpdateTexts
from campaign.services.petitions.pictures import replace_pictures
from campaign.services.petitions.schedule import plan_digest

_PETITION_TEXTS = ("title", "addressee", "summary", "call", "risk_note", "sender", "confirmation_subject")


def find_petition(session: Session, slug: str) -> Petition | None:
    """The petition with this ``slug``; None if there is none."""
    if not slug.isprintable():  # PostgreSQL refuses a NUL even in a comparison
        return None
    return session.scalars(select(Petition).where(Petition.slug == slug)).one_or_none()


def get_petition(session: Session, slug: str) -> Petition:
    """The petition with this ``slug``. Raises NotFound."""
    petition = find_petition(session, slug)
    if petition is None:
        raise NotFound(f"There is no petition “{slug}” here.")
    return petition


def get_petition_by_id(session: Session, petition_id: int) -> Petition:
    """The petition to which a row refers. Raises NoResultFound."""
    return session.get_one(Petition, petition_id)


def list_petitions(session: Session, *, state: PetitionState | None = None) -> list[Petition]:
    """All petitions, or those in ``state``, by slug."""
    wanted = select(Petition).order_by(Petition.slug)
    return list(session.scalars(wanted if state is None else wanted.where(Petition.state == state)))


def list_related(session: Session, petition: Petition) -> list[Petition]:
    """The related petitions of the campaign file that are public on this server, in the order of the file."""
    if not petition.related:
        return []
    found = session.scalars(
        select(Petition).where(Petition.slug.in_(petition.related), Petition.state != PetitionState.DRAFT)
    )
    return sorted(found, key=lambda each: petition.related.index(each.slug))


def load_petition(
    session: Session,
    file: PetitionFile,
    *,
    actor: str,
    now: datetime,
    pictures: Mapping[PictureKind, Picture] = MappingProxyType({}),
) -> Petition:
    """Make the petition of a campaign file, or change it to what the file says; a new petition is a draft.

    It can be repeated. A changed text of a demand makes a new text version; signatures keep the version that was
    signed. Updates are matched by key and never removed. Raises InvalidFile for a language without translated pages,
    and for a language that was removed, because people may have signed in it; and for a closing time that has passed.
    """
    for language in file.languages:
        if language not in available_languages():
            raise InvalidFile(
                f"languages: the pages are not translated into “{language}”, only {', '.join(available_languages())}."
            )
    petition = find_petition(session, file.slug)
    if petition is None:
        # Only for a new petition: a file that is loaded again must not undo what an owner has switched.
        petition = Petition(slug=file.slug, challenge=bool(file.challenge), counter=PetitionCounter())
        session.add(petition)
    elif removed := set(petition.languages) - set(file.languages):
        raise InvalidFile(f"languages: “{min(removed)}” cannot be removed from a petition that was loaded with it.")
    petition.languages = file.languages
    petition.timezone = file.timezone
    petition.goal = file.goal
    petition.goal_steps = sorted(set(file.goal_steps))
    petition.milestones = sorted(set(file.milestones))
    _set_end(petition, file, now)
    petition.related = file.related
    petition.look = {} if file.look.colour is None else {"colour": file.look.colour}
    petition.source_url = file.source.url
    petition.sealed_to = file.sealed_to
    petition.export_needs_approval = file.export_needs_approval
    petition.shows_names = file.shows_names
    petition.indexes_names = file.indexes_names
    petition.confirmation_names_petition = file.confirmation_names_petition
    petition.texts = {
        language: {name: getattr(file, name)[language] for name in _PETITION_TEXTS}
        | {"source": file.source.text[language]}
        for language in file.languages
    }
    petition.timeline = [_timeline(entry, file.languages) for entry in file.timeline]
    session.flush()
    replace_pictures(session, petition, file, pictures)
    _replace_demands(session, petition, file.demands)
    for update in file.updates:
        _keep_update(session, petition, update)
    _check_updates(session, petition)
    plan_digest(session, petition, file.digest, now=now)
    session.flush()
    details: AuditDetails = {"keys": len(petition.sealed_to)} if petition.sealed_to else {}
    record(session, actor, AuditAction.PETITION_LOADED, petition.id, now=now, **details)
    return petition


def _set_end(petition: Petition, file: PetitionFile, now: datetime) -> None:
    """Raises InvalidFile for a time that has passed, unless the petition has ended at it already."""
    end = None if file.closes is None else file.closes.replace(tzinfo=ZoneInfo(file.timezone)).astimezone(UTC)
    if end is not None and end <= now and end != petition.closes_at and not (petition.id and petition.state.is_over):
        raise InvalidFile(f"closes: {file.closes:%Y-%m-%d %H:%M} has passed. Write a later day, or leave it out.")
    petition.closes_at = end


def _timeline(entry: TimelineTexts, languages: list[str]) -> dict[str, object]:
    return {"date": entry.date.isoformat(), "text": {language: entry.text[language] for language in languages}}


def _by_language(languages: list[str], **fields: dict[str, str]) -> Texts:
    return {language: {name: texts[language] for name, texts in fields.items()} for language in languages}


def _replace_demands(session: Session, petition: Petition, demands: list[DemandTexts]) -> None:
    kept = {demand.key: demand for demand in petition.demands}
    ordered = []
    for position, wanted in enumerate(demands, 1):
        demand = kept.get(wanted.key) or Demand(key=wanted.key)
        demand.position = position
        demand.texts = _by_language(petition.languages, title=wanted.title, text=wanted.text)
        ordered.append(demand)
    petition.demands = ordered
    session.flush()
    for language in petition.languages:
        _current_version(session, petition, language)


def _current_version(session: Session, petition: Petition, language: str) -> None:
    demands = [{"key": demand.key, **demand.texts[language]} for demand in petition.demands]
    canonical = json.dumps(demands, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    known = session.scalars(
        select(TextVersion).where(TextVersion.petition_id == petition.id, TextVersion.language == language)
    ).all()
    for version in known:
        version.current = version.digest == digest
    if digest not in {version.digest for version in known}:
        session.add(
            TextVersion(petition_id=petition.id, language=language, digest=digest, demands=demands, current=True)
        )


def get_text_version(session: Session, petition: Petition, language: str) -> TextVersion:
    """The present demands in ``language``. Raises InvalidInput if the petition is not in it."""
    if language not in petition.languages:
        raise InvalidInput("language", f"The petition is not in “{language}”, only in {', '.join(petition.languages)}.")
    return session.scalars(
        select(TextVersion).where(
            TextVersion.petition_id == petition.id, TextVersion.language == language, TextVersion.current
        )
    ).one()


def publish_update(session: Session, petition: Petition, update: UpdateTexts, *, actor: str, now: datetime) -> Update:
    """Add an update, or correct the texts of the one with the same key. A new one is in the next digest."""
    published = _keep_update(session, petition, update)
    record(session, actor, AuditAction.UPDATE_PUBLISHED, petition.id, now=now, key=published.key)
    return published


def _keep_update(session: Session, petition: Petition, update: UpdateTexts) -> Update:
    stored = session.scalars(
        select(Update).where(Update.petition_id == petition.id, Update.key == update.key)
    ).one_or_none()
    if stored is None:
        stored = Update(petition_id=petition.id, key=update.key, sequence=latest_sequence(session, petition.id) + 1)
        session.add(stored)
    stored.published_on = update.date
    stored.texts = _by_language(petition.languages, title=update.title, body=update.body)
    session.flush()
    return stored


def _check_updates(session: Session, petition: Petition) -> None:
    """Updates that are not in the file need each language too, because the next digest is written in all of them."""
    for update in list_updates(session, petition.id):
        for language in petition.languages:
            if language not in update.texts:
                raise InvalidFile(
                    f"updates: the update “{update.key}” has no text in “{language}”; put it into the file."
                )


def latest_sequence(session: Session, petition_id: int) -> int:
    """The sequence of the newest update; 0 if there is none."""
    return session.scalar(select(func.max(Update.sequence)).where(Update.petition_id == petition_id)) or 0


def list_updates(session: Session, petition_id: int, *, after: int = 0, most: int | None = None) -> list[Update]:
    """At most ``most`` updates with a sequence above ``after``, newest first."""
    return list(
        session.scalars(
            select(Update)
            .where(Update.petition_id == petition_id, Update.sequence > after)
            .order_by(Update.sequence.desc())
            .limit(most)
        )
    )
