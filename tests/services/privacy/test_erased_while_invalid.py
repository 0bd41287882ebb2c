"""Whoever is erased while their signature is declared invalid stays erased, whatever becomes of the decision."""

import pytest

from campaign.installation.wiring import Campaign
from campaign.models import ReviewAction, SignatureState
from campaign.services.privacy.erase_person import forget
from campaign.text.email_address import parse_email_address
from tests.scenes.people import count, get_signature, get_signature_by_id, withdraw
from tests.scenes.suspects import COUNTED, WAITING, count_in, quarantine, review, undo

A = "a@example.org"


@pytest.fixture
def campaign(sqlite_campaign: Campaign) -> Campaign:
    return sqlite_campaign


def test_who_withdraws_and_signs_again_is_counted_once(campaign: Campaign) -> None:
    count_in(campaign, A)
    decision = review(campaign, ReviewAction.INVALIDATE, COUNTED)
    withdraw(campaign, A)
    count_in(campaign, A)
    undo(campaign, decision)
    assert count(campaign) == 1


def test_who_was_forgotten_is_counted_by_no_later_decision(campaign: Campaign) -> None:
    quarantine(campaign, A)
    gone = get_signature(campaign, A).id
    decision = review(campaign, ReviewAction.INVALIDATE, WAITING)
    with campaign.database.sessions.begin() as session:
        forget(session, campaign.vault, parse_email_address(A), actor="x", now=campaign.now())
    undo(campaign, decision)
    assert get_signature_by_id(campaign, gone).state is SignatureState.WITHDRAWN
    assert count(campaign) == 0
