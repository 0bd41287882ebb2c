"""Whoever is erased while their signature is declared invalid stays erased, whatever becomes of the decision."""

import pytest

from campaign.installation.wiring import Installation
from campaign.models import ReviewAction, SignatureState
from campaign.services.privacy.erase_person import forget
from campaign.text.email_address import parse_email_address
from tests.scenes.people import count, get_signature, get_signature_by_id, withdraw
from tests.scenes.suspects import COUNTED, WAITING, count_in, quarantine, review, undo

A = "a@example.org"


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    return sqlite_installation


def test_who_withdraws_and_signs_again_is_counted_once(installation: Installation) -> None:
    count_in(installation, A)
    decision = review(installation, ReviewAction.INVALIDATE, COUNTED)
    withdraw(installation, A)
    count_in(installation, A)
    undo(installation, decision)
    assert count(installation) == 1


def test_who_was_forgotten_is_counted_by_no_later_decision(installation: Installation) -> None:
    quarantine(installation, A)
    gone = get_signature(installation, A).id
    decision = review(installation, ReviewAction.INVALIDATE, WAITING)
    with installation.database.sessions.begin() as session:
        forget(session, installation.vault, parse_email_address(A), actor="x", now=installation.now())
    undo(installation, decision)
    assert get_signature_by_id(installation, gone).state is SignatureState.WITHDRAWN
    assert count(installation) == 0
