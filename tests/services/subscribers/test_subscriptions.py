"""Subscriptions: they end at a click, as often as it is made, and nothing of the reader is kept."""

import pytest

from campaign.crypto.link_purposes import LinkPurpose
from campaign.crypto.randomness import random_id
from campaign.errors import LinkUnknown
from campaign.installation.wiring import Installation
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


def active(installation: Installation) -> int:
    with installation.database.snapshots() as session:
        return count_active(session, find_petition(installation).id)


def test_nobody_is_subscribed_before_confirming(installation: Installation) -> None:
    sign(installation, "aigerim@example.org", updates=True)
    assert active(installation) == 0
    add_readers(installation, "aigerim@example.org")
    assert active(installation) == 1


def test_the_unsubscribe_link_works_twice_and_erases_the_address(installation: Installation) -> None:
    add_readers(installation, "a@example.org", "b@example.org")
    token = installation.vault.token(LinkPurpose.UNSUBSCRIBE, get_subscription(installation, "a@example.org").id)
    for _ in range(2):
        with installation.database.sessions.begin() as session:
            subscription = get_linked_subscription(session, installation.vault, token, for_update=True)
            end_subscription(session, subscription, now=installation.now())
    with installation.database.snapshots() as session:
        ended = get_linked_subscription(session, installation.vault, token)
    assert (ended.state, ended.sealed_address, ended.fingerprint) == (SubscriptionState.ENDED, None, None)
    assert active(installation) == 1


def test_a_well_made_link_to_nothing_is_unknown(installation: Installation) -> None:
    with installation.database.snapshots() as session, pytest.raises(LinkUnknown):
        get_linked_subscription(
            session, installation.vault, installation.vault.token(LinkPurpose.UNSUBSCRIBE, random_id())
        )


def test_a_reader_who_left_after_the_edition_was_made_gets_no_mail_of_it(installation: Installation) -> None:
    add_readers(installation, "stays@example.org", "leaves@example.org")
    make_digest(installation)
    unsubscribe(installation, "leaves@example.org")
    send(installation, Batch(DeliveryKind.DIGEST))
    digests = [item for item in list_deliveries(installation) if item.kind is DeliveryKind.DIGEST]
    assert sorted((item.state, item.reason) for item in digests if item.state is DeliveryState.SUPPRESSED) == [
        (DeliveryState.SUPPRESSED, "the subscription has ended")
    ]
    assert len(list(installation.settings.outbox.glob("*.eml"))) == 1
