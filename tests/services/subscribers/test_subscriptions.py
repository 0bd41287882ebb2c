"""Subscriptions: they end at a click, as often as it is made, and nothing of the reader is kept."""

import pytest

from campaign.crypto.link_purposes import LinkPurpose
from campaign.crypto.randomness import random_id
from campaign.errors import LinkUnknown
from campaign.installation.wiring import Campaign
from campaign.models import DeliveryKind, DeliveryState, SubscriptionState
from campaign.services.delivery.claims import Batch
from campaign.services.signatures.erase import end_subscription
from campaign.services.subscribers.subscriptions import count_active, get_linked_subscription
from tests.scenes.people import (
    add_readers,
    find_petition,
    get_subscription,
    list_deliveries,
    make_digest,
    send,
    sign,
    unsubscribe,
)


def active(campaign: Campaign) -> int:
    with campaign.database.snapshots() as session:
        return count_active(session, find_petition(campaign).id)


def test_nobody_is_subscribed_before_confirming(campaign: Campaign) -> None:
    sign(campaign, "aigerim@example.org", updates=True)
    assert active(campaign) == 0
    add_readers(campaign, "aigerim@example.org")
    assert active(campaign) == 1


def test_the_unsubscribe_link_works_twice_and_erases_the_address(campaign: Campaign) -> None:
    add_readers(campaign, "a@example.org", "b@example.org")
    token = campaign.vault.token(LinkPurpose.UNSUBSCRIBE, get_subscription(campaign, "a@example.org").id)
    for _ in range(2):
        with campaign.database.sessions.begin() as session:
            subscription = get_linked_subscription(session, campaign.vault, token, for_update=True)
            end_subscription(session, subscription, now=campaign.now())
    with campaign.database.snapshots() as session:
        ended = get_linked_subscription(session, campaign.vault, token)
    assert (ended.state, ended.sealed_address, ended.fingerprint) == (SubscriptionState.ENDED, None, None)
    assert active(campaign) == 1


def test_a_well_made_link_to_nothing_is_unknown(campaign: Campaign) -> None:
    with campaign.database.snapshots() as session, pytest.raises(LinkUnknown):
        get_linked_subscription(session, campaign.vault, campaign.vault.token(LinkPurpose.UNSUBSCRIBE, random_id()))


def test_a_reader_who_left_after_the_edition_was_made_gets_no_mail_of_it(campaign: Campaign) -> None:
    add_readers(campaign, "stays@example.org", "leaves@example.org")
    make_digest(campaign)
    unsubscribe(campaign, "leaves@example.org")
    send(campaign, Batch(DeliveryKind.DIGEST))
    digests = [item for item in list_deliveries(campaign) if item.kind is DeliveryKind.DIGEST]
    assert sorted((item.state, item.reason) for item in digests if item.state is DeliveryState.SUPPRESSED) == [
        (DeliveryState.SUPPRESSED, "the subscription has ended")
    ]
    assert len(list(campaign.settings.outbox.glob("*.eml"))) == 1
