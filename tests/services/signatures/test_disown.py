"""“This was not me”: what was typed is erased, taken from the count, and no mail goes to the address again."""

import pytest
from sqlalchemy import select

from campaign.crypto.link_purposes import LinkPurpose
from campaign.errors import LinkExpired
from campaign.installation.wiring import Installation
from campaign.models import Delivery, DeliveryState, SignatureState, Subscription, SubscriptionState
from campaign.periods import MAIL_AGAIN_AFTER
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
def test_not_me_erases_uncounts_and_suppresses(
    installation: Installation, was_confirmed: bool, state: SignatureState
) -> None:
    sign(installation, "other@example.org")
    confirm(installation, "other@example.org")
    sign(installation, ADDRESS, country="KZ", updates=True)
    if was_confirmed:
        confirm(installation, ADDRESS)
    assert count(installation) == 1 + was_confirmed
    signature_id = get_signature(installation, ADDRESS).id
    disown(installation, ADDRESS)
    signature = get_signature_by_id(installation, signature_id)
    assert signature.state is state
    assert list_personal(signature) == [None] * 5
    assert count(installation) == 1
    with installation.database.snapshots() as session:
        assert find_suppression(session, installation.vault.fingerprint(parse_email_address(ADDRESS)))
        ended = [(item.state, item.sealed_address, item.fingerprint) for item in session.scalars(select(Subscription))]
    assert ended == [(SubscriptionState.ENDED, None, None)] * was_confirmed
    with pytest.raises(LinkExpired):
        follow(installation, installation.vault.token(LinkPurpose.CONFIRM, signature_id))


def test_a_number_that_was_withdrawn_is_not_given_again(installation: Installation) -> None:
    for email in ("one@example.org", "two@example.org"):
        sign(installation, email)
        confirm(installation, email)
    disown(installation, "two@example.org")
    sign(installation, "three@example.org")
    confirm(installation, "three@example.org")
    assert get_signature(installation, "three@example.org").number == 3


def test_after_not_me_no_mail_goes_to_the_address(installation: Installation, clock: Clock) -> None:
    sign(installation, ADDRESS)
    disown(installation, ADDRESS)
    clock.turn(MAIL_AGAIN_AFTER)
    sign(installation, ADDRESS)
    work_once(installation)
    states = [(delivery.state, delivery.reason) for delivery in list_deliveries(installation)]
    assert states == [
        (DeliveryState.SUPPRESSED, "the signature is expired"),
        (DeliveryState.SUPPRESSED, "the address is suppressed: not me"),
    ]
    assert not installation.settings.outbox.exists()
    with installation.database.snapshots() as session:
        assert {item.attempts for item in session.scalars(select(Delivery))} == {0}
