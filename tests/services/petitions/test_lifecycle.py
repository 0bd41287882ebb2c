"""The life of a petition: each step from each state, what is said on the way, and the moment at which it closes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.errors import InvalidInput, NotOpen, NotPossible
from campaign.installation.wiring import Installation
from campaign.models import AuditAction, AuditEntry, Petition, PetitionState, SignatureState
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.petitions.counts import count_confirmed
from campaign.services.petitions.lifecycle import (
    CHOSEN,
    change_state,
    close_due,
    close_petition,
    hand_over,
    list_next_states,
    note_answer,
    open_petition,
    pause_petition,
    switch_challenge,
    takes_signatures,
)
from campaign.services.petitions.store import get_petition
from tests.conftest import SLUG, START, Clock
from tests.scenes.people import confirm, find_petition, get_signature, sign

NOTES = {"en": "The server moves.", "ru": "Сервер переезжает.", "kk": "Сервер көшеді."}
MOVES: dict[PetitionState, Callable[[Session, Petition], None]] = {
    PetitionState.OPEN: partial(open_petition, actor=COMMAND_LINE, now=START),
    PetitionState.PAUSED: partial(pause_petition, reasons=NOTES, actor=COMMAND_LINE, now=START),
    PetitionState.CLOSED: partial(close_petition, actor=COMMAND_LINE, now=START),
    PetitionState.DELIVERED: partial(hand_over, actor=COMMAND_LINE, now=START),
    PetitionState.ANSWERED: partial(note_answer, words=NOTES, won=False, actor=COMMAND_LINE, now=START),
    PetitionState.WON: partial(note_answer, words=NOTES, won=True, actor=COMMAND_LINE, now=START),
}
# What is recorded for each state that an organizer chooses.
RECORDED = {
    PetitionState.OPEN: AuditAction.PETITION_OPENED,
    PetitionState.PAUSED: AuditAction.PETITION_PAUSED,
    PetitionState.CLOSED: AuditAction.PETITION_CLOSED,
    PetitionState.DELIVERED: AuditAction.LIST_HANDED_OVER,
    PetitionState.ANSWERED: AuditAction.PETITION_ANSWERED,
    PetitionState.WON: AuditAction.PETITION_WON,
}


def audit(session: Session) -> list[tuple[str, str]]:
    return [(entry.actor, entry.action) for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id))]


@pytest.mark.parametrize(("before", "wanted"), list(product(PetitionState, MOVES)))
def test_what_is_offered_is_what_happens(session: Session, before: PetitionState, wanted: PetitionState) -> None:
    petition = get_petition(session, SLUG)
    petition.state = before
    offered = wanted in list_next_states(petition)
    try:
        MOVES[wanted](session, petition)
        moved = petition.state is wanted and before is not wanted
    except NotPossible:
        moved = False
    assert moved == offered
    assert petition.state is (wanted if moved else before)


@pytest.mark.parametrize(("before", "wanted"), list(product(PetitionState, CHOSEN)))
def test_a_state_is_changed_and_recorded_once(session: Session, before: PetitionState, wanted: PetitionState) -> None:
    petition = get_petition(session, SLUG)
    petition.state = before
    refused = False
    for _ in range(2):
        try:
            change_state(session, petition, wanted, NOTES, actor="dana@example.org", now=START)
        except NotPossible:
            refused = True
    session.flush()
    if before is wanted or refused:
        assert audit(session) == []
        assert petition.state is before
    elif petition.state is wanted:
        assert audit(session) == [("dana@example.org", RECORDED[wanted])]
    else:  # a list that is handed over while people sign closes nothing, and may be handed over again
        assert wanted in (PetitionState.DELIVERED, PetitionState.CLOSED)
        assert audit(session) == [("dana@example.org", RECORDED[wanted])] * 2


def test_nobody_makes_a_draft_of_a_petition_again(session: Session) -> None:
    with pytest.raises(NotPossible, match="no draft any more"):
        change_state(session, get_petition(session, SLUG), PetitionState.DRAFT, {}, actor=COMMAND_LINE, now=START)
    assert audit(session) == []


def test_the_challenge_is_switched_and_recorded_once(session: Session) -> None:
    petition = get_petition(session, SLUG)
    for on in (True, True, False, False):
        switch_challenge(session, petition.id, on=on, actor="dana@example.org", now=START)
        assert petition.challenge is on
    switched = [AuditAction.CHALLENGE_SWITCHED_ON, AuditAction.CHALLENGE_SWITCHED_OFF]
    assert audit(session) == [("dana@example.org", action) for action in switched]


def test_a_burned_petition_stays_as_it_is(session: Session) -> None:
    petition = get_petition(session, SLUG)
    petition.burned_on = START.date()
    assert list_next_states(petition) == []
    with pytest.raises(NotPossible, match="stays closed"):
        open_petition(session, petition, actor=COMMAND_LINE, now=START)


def test_a_pause_says_why_in_every_language_and_takes_no_signature(installation: Installation) -> None:
    sign(installation, "early@example.org")
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        with pytest.raises(InvalidInput, match="“kk” too"):
            pause_petition(
                session,
                petition,
                {"en": "Why.", "ru": "Почему.", "kk": "  "},
                actor=COMMAND_LINE,
                now=installation.now(),
            )
        with pytest.raises(InvalidInput, match="not in “de”"):
            pause_petition(session, petition, NOTES | {"de": "Warum."}, actor=COMMAND_LINE, now=installation.now())
        pause_petition(session, petition, NOTES, actor=COMMAND_LINE, now=installation.now())
    assert find_petition(installation).state_note == {code: {"note": text} for code, text in NOTES.items()}
    with pytest.raises(NotOpen):
        sign(installation, "late@example.org")
    confirm(installation, "early@example.org")  # who was there before keeps the way
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        assert count_confirmed(session, petition.id) == 1
        open_petition(session, petition, actor=COMMAND_LINE, now=installation.now())
        assert petition.state_note is None
    sign(installation, "late@example.org")


def test_it_closes_at_its_time_whatever_the_worker_does(installation: Installation, clock: Clock) -> None:
    end = START + timedelta(hours=1)
    with installation.database.sessions.begin() as session:
        get_petition(session, SLUG).closes_at = end
    sign(installation, "in-time@example.org")
    clock.turn(timedelta(hours=1) - timedelta(seconds=1))
    assert takes_signatures(find_petition(installation), installation.now())
    with installation.database.sessions.begin() as session:
        assert close_due(session, now=installation.now()) == []
    clock.turn(timedelta(seconds=1))
    assert not takes_signatures(find_petition(installation), installation.now())
    with pytest.raises(NotOpen):
        sign(installation, "late@example.org")
    with installation.database.sessions.begin() as session:
        assert close_due(session, now=installation.now()) == [SLUG]
        assert close_due(session, now=installation.now()) == []
        entries = [(entry.actor, entry.action) for entry in session.query(AuditEntry)]
    assert ("worker", "petition closed") in entries
    petition = find_petition(installation)
    assert (petition.state, petition.closed_on) == (PetitionState.CLOSED, installation.now().date())
    with installation.database.sessions.begin() as session, pytest.raises(NotPossible, match="closed at the time"):
        open_petition(session, get_petition(session, SLUG), actor=COMMAND_LINE, now=installation.now())
    confirm(installation, "in-time@example.org")
    assert get_signature(installation, "in-time@example.org").state is SignatureState.CONFIRMED


def test_the_day_of_closing_is_the_one_where_the_petition_is(session: Session) -> None:
    petition = get_petition(session, SLUG)  # in Almaty, five hours ahead
    close_petition(session, petition, actor=COMMAND_LINE, now=datetime(2026, 12, 31, 20, 0, tzinfo=UTC))
    assert petition.closed_on is not None
    assert petition.closed_on.isoformat() == "2027-01-01"


def test_a_list_handed_over_while_people_sign_closes_nothing(session: Session) -> None:
    petition = get_petition(session, SLUG)
    hand_over(session, petition, actor=COMMAND_LINE, now=START)
    assert (petition.state, petition.handed_over_on) == (PetitionState.OPEN, START.date())


@pytest.mark.parametrize(
    ("confirmed", "goal"), [(0, 100), (99, 100), (100, 1000), (999, 1000), (1000, 10000), (25000, 10000)]
)
def test_the_goal_steps_up_when_it_is_reached(confirmed: int, goal: int) -> None:
    petition = Petition(goal=10000, goal_steps=[100, 1000])
    assert petition.goal_at(confirmed) == goal
