"""The life of a petition: opened, paused for a while, closed, handed over, answered."""

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.errors import InvalidInput, NotPossible
from campaign.models import Petition, PetitionState
from campaign.services.audit_log import WORKER, record
from campaign.text.personal_text import clean_note

# From which states a petition gets into each.
_FROM = {
    PetitionState.OPEN: set(PetitionState),
    PetitionState.PAUSED: {PetitionState.OPEN},
    PetitionState.CLOSED: {PetitionState.DRAFT, PetitionState.OPEN, PetitionState.PAUSED, PetitionState.CLOSED},
    PetitionState.DELIVERED: {PetitionState.CLOSED, PetitionState.DELIVERED},
    PetitionState.ANSWERED: set(PetitionState) - {PetitionState.DRAFT},
    PetitionState.WON: set(PetitionState) - {PetitionState.DRAFT},
}


def list_next_states(petition: Petition) -> list[PetitionState]:
    """The states into which the petition can go from here, in the order of a life."""
    if petition.burned_on is not None:
        return []
    return [state for state in _FROM if petition.state in _FROM[state] and state is not petition.state]


def takes_signatures(petition: Petition, now: datetime) -> bool:
    """Whether a form that is sent now is taken. Its closing time counts, not when the worker gets to close it."""
    return petition.state is PetitionState.OPEN and (petition.closes_at is None or now < petition.closes_at)


def open_petition(petition: Petition, *, now: datetime) -> None:
    """Take signatures from now on. Raises NotPossible for one that was burned, or whose closing time has passed."""
    if petition.burned_on is not None:
        raise NotPossible(f"“{petition.slug}” was burned on {petition.burned_on}: it stays closed.")
    if petition.closes_at is not None and petition.closes_at <= now:
        raise NotPossible(
            f"“{petition.slug}” closed at the time that its campaign file names: write a later one, or none, there."
        )
    petition.state, petition.state_note, petition.closed_on, petition.answered_on = PetitionState.OPEN, None, None, None


def pause_petition(petition: Petition, reasons: Mapping[str, str]) -> None:
    """Take no signatures for a while, and say why in each of the petition's languages.

    Those that wait may still be confirmed. Raises NotPossible unless it is open, InvalidInput for a missing reason.
    """
    if petition.state is not PetitionState.OPEN:
        raise NotPossible(f"Only an open petition is paused; “{petition.slug}” is {petition.state}.")
    petition.state_note = _note(petition, reasons)
    petition.state = PetitionState.PAUSED


def close_petition(petition: Petition, *, now: datetime) -> None:
    """Take no new signatures; those that wait for their confirmation may still be confirmed.

    From this day on the readers' addresses are kept for a time, and no longer.
    """
    if petition.state in _FROM[PetitionState.CLOSED]:
        petition.state, petition.state_note = PetitionState.CLOSED, None
    petition.closed_on = petition.closed_on or today_in(petition, now)


def hand_over(petition: Petition, *, now: datetime) -> None:
    """Note that the list was handed over: the names in it are kept for a time, and no longer.

    One that is still open goes on; one that is closed is now delivered. Raises NotPossible for a draft.
    """
    if petition.state is PetitionState.DRAFT:
        raise NotPossible("Nobody has signed a draft: there is nothing to hand over.")
    if petition.state in _FROM[PetitionState.DELIVERED]:
        petition.state, petition.state_note = PetitionState.DELIVERED, None
    petition.handed_over_on = today_in(petition, now)


def note_answer(petition: Petition, words: Mapping[str, str], *, won: bool, now: datetime) -> None:
    """Say in each language what became of the demands; ``won``: they are met. It takes no more signatures.

    Raises NotPossible for a draft, InvalidInput for a language without words.
    """
    if petition.state is PetitionState.DRAFT:
        raise NotPossible("Nobody has signed a draft: there is nothing to answer.")
    petition.state_note = _note(petition, words)
    petition.state = PetitionState.WON if won else PetitionState.ANSWERED
    petition.answered_on = today_in(petition, now)
    petition.closed_on = petition.closed_on or petition.answered_on


def close_due(session: Session, *, now: datetime) -> list[str]:
    """Close every petition whose time is over, and record it; their slugs."""
    over = select(Petition).where(
        Petition.state.in_([PetitionState.OPEN, PetitionState.PAUSED]), Petition.closes_at <= now
    )
    closed = []
    for petition in session.scalars(over.with_for_update()):
        close_petition(petition, now=now)
        record(session, WORKER, "petition closed", petition.id, now=now)
        closed.append(petition.slug)
    return closed


def today_in(petition: Petition, now: datetime) -> date:
    """The day where the petition is."""
    return now.astimezone(ZoneInfo(petition.timezone)).date()


def _note(petition: Petition, words: Mapping[str, str]) -> dict[str, dict[str, str]]:
    for language in petition.languages:
        if not words.get(language, "").strip():
            raise InvalidInput("note", f"Say it in “{language}” too: the petition is in {_and(petition.languages)}.")
    for language in words:
        if language not in petition.languages:
            raise InvalidInput("note", f"The petition is not in “{language}”, only in {_and(petition.languages)}.")
    return {language: {"note": clean_note(words[language])} for language in petition.languages}


def _and(languages: list[str]) -> str:
    return ", ".join(languages)
