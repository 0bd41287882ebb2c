"""Lists for which two organizers have to agree: approved by another, taken once, in time, every step recorded."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from campaign.errors import CampaignError, Forbidden, NotFound, NotPossible
from campaign.installation.wiring import Installation
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


def ask(installation: Installation, wanted: Wanted = WANTED, actor: str = ASKING) -> int:
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        request = ask_for_export(
            session, petition, wanted, reason="For parliament", actor=actor, now=installation.now()
        )
        return request.id


def step(
    installation: Installation, name: str, number: int, actor: str, petition_id: int | None = None
) -> ExportRequest | None:
    """One of the steps, in a transaction of its own."""
    steps = {"approve": approve_export, "refuse": refuse_export, "take": take_export}
    with installation.database.sessions.begin() as session:
        petition_id = petition_id or get_petition(session, SLUG).id
        return steps[name](session, petition_id, number, actor=actor, now=installation.now())


def refused(installation: Installation, name: str, number: int, actor: str, kind: type[CampaignError]) -> None:
    """The step is refused, and nothing is changed or recorded by trying it."""
    before = audit(installation)
    with pytest.raises(kind):
        step(installation, name, number, actor)
    assert audit(installation) == before


def audit(installation: Installation) -> list[tuple[str, str]]:
    with installation.database.snapshots() as session:
        return [(entry.actor, entry.action) for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id))]


def open_requests(installation: Installation) -> list[int]:
    with installation.database.snapshots() as session:
        petition = find_petition(installation)
        return [request.id for request in list_open_requests(session, petition.id, now=installation.now())]


def test_a_list_is_approved_by_another_and_taken_once(installation: Installation) -> None:
    number = ask(installation)
    refused(installation, "take", number, ASKING, NotPossible)
    refused(installation, "approve", number, ASKING, Forbidden)
    step(installation, "approve", number, SECOND)
    refused(installation, "approve", number, THIRD, NotPossible)
    refused(installation, "take", number, SECOND, Forbidden)
    assert open_requests(installation) == [number]
    taken = step(installation, "take", number, ASKING)
    assert taken is not None
    assert wanted_by(taken) == WANTED
    for name, actor in (("take", ASKING), ("approve", THIRD), ("refuse", SECOND)):
        refused(installation, name, number, actor, NotPossible)
    assert open_requests(installation) == []
    assert audit(installation) == [(ASKING, "export asked"), (SECOND, "export approved"), (ASKING, "export")]
    with installation.database.snapshots() as session:
        last = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert last is not None
        assert last.details == {
            "list": "signatures", "format": "csv", "state": "confirmed", "reason": "For parliament",
            "approved_by": SECOND,
        }  # fmt: skip


@pytest.mark.parametrize("approved", [True, False])
@pytest.mark.parametrize("by", [ASKING, SECOND])
def test_a_refused_list_is_not_there(sqlite_installation: Installation, by: str, approved: bool) -> None:
    number = ask(sqlite_installation)
    if approved:
        step(sqlite_installation, "approve", number, SECOND)
    step(sqlite_installation, "refuse", number, by)
    assert audit(sqlite_installation)[-1] == (by, "export refused")
    for name, actor in (("approve", THIRD), ("take", ASKING), ("refuse", THIRD)):
        refused(sqlite_installation, name, number, actor, NotPossible)
    assert ask(sqlite_installation) != number


def test_an_approved_list_is_there_for_a_day_and_a_request_for_a_week(
    sqlite_installation: Installation, clock: Clock
) -> None:
    late = ask(sqlite_installation)
    clock.turn(EXPORT_ANSWERED_WITHIN - SHORT)
    assert open_requests(sqlite_installation) == [late]
    clock.turn(SHORT)
    assert open_requests(sqlite_installation) == []
    refused(sqlite_installation, "approve", late, SECOND, NotPossible)
    number = ask(sqlite_installation)
    step(sqlite_installation, "approve", number, SECOND)
    clock.turn(EXPORT_TAKEN_WITHIN - SHORT)
    assert open_requests(sqlite_installation) == [number]
    clock.turn(SHORT)
    refused(sqlite_installation, "take", number, ASKING, NotPossible)


def test_asking_twice_asks_once(installation: Installation) -> None:
    number = ask(installation)
    assert ask(installation) == number
    others = [ask(installation, actor=SECOND), ask(installation, Wanted("subscribers", "csv", None))]
    assert open_requests(installation) == [number, *others]
    assert len(audit(installation)) == 3


def test_a_request_belongs_to_its_petition(sqlite_installation: Installation) -> None:
    number = ask(sqlite_installation)
    elsewhere = find_petition(sqlite_installation).id + 1
    for name in ("approve", "refuse", "take"):
        with pytest.raises(NotFound):
            step(sqlite_installation, name, number, SECOND, elsewhere)
    refused(sqlite_installation, "approve", number + 1, SECOND, NotFound)


def test_requests_are_forgotten_with_the_audit_trail(sqlite_installation: Installation, clock: Clock) -> None:
    ask(sqlite_installation)
    for turn, left in ((EXPORT_REQUESTS_KEPT - SHORT, 1), (SHORT, 0)):
        clock.turn(turn)
        with sqlite_installation.database.sessions.begin() as session:
            forget_old_requests(session, now=sqlite_installation.now())
            assert len(session.scalars(select(ExportRequest)).all()) == left
