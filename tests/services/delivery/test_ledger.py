"""The ledger: what was promised is what is there, in whatever state each mail is, and a missing row shows."""

from collections import Counter

import pytest
from sqlalchemy import delete, select

from campaign.installation.wiring import Installation
from campaign.models import Delivery, DeliveryKind, DeliveryState
from campaign.services.delivery.claims import Batch
from campaign.services.delivery.ledger import settle_claims
from campaign.services.delivery.ledger_audit import Account, audit_ledger
from tests.conftest import MakeInstallation
from tests.scenes.deliveries import claim, digests
from tests.scenes.people import add_readers, find_petition, make_digest, send, unsubscribe
from tests.servers.smtp import Mailbox

DIGESTS = Batch(DeliveryKind.DIGEST)
CONFIRMATIONS = Batch(DeliveryKind.CONFIRMATION)
Q, SENDING, ACCEPTED, DEFERRED, REJECTED, SUPPRESSED, IN_DOUBT = DeliveryState
ANSWERS = {"deferred@example.org": "450 4.2.1 Later", "rejected@example.org": "550 5.1.1 Nobody"}


def accounts(installation: Installation) -> list[Account]:
    with installation.database.snapshots() as session:
        return audit_ledger(session, find_petition(installation))


def test_the_ledger_balances_in_every_state_and_shows_a_row_that_is_missing(
    make_installation: MakeInstallation,
) -> None:
    with Mailbox(answer_to_rcpt=ANSWERS.get) as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        add_readers(installation, *ANSWERS, "accepted@example.org", "ended@example.org", "claimed@example.org")
        edition = make_digest(installation)
        unsubscribe(installation, "ended@example.org")
        send(installation, CONFIRMATIONS)
        claim(installation, "dead/mails")
        send(installation, DIGESTS)
    with installation.database.sessions.begin() as session:
        settle_claims(session, "dead", installation.settings.journals, now=installation.now())
    states = Counter(item.state for item in digests(installation))
    # Which of the readers the killed worker had is open: ids of readers are random.
    assert states[IN_DOUBT] == 1
    assert states.total() == edition.candidates == 5
    confirmations, first = accounts(installation)
    assert (confirmations.edition, confirmations.owed, confirmations.states) == (None, 5, {SUPPRESSED: 5})
    assert (first.edition, first.owed, first.states) == (1, 5, states)
    assert confirmations.balances
    assert first.balances
    with installation.database.sessions.begin() as session:
        session.execute(delete(Delivery).where(Delivery.id == digests(installation)[0].id))
    assert [account.balances for account in accounts(installation)] == [True, False]
    with installation.database.sessions.begin() as session:
        session.execute(delete(Delivery).where(Delivery.kind == DeliveryKind.CONFIRMATION))
    assert [account.balances for account in accounts(installation)] == [False, False]


@pytest.mark.parametrize("state", list(DeliveryState))
def test_the_ledger_balances_whatever_state_a_mail_is_in(installation: Installation, state: DeliveryState) -> None:
    add_readers(installation, "a@example.org", "b@example.org")
    make_digest(installation)
    with installation.database.sessions.begin() as session:
        for delivery in session.scalars(select(Delivery)):
            delivery.state = state
            delivery.claimed_by = "worker" if state is SENDING else None
    assert [(account.balances, account.states) for account in accounts(installation)] == [(True, {state: 2})] * 2
