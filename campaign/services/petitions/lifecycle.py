"""The life of a petition: opened, paused, closed, handed over, answered. Each step is recorded."""

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.errors import InvalidInput, NotPossible
from campaign.models import AuditAction, Petition, PetitionState
from campaign.services.audit_log import WORKER, record
from campaign.text.personal_text import clean_note

# For each state: the states from which a petition gets into it.
_FROM = {
    PetitionState.OPEN: set(PetitionState),
    PetitionState.PAUSED: {PetitionState.OPEN},
    PetitionState.CLOSED: {PetitionState.DRAFT, PetitionState.OPEN, PetitionState.PAUSED, PetitionState.CLOSED},
    PetitionState.DELIVERED: {PetitionState.CLOSED, PetitionState.DELIVERED},
    PetitionState.ANSWERED: set(PetitionState) - {PetitionState.DRAFT},
    PetitionState.WON: set(PetitionState) - {PetitionState.DRAFT},
}


# The states that an organizer chooses, and those of them that come with words for the page.
CHOSEN = tuple(_FROM)
NOTED = frozenset({PetitionState.PAUSED, PetitionState.ANSWERED, PetitionState.WON})


def list_next_states(petition: Petition) -> list[PetitionState]:
    """The states into which the petition can be brought from its present one, in the order of a life."""
    if petition.burned_on is not None:
        return []
    return [state for state in _FROM if petition.state in _FROM[state] and state is not petition.state]


def takes_signatures(petition: Petition, now: datetime) -> bool:
    """Whether a form that is sent now is accepted. The closing time decides, not when the worker closes it."""
    return petition.state is PetitionState.OPEN and (petition.closes_at is None or now < petition.closes_at)


def open_petition(session: Session, petition: Petition, *, actor: str, now: datetime) -> None:
    """Take signatures from now on. Raises NotPossible if the petition was burned, or its closing time has passed."""
    if petition.burned_on is not None:
        raise NotPossible(f"“{petition.slug}” was burned on {petition.burned_on}: it stays closed.")
    if petition.closes_at is not None and petition.closes_at <= now:
        raise NotPossible(
            f"“{petition.slug}” closed at the time in its campaign file. Write a later time there, or none."
        )
    petition.state, petition.state_note, petition.closed_on, petition.answered_on = PetitionState.OPEN, None, None, None
    record(session, actor, AuditAction.PETITION_OPENED, petition.id, now=now)


def pause_petition(
    session: Session, petition: Petition, reasons: Mapping[str, str], *, actor: str, now: datetime
) -> None:
    """Take no signatures for a while, and publish the reason in each of the petition's languages.

    Signatures that wait for their confirmation may still be confirmed. Raises NotPossible if the petition is not open,
    InvalidInput for a missing reason.
    """
    if petition.state is not PetitionState.OPEN:
        raise NotPossible(f"Only an open petition can be paused; “{petition.slug}” is {petition.state}.")
    petition.state_note = _note(petition, reasons)
    petition.state = PetitionState.PAUSED
    record(session, actor, AuditAction.PETITION_PAUSED, petition.id, now=now)


def close_petition(session: Session, petition: Petition, *, actor: str, now: datetime) -> None:
    """Take no new signatures; those that wait for their confirmation may still be confirmed.

    From this day on the readers' addresses are kept for a limited time.
    """
    end_signing(petition, now=now)
    record(session, actor, AuditAction.PETITION_CLOSED, petition.id, now=now)


def end_signing(petition: Petition, *, now: datetime) -> None:
    """Close the petition; the caller records why: it was closed, or it was burned."""
    if petition.state in _FROM[PetitionState.CLOSED]:
        petition.state, petition.state_note = PetitionState.CLOSED, None
    petition.closed_on = petition.closed_on or today_in(petition, now)


def hand_over(session: Session, petition: Petition, *, actor: str, now: datetime) -> None:
    """Note that the list was handed over: the names in it are kept for a limited time.

    A petition that is still open stays open; a closed one becomes delivered. Raises NotPossible for a draft.
    """
    if petition.state is PetitionState.DRAFT:
        raise NotPossible("Nobody has signed a draft: there is nothing to hand over.")
    if petition.state in _FROM[PetitionState.DELIVERED]:
        petition.state, petition.state_note = PetitionState.DELIVERED, None
    petition.handed_over_on = today_in(petition, now)
    record(session, actor, AuditAction.LIST_HANDED_OVER, petition.id, now=now)


def note_answer(
    session: Session, petition: Petition, words: Mapping[str, str], *, won: bool, actor: str, now: datetime
) -> None:
    """Publish the answer to the demands in each language; ``won``: they are met. It takes no more signatures.

    Raises NotPossible for a draft, InvalidInput for a language without words.
    """
    if petition.state is PetitionState.DRAFT:
        raise NotPossible("Nobody has signed a draft: there is nothing to answer.")
    petition.state_note = _note(petition, words)
    petition.state = PetitionState.WON if won else PetitionState.ANSWERED
    petition.answered_on = today_in(petition, now)
    petition.closed_on = petition.closed_on or petition.answered_on
    action = AuditAction.PETITION_WON if won else AuditAction.PETITION_ANSWERED
    record(session, actor, action, petition.id, now=now)


def change_state(
    session: Session, petition: Petition, to: PetitionState, notes: Mapping[str, str], *, actor: str, now: datetime
) -> None:
    """Bring the petition into the state ``to``; ``notes`` are the words for the states that have some.

    A petition that is in this state already stays as it is: the second click on a button changes nothing. Raises
    NotPossible, InvalidInput.
    """
    if petition.state is to:
        return
    match to:
        case PetitionState.OPEN:
            open_petition(session, petition, actor=actor, now=now)
        case PetitionState.PAUSED:
            pause_petition(session, petition, notes, actor=actor, now=now)
        case PetitionState.CLOSED:
            close_petition(session, petition, actor=actor, now=now)
        case PetitionState.DELIVERED:
            hand_over(session, petition, actor=actor, now=now)
        case PetitionState.ANSWERED | PetitionState.WON:
            note_answer(session, petition, notes, won=to is PetitionState.WON, actor=actor, now=now)
        case PetitionState.DRAFT:
            raise NotPossible(f"“{petition.slug}” was published: it is no draft any more.")


def switch_challenge(session: Session, petition_id: int, *, on: bool, actor: str, now: datetime) -> None:
    """Ask signers for a challenge from now on, or stop asking. If nothing changes, nothing is recorded."""
    petition = session.get_one(Petition, petition_id, with_for_update=True)
    if petition.challenge is on:
        return
    petition.challenge = on
    action = AuditAction.CHALLENGE_SWITCHED_ON if on else AuditAction.CHALLENGE_SWITCHED_OFF
    record(session, actor, action, petition_id, now=now)


def close_due(session: Session, *, now: datetime) -> list[str]:
    """Close every petition whose closing time has passed. Returns their slugs."""
    over = select(Petition).where(
        Petition.state.in_([PetitionState.OPEN, PetitionState.PAUSED]), Petition.closes_at <= now
    )
    closed = []
    for petition in session.scalars(over.with_for_update()):
        close_petition(session, petition, actor=WORKER, now=now)
        closed.append(petition.slug)
    return closed


def today_in(petition: Petition, now: datetime) -> date:
    """The present day in the petition's timezone."""
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
