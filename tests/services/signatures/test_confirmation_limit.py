"""The mail bomber's limit: one confirmation mail a day to an address and three in all, whatever is posted."""

from datetime import timedelta

import pytest

from campaign.installation.wiring import Installation
from campaign.run.supervisor import BUILT_IN
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.petitions.file_reader import read_petition_file
from campaign.services.petitions.lifecycle import open_petition
from campaign.services.petitions.store import load_petition
from campaign.services.signatures.erase import expire_pending
from tests.conftest import SLUG, START, Clock
from tests.scenes.people import confirm, find_petition, get_signature, list_deliveries, sign

HOUR = timedelta(hours=1)


def load_another_petition(installation: Installation) -> str:
    with installation.database.sessions.begin() as session:
        file = read_petition_file(BUILT_IN).model_copy(update={"slug": "another"})
        open_petition(
            session, load_petition(session, file, actor=COMMAND_LINE, now=START), actor=COMMAND_LINE, now=START
        )
    return "another"


@pytest.mark.parametrize(
    ("hours", "mails"),
    [
        ([0, 0, 1, 23], 1),
        ([0, 24], 2),
        ([0, 24, 47], 2),
        ([0, 24, 48], 3),
        ([0, 24, 48, 72, 96, 200], 3),
        ([0, 80, 160, 240, 400], 3),
    ],
)
def test_an_address_gets_one_mail_a_day_and_three_in_all(
    installation: Installation, clock: Clock, hours: list[int], mails: int
) -> None:
    for hour in hours:
        clock.moment = START + hour * HOUR
        with installation.database.sessions.begin() as session:
            expire_pending(session, now=clock())
        sign(installation, "victim@example.org")
    assert len(list_deliveries(installation)) == mails


def test_the_limit_holds_over_all_petitions_together(installation: Installation, clock: Clock) -> None:
    another = load_another_petition(installation)
    for day in range(6):
        clock.moment = START + timedelta(days=day)
        sign(installation, "victim@example.org", SLUG if day % 2 else another)
        sign(installation, "victim@example.org", another if day % 2 else SLUG)
    assert len(list_deliveries(installation)) == 3


def test_whoever_confirms_may_sign_the_next_petition_at_once(installation: Installation) -> None:
    another = load_another_petition(installation)
    sign(installation, "aigerim@example.org")
    confirm(installation, "aigerim@example.org")
    sign(installation, "aigerim@example.org", another)
    assert [delivery.petition_id for delivery in list_deliveries(installation)] == [
        find_petition(installation).id,
        find_petition(installation, another).id,
    ]


def test_a_submission_that_gets_no_mail_does_not_lengthen_the_link(installation: Installation, clock: Clock) -> None:
    sign(installation, "aigerim@example.org")
    clock.turn(23 * HOUR)
    sign(installation, "aigerim@example.org")
    assert get_signature(installation, "aigerim@example.org").expires_at == START + 72 * HOUR
    clock.turn(HOUR)
    sign(installation, "aigerim@example.org")
    assert get_signature(installation, "aigerim@example.org").expires_at == START + 96 * HOUR
