"""Steps of a person: with one edition, which is sent only if it was started, or with the whole digest."""

from functools import partial

import pytest
from sqlalchemy import select

from campaign.errors import NotFound, NotPossible
from campaign.installation.wiring import Installation
from campaign.models import AuditEntry, Edition, EditionState, Schedule
from campaign.services.digests.steps import choose_number, pause_digest, resume_digest, take_step
from campaign.services.digests.transitions import Dispatch, approve_edition, cancel_edition
from campaign.services.petitions.store import get_petition
from tests.conftest import SLUG
from tests.scenes.editions import make_by_hand, plan
from tests.scenes.people import add_readers, find_petition

ME = "me@example.org"


def states(installation: Installation) -> list[EditionState]:
    with installation.database.snapshots() as session:
        return list(session.scalars(select(Edition.state).order_by(Edition.id)))


def is_schedule_paused(installation: Installation) -> bool:
    with installation.database.snapshots() as session:
        return session.get_one(Schedule, find_petition(installation).id).paused


def actions(installation: Installation) -> list[tuple[str, str]]:
    with installation.database.snapshots() as session:
        mine = select(AuditEntry).where(AuditEntry.actor == ME).order_by(AuditEntry.id)
        return [(entry.action, str(entry.details.get("edition", ""))) for entry in session.scalars(mine)]


def test_it_stops_what_is_sent_and_goes_on_with_it(installation: Installation) -> None:
    add_readers(installation, "a@example.org")
    plan(installation)
    made = make_by_hand(installation)
    assert made.state is EditionState.SENDING
    with installation.database.sessions.begin() as session:
        stopped = pause_digest(session, get_petition(session, SLUG), actor=ME, now=installation.now())
    assert [edition.number for edition in stopped] == [1]
    assert (states(installation), is_schedule_paused(installation)) == ([EditionState.PAUSED], True)

    enqueued: list[int | None] = []
    dispatch = Dispatch(installation.dispatch.guard, lambda _, edition: enqueued.append(edition.number))
    with installation.database.sessions.begin() as session:
        resumed = resume_digest(session, get_petition(session, SLUG), dispatch, actor=ME, now=installation.now())
    assert ([edition.number for edition in resumed], enqueued) == ([1], [1])
    assert (states(installation), is_schedule_paused(installation)) == ([EditionState.SENDING], False)
    assert actions(installation) == [
        ("digest paused", ""),
        ("edition paused", "1"),
        ("digest resumed", ""),
        ("edition resumed", "1"),
    ]


def test_a_draft_waits_for_its_approval_all_the_same(installation: Installation) -> None:
    add_readers(installation, "a@example.org")
    plan(installation, needs_approval=True)
    make_by_hand(installation)
    with installation.database.sessions.begin() as session:
        assert pause_digest(session, get_petition(session, SLUG), actor=ME, now=installation.now()) == []
    assert states(installation) == [EditionState.DRAFT]


def test_a_step_is_taken_and_an_edition_that_starts_is_handed_on_to_be_sent(installation: Installation) -> None:
    add_readers(installation, "a@example.org")
    plan(installation, needs_approval=True)
    make_by_hand(installation)
    seen: list[EditionState] = []

    dispatch = Dispatch(installation.dispatch.guard, lambda _, edition: seen.append(edition.state))
    approve = partial(approve_edition, dispatch=dispatch)
    for step, state in ((approve, EditionState.SENDING), (cancel_edition, EditionState.CANCELLED)):
        with installation.database.sessions.begin() as session:
            petition = get_petition(session, SLUG)
            edition = take_step(session, petition, 1, step, actor=ME, now=installation.now())
        assert edition.state is state
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        with pytest.raises(NotPossible):
            take_step(session, petition, 1, cancel_edition, actor=ME, now=installation.now())
        with pytest.raises(NotFound):
            take_step(session, petition, 2, cancel_edition, actor=ME, now=installation.now())
    assert seen == [EditionState.SENDING]


def test_the_only_unfinished_edition_needs_no_number(installation: Installation) -> None:
    add_readers(installation, "a@example.org")
    with installation.database.snapshots() as session:
        petition = get_petition(session, SLUG)
        with pytest.raises(NotPossible, match="is unfinished"):
            choose_number(session, petition)
    make_by_hand(installation)
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        assert choose_number(session, petition) == 1
        with pytest.raises(NotPossible, match="is draft"):
            choose_number(session, petition, EditionState.DRAFT)
        first = session.scalars(select(Edition)).one()
        session.add(
            Edition(
                petition_id=petition.id,
                period="second",
                number=2,
                state=EditionState.DRAFT,
                made_at=installation.now(),
                total=first.total,
                last_update=first.last_update,
            )
        )
        session.flush()
        with pytest.raises(NotPossible, match="1, 2 are unfinished"):
            choose_number(session, petition)
        assert choose_number(session, petition, EditionState.DRAFT) == 2
