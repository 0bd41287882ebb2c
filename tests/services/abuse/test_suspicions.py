"""A suspected signature waits when its signer confirms it; nothing that is known can be brought under suspicion."""

from sqlalchemy import select

from campaign.installation.wiring import Campaign
from campaign.models import SignatureState, Subscription, Suspicion
from campaign.services.abuse.suspicions import note_suspicions
from tests.scenes.people import confirm, count, find_petition, get_signature, sign
from tests.scenes.suspects import FOUND, sign_suspiciously


def test_a_suspected_signature_waits_uncounted_and_keeps_its_address_only_for_updates(campaign: Campaign) -> None:
    sign_suspiciously(campaign, "plain@example.org")
    sign_suspiciously(campaign, "reader@example.org", updates=True)
    plain, reader = (get_signature(campaign, f"{name}@example.org") for name in ("plain", "reader"))
    assert {plain.state, reader.state} == {SignatureState.QUARANTINED}
    assert (plain.number, plain.sealed_address, plain.expires_at) == (None, None, None)
    assert reader.sealed_address is not None
    assert count(campaign) == 0
    with campaign.database.snapshots() as session:
        assert session.scalars(select(Subscription)).all() == []


def test_a_new_post_of_a_confirmed_address_cannot_bring_it_under_suspicion(campaign: Campaign) -> None:
    """Else a stranger could have the signatures of known people looked at."""
    sign(campaign, "known@example.org")
    confirm(campaign, "known@example.org")
    with campaign.database.sessions.begin() as session:
        note_suspicions(session, find_petition(campaign).id, None, FOUND)
        assert session.scalars(select(Suspicion)).all() == []
