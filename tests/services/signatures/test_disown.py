"""“This was not me”: what was typed is erased, taken from the count, and no mail goes to the address again."""

import pytest
from sqlalchemy import select

from campaign.crypto.link_purposes import LinkPurpose
from campaign.errors import LinkExpired
from campaign.installation.wiring import Campaign
from campaign.models import Delivery, DeliveryState, SignatureState, Subscription, SubscriptionState
from campaign.periods import CONFIRMATION_AGAIN_AFTER
from campaign.services.subscribers.suppressions import find_suppression
from campaign.text.email_address import parse_email_address
from campaign.worker import work_once
from tests.conftest import Clock
from tests.scenes.people import (
    confirm,
    count,
    disown,
    follow,
    get_signature,
    get_signature_by_id,
    list_deliveries,
    list_personal,
    sign,
)

ADDRESS = "aigerim@example.org"


@pytest.mark.parametrize(
    ("was_confirmed", "state"), [(False, SignatureState.EXPIRED), (True, SignatureState.WITHDRAWN)]
)
def test_not_me_erases_uncounts_and_suppresses(campaign: Campaign, was_confirmed: bool, state: SignatureState) -> None:
    sign(campaign, "other@example.org")
    confirm(campaign, "other@example.org")
    sign(campaign, ADDRESS, country="KZ", updates=True)
    if was_confirmed:
        confirm(campaign, ADDRESS)
    assert count(campaign) == 1 + was_confirmed
    signature_id = get_signature(campaign, ADDRESS).id
    disown(campaign, ADDRESS)
    signature = get_signature_by_id(campaign, signature_id)
    assert signature.state is state
    assert list_personal(signature) == [None] * 5
    assert count(campaign) == 1
    with campaign.database.snapshots() as session:
        assert find_suppression(session, campaign.vault.fingerprint(parse_email_address(ADDRESS)))
        ended = [(item.state, item.sealed_address, item.fingerprint) for item in session.scalars(select(Subscription))]
    assert ended == [(SubscriptionState.ENDED, None, None)] * was_confirmed
    with pytest.raises(LinkExpired):
        follow(campaign, campaign.vault.token(LinkPurpose.CONFIRM, signature_id))


def test_a_number_that_was_withdrawn_is_not_given_again(campaign: Campaign) -> None:
    for email in ("one@example.org", "two@example.org"):
        sign(campaign, email)
        confirm(campaign, email)
    disown(campaign, "two@example.org")
    sign(campaign, "three@example.org")
    confirm(campaign, "three@example.org")
    assert get_signature(campaign, "three@example.org").number == 3


def test_after_not_me_no_mail_goes_to_the_address(campaign: Campaign, clock: Clock) -> None:
    sign(campaign, ADDRESS)
    disown(campaign, ADDRESS)
    clock.turn(CONFIRMATION_AGAIN_AFTER)
    sign(campaign, ADDRESS)
    work_once(campaign)
    states = [(delivery.state, delivery.reason) for delivery in list_deliveries(campaign)]
    assert states == [
        (DeliveryState.SUPPRESSED, "the signature is expired"),
        (DeliveryState.SUPPRESSED, "the address is suppressed: not me"),
    ]
    assert not campaign.settings.outbox.exists()
    with campaign.database.snapshots() as session:
        assert {item.attempts for item in session.scalars(select(Delivery))} == {0}
