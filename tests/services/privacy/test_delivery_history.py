"""A person's history: why they got a mail, or did not, from what the ledger says."""

from datetime import timedelta

import pytest

from campaign.installation.wiring import Installation
from campaign.models import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Edition,
    EditionState,
    SignatureState,
    Subscription,
    SuppressionReason,
)
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.delivery.claims import Batch
from campaign.services.digests.audiences import PAUSED
from campaign.services.petitions.store import get_petition
from campaign.services.privacy.delivery_history import (
    CANCELLED,
    FATES,
    NOT_OWED,
    NOT_THEN,
    NOT_YET,
    TOO_EARLY,
    TOO_LATE,
    Event,
    History,
    list_events,
    tell_history,
)
from campaign.services.signatures.sign import find_signature
from campaign.text.email_address import parse_email_address
from tests.conftest import SLUG, Clock, MakeInstallation
from tests.scenes.people import add_readers, disown, make_digest, send, sign, unsubscribe
from tests.scenes.readers import choose, publish, rows_of, subscription_of
from tests.servers.smtp import Mailbox

READER = "reader@example.org"


def told(installation: Installation, email: str = READER) -> History:
    with installation.database.sessions.begin() as session:
        return tell_history(
            session, installation.vault, parse_email_address(email), actor=COMMAND_LINE, now=installation.now()
        )


def read(installation: Installation, subscription: Subscription) -> list[Event]:
    """What the page behind the reader's link shows."""
    with installation.database.snapshots() as session:
        found = session.get_one(Subscription, subscription.id)
        petition = get_petition(session, SLUG)
        signature = found.fingerprint and find_signature(session, petition.id, found.fingerprint)
        return list_events(session, petition, found, signature or None)


def shown(events: list[Event]) -> list[tuple[int | None, str, str | None]]:
    return [(event.edition, event.fate, event.reason) for event in events]


def test_it_tells_every_mail_newest_first_and_what_came_back(make_installation: MakeInstallation, clock: Clock) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        add_readers(installation, READER)
        clock.turn(timedelta(hours=1))
        make_digest(installation, "first")
        send(installation, Batch(DeliveryKind.CONFIRMATION))
        send(installation, Batch(DeliveryKind.DIGEST))
        choose(installation, READER, paused=True)
        publish(installation, "one")
        clock.turn(timedelta(days=1))
        make_digest(installation, "second")
    with installation.database.sessions.begin() as session:
        (first, _) = rows_of(installation, subscription_of(installation, READER))
        session.get_one(Delivery, first.id).returned = "5.1.1"
    (account,) = told(installation).accounts
    assert (account.petition.slug, account.signature and account.signature.state) == (SLUG, SignatureState.CONFIRMED)
    assert account.subscription is not None
    assert account.subscription.paused
    assert shown(list(account.events)) == [
        (2, FATES[DeliveryState.SUPPRESSED], PAUSED),
        (1, FATES[DeliveryState.ACCEPTED], None),
        (None, FATES[DeliveryState.SUPPRESSED], "the signature is confirmed"),
    ]
    assert [event.returned for event in account.events] == [None, "5.1.1", None]
    assert read(installation, account.subscription) == list(account.events)


def test_it_tells_of_editions_that_the_person_was_no_candidate_of(installation: Installation, clock: Clock) -> None:
    add_readers(installation, "other@example.org")
    make_digest(installation, "first")
    clock.turn(timedelta(days=1))
    add_readers(installation, READER)
    subscription = subscription_of(installation, READER)
    make_digest(installation, "second")
    unsubscribe(installation, READER)
    publish(installation, "one")
    clock.turn(timedelta(days=1))
    make_digest(installation, "third")
    assert shown(read(installation, subscription)) == [
        (3, NOT_OWED, TOO_LATE),
        (2, FATES[DeliveryState.QUEUED], None),
        (1, NOT_OWED, TOO_EARLY),
    ]


def test_of_the_day_of_subscribing_it_claims_no_more_than_is_known(installation: Installation) -> None:
    add_readers(installation, "other@example.org")
    make_digest(installation, "first")
    add_readers(installation, READER)
    subscription = subscription_of(installation, READER)
    assert shown(read(installation, subscription))[0] == (1, NOT_OWED, TOO_EARLY)
    unsubscribe(installation, READER)
    assert shown(read(installation, subscription)) == [(1, NOT_OWED, NOT_THEN)]


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (EditionState.DRAFT, NOT_YET),
        (EditionState.SCHEDULED, NOT_YET),
        (EditionState.CANCELLED, CANCELLED),
    ],
)
def test_an_edition_of_which_nothing_was_owed_yet_is_told_as_that(
    installation: Installation, state: EditionState, reason: str
) -> None:
    add_readers(installation, READER)
    subscription = subscription_of(installation, READER)
    with installation.database.sessions.begin() as session:
        session.add(
            Edition(
                petition_id=subscription.petition_id,
                period="waiting",
                number=1,
                state=state,
                made_at=installation.now(),
                total=1,
                last_update=0,
            )
        )
    assert shown(read(installation, subscription))[0] == (1, NOT_OWED, reason)


def test_who_waits_for_their_confirmation_has_one_mail(installation: Installation) -> None:
    sign(installation, READER, updates=True)
    (account,) = told(installation).accounts
    assert account.signature is not None
    assert account.signature.state is SignatureState.PENDING
    assert account.subscription is None
    assert shown(list(account.events)) == [(None, FATES[DeliveryState.QUEUED], None)]


def test_of_who_said_that_it_was_not_them_only_the_suppression_is_known(installation: Installation) -> None:
    add_readers(installation, READER)
    disown(installation, READER)
    history = told(installation)
    assert history.accounts == []
    assert history.suppression is not None
    assert history.suppression.reason is SuppressionReason.NOT_ME
    assert not history.is_empty


def test_of_a_stranger_nothing_is_known(installation: Installation) -> None:
    add_readers(installation, READER)
    assert told(installation, "stranger@example.org").is_empty
    assert not told(installation, READER.upper().replace("EXAMPLE.ORG", "example.org")).is_empty
