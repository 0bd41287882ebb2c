"""The mail bomber's limit: one confirmation mail a day to an address and three in all, whatever is posted."""

from datetime import timedelta

import pytest

from campaign.installation.wiring import Campaign
from campaign.run.supervisor import BUILT_IN
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.petitions.file_reader import read_petition_file
from campaign.services.petitions.lifecycle import open_petition
from campaign.services.petitions.store import load_petition
from campaign.services.signatures.erase import expire_pending
from tests.conftest import SLUG, START, Clock
from tests.scenes.people import confirm, find_petition, get_signature, list_deliveries, sign

HOUR = timedelta(hours=1)


def load_another_petition(campaign: Campaign) -> str:
    with campaign.database.sessions.begin() as session:
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
    campaign: Campaign, clock: Clock, hours: list[int], mails: int
) -> None:
    for hour in hours:
        clock.moment = START + hour * HOUR
        with campaign.database.sessions.begin() as session:
            expire_pending(session, now=clock())
        sign(campaign, "victim@example.org")
    assert len(list_deliveries(campaign)) == mails


def test_the_limit_holds_over_all_petitions_together(campaign: Campaign, clock: Clock) -> None:
    another = load_another_petition(campaign)
    for day in range(6):
        clock.moment = START + timedelta(days=day)
        sign(campaign, "victim@example.org", SLUG if day % 2 else another)
        sign(campaign, "victim@example.org", another if day % 2 else SLUG)
    assert len(list_deliveries(campaign)) == 3


def test_whoever_confirms_may_sign_the_next_petition_at_once(campaign: Campaign) -> None:
    another = load_another_petition(campaign)
    sign(campaign, "aigerim@example.org")
    confirm(campaign, "aigerim@example.org")
    sign(campaign, "aigerim@example.org", another)
    assert [delivery.petition_id for delivery in list_deliveries(campaign)] == [
        find_petition(campaign).id,
        find_petition(campaign, another).id,
    ]


def test_a_submission_that_gets_no_mail_does_not_lengthen_the_link(campaign: Campaign, clock: Clock) -> None:
    sign(campaign, "aigerim@example.org")
    clock.turn(23 * HOUR)
    sign(campaign, "aigerim@example.org")
    assert get_signature(campaign, "aigerim@example.org").expires_at == START + 72 * HOUR
    clock.turn(HOUR)
    sign(campaign, "aigerim@example.org")
    assert get_signature(campaign, "aigerim@example.org").expires_at == START + 96 * HOUR
