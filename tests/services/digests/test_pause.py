"""Pausing a digest as a whole: no edition is made by schedule, and those under way stop until it is resumed."""

from sqlalchemy import select

from campaign.installation.wiring import Campaign
from campaign.models import AuditEntry, Edition, EditionState, Schedule
from campaign.services.digests.pause import pause_digest, resume_digest
from campaign.services.petitions.store import get_petition
from tests.conftest import SLUG
from tests.scenes.editions import make_by_hand, plan
from tests.scenes.people import add_readers, find_petition

ME = "me@example.org"


def states(campaign: Campaign) -> list[EditionState]:
    with campaign.database.snapshots() as session:
        return list(session.scalars(select(Edition.state).order_by(Edition.id)))


def is_schedule_paused(campaign: Campaign) -> bool:
    with campaign.database.snapshots() as session:
        return session.get_one(Schedule, find_petition(campaign).id).paused


def actions(campaign: Campaign) -> list[tuple[str, str]]:
    with campaign.database.snapshots() as session:
        mine = select(AuditEntry).where(AuditEntry.actor == ME).order_by(AuditEntry.id)
        return [(entry.action, str(entry.details.get("edition", ""))) for entry in session.scalars(mine)]


def test_it_stops_what_is_sent_and_goes_on_with_it(campaign: Campaign) -> None:
    add_readers(campaign, "a@example.org")
    plan(campaign)
    made = make_by_hand(campaign)
    assert made.state is EditionState.SENDING
    with campaign.database.sessions.begin() as session:
        stopped = pause_digest(session, get_petition(session, SLUG), actor=ME, now=campaign.now())
    assert [edition.number for edition in stopped] == [1]
    assert (states(campaign), is_schedule_paused(campaign)) == ([EditionState.PAUSED], True)

    enqueued: list[int | None] = []
    with campaign.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        resumed = resume_digest(
            session, petition, lambda _, edition: enqueued.append(edition.number), actor=ME, now=campaign.now()
        )
    assert ([edition.number for edition in resumed], enqueued) == ([1], [1])
    assert (states(campaign), is_schedule_paused(campaign)) == ([EditionState.SENDING], False)
    assert actions(campaign) == [
        ("digest paused", ""),
        ("edition paused", "1"),
        ("digest resumed", ""),
        ("edition resumed", "1"),
    ]


def test_a_draft_waits_for_its_approval_all_the_same(campaign: Campaign) -> None:
    add_readers(campaign, "a@example.org")
    plan(campaign, needs_approval=True)
    make_by_hand(campaign)
    with campaign.database.sessions.begin() as session:
        assert pause_digest(session, get_petition(session, SLUG), actor=ME, now=campaign.now()) == []
    assert states(campaign) == [EditionState.DRAFT]
