"""Lists for which two organizers have to agree: approved by another, taken once, in time, every step recorded."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from campaign.errors import CampaignError, Forbidden, NotFound, NotPossible
from campaign.installation.wiring import Campaign
from campaign.models import AuditEntry, ExportRequest, SignatureState
from campaign.periods import EXPORT_ANSWERED_WITHIN, EXPORT_REQUESTS_KEPT, EXPORT_TAKEN_WITHIN
from campaign.services.exports.approvals import (
    approve_export,
    ask_for_export,
    forget_old_requests,
    list_open_requests,
    refuse_export,
    take_export,
    wanted_by,
)
from campaign.services.exports.lists import Wanted
from campaign.services.petitions.store import get_petition
from tests.conftest import SLUG, Clock
from tests.scenes.people import find_petition

ASKING, SECOND, THIRD = "asking@example.org", "second@example.org", "third@example.org"
WANTED = Wanted("signatures", "csv", SignatureState.CONFIRMED)
SHORT = timedelta(seconds=1)


def ask(campaign: Campaign, wanted: Wanted = WANTED, actor: str = ASKING) -> int:
    with campaign.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        request = ask_for_export(session, petition, wanted, reason="For parliament", actor=actor, now=campaign.now())
        return request.id


def step(
    campaign: Campaign, name: str, number: int, actor: str, petition_id: int | None = None
) -> ExportRequest | None:
    """One of the steps, in a transaction of its own."""
    steps = {"approve": approve_export, "refuse": refuse_export, "take": take_export}
    with campaign.database.sessions.begin() as session:
        petition_id = petition_id or get_petition(session, SLUG).id
        return steps[name](session, petition_id, number, actor=actor, now=campaign.now())


def refused(campaign: Campaign, name: str, number: int, actor: str, kind: type[CampaignError]) -> None:
    """The step is refused, and nothing is changed or recorded by trying it."""
    before = audit(campaign)
    with pytest.raises(kind):
        step(campaign, name, number, actor)
    assert audit(campaign) == before


def audit(campaign: Campaign) -> list[tuple[str, str]]:
    with campaign.database.snapshots() as session:
        return [(entry.actor, entry.action) for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id))]


def open_requests(campaign: Campaign) -> list[int]:
    with campaign.database.snapshots() as session:
        petition = find_petition(campaign)
        return [request.id for request in list_open_requests(session, petition.id, now=campaign.now())]


def test_a_list_is_approved_by_another_and_taken_once(campaign: Campaign) -> None:
    number = ask(campaign)
    refused(campaign, "take", number, ASKING, NotPossible)
    refused(campaign, "approve", number, ASKING, Forbidden)
    step(campaign, "approve", number, SECOND)
    refused(campaign, "approve", number, THIRD, NotPossible)
    refused(campaign, "take", number, SECOND, Forbidden)
    assert open_requests(campaign) == [number]
    taken = step(campaign, "take", number, ASKING)
    assert taken is not None
    assert wanted_by(taken) == WANTED
    for name, actor in (("take", ASKING), ("approve", THIRD), ("refuse", SECOND)):
        refused(campaign, name, number, actor, NotPossible)
    assert open_requests(campaign) == []
    assert audit(campaign) == [(ASKING, "export asked"), (SECOND, "export approved"), (ASKING, "export")]
    with campaign.database.snapshots() as session:
        last = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert last is not None
        assert last.details == {
            "list": "signatures", "format": "csv", "state": "confirmed", "reason": "For parliament",
            "approved_by": SECOND,
        }  # fmt: skip


@pytest.mark.parametrize("approved", [True, False])
@pytest.mark.parametrize("by", [ASKING, SECOND])
def test_a_refused_list_is_not_there(sqlite_campaign: Campaign, by: str, approved: bool) -> None:
    number = ask(sqlite_campaign)
    if approved:
        step(sqlite_campaign, "approve", number, SECOND)
    step(sqlite_campaign, "refuse", number, by)
    assert audit(sqlite_campaign)[-1] == (by, "export refused")
    for name, actor in (("approve", THIRD), ("take", ASKING), ("refuse", THIRD)):
        refused(sqlite_campaign, name, number, actor, NotPossible)
    assert ask(sqlite_campaign) != number


def test_an_approved_list_is_there_for_a_day_and_a_request_for_a_week(sqlite_campaign: Campaign, clock: Clock) -> None:
    late = ask(sqlite_campaign)
    clock.turn(EXPORT_ANSWERED_WITHIN - SHORT)
    assert open_requests(sqlite_campaign) == [late]
    clock.turn(SHORT)
    assert open_requests(sqlite_campaign) == []
    refused(sqlite_campaign, "approve", late, SECOND, NotPossible)
    number = ask(sqlite_campaign)
    step(sqlite_campaign, "approve", number, SECOND)
    clock.turn(EXPORT_TAKEN_WITHIN - SHORT)
    assert open_requests(sqlite_campaign) == [number]
    clock.turn(SHORT)
    refused(sqlite_campaign, "take", number, ASKING, NotPossible)


def test_asking_twice_asks_once(campaign: Campaign) -> None:
    number = ask(campaign)
    assert ask(campaign) == number
    others = [ask(campaign, actor=SECOND), ask(campaign, Wanted("subscribers", "csv", None))]
    assert open_requests(campaign) == [number, *others]
    assert len(audit(campaign)) == 3


def test_a_request_belongs_to_its_petition(sqlite_campaign: Campaign) -> None:
    number = ask(sqlite_campaign)
    elsewhere = find_petition(sqlite_campaign).id + 1
    for name in ("approve", "refuse", "take"):
        with pytest.raises(NotFound):
            step(sqlite_campaign, name, number, SECOND, elsewhere)
    refused(sqlite_campaign, "approve", number + 1, SECOND, NotFound)


def test_requests_are_forgotten_with_the_audit_trail(sqlite_campaign: Campaign, clock: Clock) -> None:
    ask(sqlite_campaign)
    for turn, left in ((EXPORT_REQUESTS_KEPT - SHORT, 1), (SHORT, 0)):
        clock.turn(turn)
        with sqlite_campaign.database.sessions.begin() as session:
            forget_old_requests(session, now=sqlite_campaign.now())
            assert len(session.scalars(select(ExportRequest)).all()) == left
