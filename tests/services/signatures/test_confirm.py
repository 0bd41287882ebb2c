"""Confirming and expiring: what counts, what is erased, and who can press the button."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from campaign.crypto.link_purposes import LinkPurpose
from campaign.errors import LinkExpired, LinkUnknown, ProofNeeded
from campaign.installation.wiring import Installation
from campaign.models import Signature, SignatureState, Subscription
from campaign.periods import WRONG_CODES
from campaign.services.signatures.confirm import Proof, check_proof
from campaign.services.signatures.erase import expire_pending
from campaign.text.email_address import parse_email_address
from campaign.worker import CONFIRMATIONS
from tests.conftest import Clock
from tests.scenes.people import (
    confirm,
    confirm_by_id,
    count,
    find_petition,
    follow,
    get_signature,
    get_signature_by_id,
    list_personal,
    send,
    sign,
)

ADDRESS = "aigerim@example.org"
WITHIN = timedelta(hours=72)


def prove(installation: Installation, proof: Proof) -> str | None:
    """What the page says to the proof; None where it is enough. Commits like the page."""
    with installation.database.sessions.begin() as session:
        signature = session.get_one(Signature, get_signature(installation, ADDRESS).id)
        try:
            check_proof(installation.vault, signature, proof)
        except ProofNeeded as needed:
            return needed.sentence
    return None


@pytest.mark.parametrize("updates", [True, False])
def test_confirming_counts_once_and_forgets_the_address(installation: Installation, updates: bool) -> None:
    sign(installation, ADDRESS, updates=updates)
    for _ in range(3):
        confirm(installation, ADDRESS)
    signature = get_signature(installation, ADDRESS)
    assert (signature.state, signature.number, signature.signed_on) == (
        SignatureState.CONFIRMED,
        1,
        date(2026, 11, 23),
    )
    assert (signature.sealed_address, signature.expires_at, signature.wants_updates) == (None, None, False)
    assert count(installation) == 1
    with installation.database.snapshots() as session:
        subscriptions = session.scalars(select(Subscription)).all()
        opened = [
            installation.vault.open(item.sealed_address or b"", row=f"address:{item.id}").decode()
            for item in subscriptions
        ]
    assert opened == ([ADDRESS] if updates else [])


def test_twenty_clicks_at_once_count_once(installation: Installation) -> None:
    sign(installation, ADDRESS, updates=True)
    signature_id = get_signature(installation, ADDRESS).id
    with ThreadPoolExecutor(20) as threads:
        list(threads.map(lambda _: confirm_by_id(installation, signature_id), range(20)))
    assert count(installation) == 1
    assert get_signature_by_id(installation, signature_id).number == 1
    with installation.database.snapshots() as session:
        assert len(session.scalars(select(Subscription)).all()) == 1


@pytest.mark.parametrize(
    ("waited", "lives"), [(WITHIN - timedelta(seconds=1), True), (WITHIN, False), (WITHIN * 9, False)]
)
def test_the_link_lives_for_72_hours(installation: Installation, clock: Clock, waited: timedelta, lives: bool) -> None:
    sign(installation, ADDRESS)
    signature_id = get_signature(installation, ADDRESS).id
    send(installation, CONFIRMATIONS)
    clock.turn(waited)
    if lives:
        confirm_by_id(installation, signature_id)
        assert count(installation) == 1
    else:
        with pytest.raises(LinkExpired):
            confirm_by_id(installation, signature_id)
        assert count(installation) == 0


def test_what_nobody_confirmed_in_72_hours_is_erased_and_nothing_else(installation: Installation, clock: Clock) -> None:
    sign(installation, "late@example.org", name="Late", country="KZ", comment="c", updates=True)
    sign(installation, "done@example.org")
    confirm(installation, "done@example.org")
    late, done = get_signature(installation, "late@example.org").id, get_signature(installation, "done@example.org").id
    send(installation, CONFIRMATIONS)
    clock.turn(timedelta(hours=1))
    sign(installation, "fresh@example.org")
    send(installation, CONFIRMATIONS)
    clock.turn(timedelta(hours=71))
    with installation.database.sessions.begin() as session:
        assert expire_pending(session, now=clock()) == 1
        assert expire_pending(session, now=clock()) == 0
    erased = get_signature_by_id(installation, late)
    assert erased.state is SignatureState.EXPIRED
    assert list_personal(erased) == [None] * 5
    assert get_signature(installation, "fresh@example.org").state is SignatureState.PENDING
    assert get_signature_by_id(installation, done).sealed_person is not None
    with pytest.raises(LinkExpired):
        follow(installation, installation.vault.token(LinkPurpose.CONFIRM, late))


def test_a_link_for_another_thing_is_unknown(installation: Installation) -> None:
    sign(installation, ADDRESS)
    token = installation.vault.token("unsubscribe", get_signature(installation, ADDRESS).id)
    with pytest.raises(LinkUnknown):
        follow(installation, token)


def test_a_code_is_taken_as_people_type_it(installation: Installation) -> None:
    sign(installation, ADDRESS)
    code = installation.vault.code(get_signature(installation, ADDRESS).id)
    typed = [
        code,
        code.lower(),
        f" {code[:3]}-{code[3:]} ",
        " ".join(code),
        code.replace("0", "O"),
        code.replace("0", "o"),
        code.replace("1", "l"),
        code.replace("1", "I"),
    ]
    assert [prove(installation, Proof(code=each)) for each in typed] == [None] * len(typed)
    assert get_signature(installation, ADDRESS).wrong_codes == 0


def test_ten_wrong_codes_are_counted_and_then_only_the_browser_is_believed(installation: Installation) -> None:
    sign(installation, ADDRESS)
    signature = get_signature(installation, ADDRESS)
    right = installation.vault.code(signature.id)
    wrong = "ZZZZZZ" if right != "ZZZZZZ" else "YYYYYY"
    for tried in range(WRONG_CODES):
        assert get_signature(installation, ADDRESS).wrong_codes == tried
        assert "not the code" in (prove(installation, Proof(code=wrong)) or "")
    assert "Too many" in (prove(installation, Proof(code=wrong)) or "")
    assert "Too many" in (prove(installation, Proof(code=right)) or "")
    assert get_signature(installation, ADDRESS).wrong_codes == WRONG_CODES == 10
    assert signature.fingerprint is not None
    mark = installation.vault.browser_mark(signature.petition_id, signature.fingerprint)
    assert prove(installation, Proof(browser_marks=("another", mark))) is None


@pytest.mark.parametrize("typed", ["", "   "])
def test_a_click_without_code_is_asked_for_one_and_not_counted(installation: Installation, typed: str) -> None:
    sign(installation, ADDRESS)
    stranger = installation.vault.fingerprint(parse_email_address("stranger@example.org"))
    marks = (installation.vault.browser_mark(find_petition(installation).id, stranger),)
    assert "six-character code" in (prove(installation, Proof(marks, typed)) or "")
    assert get_signature(installation, ADDRESS).wrong_codes == 0


@pytest.mark.parametrize("typed", ["é" * 6, "\x00", "０" * 6, "💥", "1" * 10_000, "\ud800"])
def test_a_code_of_any_characters_is_just_wrong(installation: Installation, typed: str) -> None:
    sign(installation, ADDRESS)
    assert "not the code" in (prove(installation, Proof(code=typed)) or "")
