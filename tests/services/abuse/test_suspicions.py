"""A suspected signature waits when its signer confirms it; nothing that is known can be brought under suspicion."""

from sqlalchemy import select

from campaign.installation.wiring import Installation
from campaign.models import SignatureState, Subscription, Suspicion
from campaign.services.abuse.suspicions import note_suspicions
from tests.scenes.people import confirm, count, find_petition, get_signature, sign
from tests.scenes.suspects import FOUND, sign_suspiciously


def test_a_suspected_signature_waits_uncounted_and_keeps_its_address_only_for_updates(
    installation: Installation,
) -> None:
    sign_suspiciously(installation, "plain@example.org")
    sign_suspiciously(installation, "reader@example.org", updates=True)
    plain, reader = (get_signature(installation, f"{name}@example.org") for name in ("plain", "reader"))
    assert {plain.state, reader.state} == {SignatureState.QUARANTINED}
    assert (plain.number, plain.sealed_address, plain.expires_at) == (None, None, None)
    assert reader.sealed_address is not None
    assert count(installation) == 0
    with installation.database.snapshots() as session:
        assert session.scalars(select(Subscription)).all() == []


def test_a_new_post_of_a_confirmed_address_cannot_bring_it_under_suspicion(installation: Installation) -> None:
    """Else a stranger could have the signatures of known people looked at."""
    sign(installation, "known@example.org")
    confirm(installation, "known@example.org")
    with installation.database.sessions.begin() as session:
        note_suspicions(session, find_petition(installation).id, None, FOUND)
        assert session.scalars(select(Suspicion)).all() == []
