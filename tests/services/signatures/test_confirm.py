"""Confirming and expiring: what counts, what is erased, and who can press the button."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from campaign.crypto.link_purposes import LinkPurpose
from campaign.errors import LinkExpired, LinkUnknown, ProofNeeded
from campaign.installation.wiring import Campaign
from campaign.models import Signature, SignatureState, Subscription
from campaign.periods import WRONG_CODES
from campaign.services.signatures.confirm import Proof, check_proof
from campaign.services.signatures.erase import expire_pending
from campaign.text.email_address import parse_email_address
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
    sign,
)

ADDRESS = "aigerim@example.org"
WITHIN = timedelta(hours=72)


def prove(campaign: Campaign, proof: Proof) -> str | None:
    """What the page says to the proof; None where it is enough. Commits like the page."""
    with campaign.database.sessions.begin() as session:
        signature = session.get_one(Signature, get_signature(campaign, ADDRESS).id)
        try:
            check_proof(campaign.vault, signature, proof)
        except ProofNeeded as needed:
            return needed.sentence
    return None


@pytest.mark.parametrize("updates", [True, False])
def test_confirming_counts_once_and_forgets_the_address(campaign: Campaign, updates: bool) -> None:
    sign(campaign, ADDRESS, updates=updates)
    for _ in range(3):
        confirm(campaign, ADDRESS)
    signature = get_signature(campaign, ADDRESS)
    assert (signature.state, signature.number, signature.signed_on) == (
        SignatureState.CONFIRMED,
        1,
        date(2026, 11, 23),
    )
    assert (signature.sealed_address, signature.expires_at, signature.wants_updates) == (None, None, False)
    assert count(campaign) == 1
    with campaign.database.snapshots() as session:
        subscriptions = session.scalars(select(Subscription)).all()
        opened = [
            campaign.vault.open(item.sealed_address or b"", row=f"address:{item.id}").decode() for item in subscriptions
        ]
    assert opened == ([ADDRESS] if updates else [])


def test_twenty_clicks_at_once_count_once(campaign: Campaign) -> None:
    sign(campaign, ADDRESS, updates=True)
    signature_id = get_signature(campaign, ADDRESS).id
    with ThreadPoolExecutor(20) as threads:
        list(threads.map(lambda _: confirm_by_id(campaign, signature_id), range(20)))
    assert count(campaign) == 1
    assert get_signature_by_id(campaign, signature_id).number == 1
    with campaign.database.snapshots() as session:
        assert len(session.scalars(select(Subscription)).all()) == 1


@pytest.mark.parametrize(
    ("waited", "lives"), [(WITHIN - timedelta(seconds=1), True), (WITHIN, False), (WITHIN * 9, False)]
)
def test_the_link_lives_for_72_hours(campaign: Campaign, clock: Clock, waited: timedelta, lives: bool) -> None:
    sign(campaign, ADDRESS)
    signature_id = get_signature(campaign, ADDRESS).id
    clock.turn(waited)
    if lives:
        confirm_by_id(campaign, signature_id)
        assert count(campaign) == 1
    else:
        with pytest.raises(LinkExpired):
            confirm_by_id(campaign, signature_id)
        assert count(campaign) == 0


def test_what_nobody_confirmed_in_72_hours_is_erased_and_nothing_else(campaign: Campaign, clock: Clock) -> None:
    sign(campaign, "late@example.org", name="Late", country="KZ", comment="c", updates=True)
    sign(campaign, "done@example.org")
    confirm(campaign, "done@example.org")
    late, done = get_signature(campaign, "late@example.org").id, get_signature(campaign, "done@example.org").id
    clock.turn(timedelta(hours=1))
    sign(campaign, "fresh@example.org")
    clock.turn(timedelta(hours=71))
    with campaign.database.sessions.begin() as session:
        assert expire_pending(session, now=clock()) == 1
        assert expire_pending(session, now=clock()) == 0
    erased = get_signature_by_id(campaign, late)
    assert erased.state is SignatureState.EXPIRED
    assert list_personal(erased) == [None] * 5
    assert get_signature(campaign, "fresh@example.org").state is SignatureState.PENDING
    assert get_signature_by_id(campaign, done).sealed_person is not None
    with pytest.raises(LinkExpired):
        follow(campaign, campaign.vault.token(LinkPurpose.CONFIRM, late))


def test_a_link_for_another_thing_is_unknown(campaign: Campaign) -> None:
    sign(campaign, ADDRESS)
    token = campaign.vault.token("unsubscribe", get_signature(campaign, ADDRESS).id)
    with pytest.raises(LinkUnknown):
        follow(campaign, token)


def test_a_code_is_taken_as_people_type_it(campaign: Campaign) -> None:
    sign(campaign, ADDRESS)
    code = campaign.vault.code(get_signature(campaign, ADDRESS).id)
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
    assert [prove(campaign, Proof(code=each)) for each in typed] == [None] * len(typed)
    assert get_signature(campaign, ADDRESS).wrong_codes == 0


def test_ten_wrong_codes_are_counted_and_then_only_the_browser_is_believed(campaign: Campaign) -> None:
    sign(campaign, ADDRESS)
    signature = get_signature(campaign, ADDRESS)
    right = campaign.vault.code(signature.id)
    wrong = "ZZZZZZ" if right != "ZZZZZZ" else "YYYYYY"
    for tried in range(WRONG_CODES):
        assert get_signature(campaign, ADDRESS).wrong_codes == tried
        assert "not the code" in (prove(campaign, Proof(code=wrong)) or "")
    assert "Too many" in (prove(campaign, Proof(code=wrong)) or "")
    assert "Too many" in (prove(campaign, Proof(code=right)) or "")
    assert get_signature(campaign, ADDRESS).wrong_codes == WRONG_CODES == 10
    assert signature.fingerprint is not None
    mark = campaign.vault.browser_mark(signature.petition_id, signature.fingerprint)
    assert prove(campaign, Proof(browser_marks=("another", mark))) is None


@pytest.mark.parametrize("typed", ["", "   "])
def test_a_click_without_code_is_asked_for_one_and_not_counted(campaign: Campaign, typed: str) -> None:
    sign(campaign, ADDRESS)
    stranger = campaign.vault.fingerprint(parse_email_address("stranger@example.org"))
    marks = (campaign.vault.browser_mark(find_petition(campaign).id, stranger),)
    assert "six-character code" in (prove(campaign, Proof(marks, typed)) or "")
    assert get_signature(campaign, ADDRESS).wrong_codes == 0


@pytest.mark.parametrize("typed", ["é" * 6, "\x00", "０" * 6, "💥", "1" * 10_000, "\ud800"])
def test_a_code_of_any_characters_is_just_wrong(campaign: Campaign, typed: str) -> None:
    sign(campaign, ADDRESS)
    assert "not the code" in (prove(campaign, Proof(code=typed)) or "")
