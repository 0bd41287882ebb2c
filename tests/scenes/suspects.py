"""Signatures that look suspicious: some wait for a review, others were counted before anybody noticed."""

from collections import Counter
from typing import Unpack
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from campaign.installation.wiring import Installation
from campaign.models import (
    DailyCount,
    PetitionCounter,
    Review,
    ReviewAction,
    Signature,
    SignatureState,
    Suspicion,
    SuspicionKind,
)
from campaign.services.abuse.suspicions import Suspected, note_suspicions
from campaign.services.moderation.decisions import decide, take_back
from campaign.services.moderation.review_queue import Criteria, preview_review
from campaign.services.signatures.mail_turns import forget_allowance
from tests.scenes.people import Said, find_petition, get_signature, sign, sign_within
from tests.scenes.people import confirm as confirm_one

WAITING = Criteria(SignatureState.QUARANTINED)
COUNTED = Criteria(SignatureState.CONFIRMED)
ORGANIZER = "dana@example.org"
FOUND = [Suspected(SuspicionKind.SOURCE, "a-random-name")]


def _suspect_within(session: Session, signature: Signature, kind: SuspicionKind, group: str) -> None:
    row = Suspicion(signature_id=signature.id, kind=kind, petition_id=signature.petition_id, group=group)
    session.add(row)


def suspect(
    installation: Installation, *emails: str, kind: SuspicionKind = SuspicionKind.SOURCE, group: str = "g1"
) -> None:
    """Note a reason to look at signatures that are there already."""
    found = [get_signature(installation, email) for email in emails]
    with installation.database.sessions.begin() as session:
        for signature in found:
            _suspect_within(session, signature, kind, group)


def quarantine(
    installation: Installation,
    *emails: str,
    kind: SuspicionKind = SuspicionKind.SOURCE,
    group: str = "g1",
    **said: Unpack[Said],
) -> None:
    """Each of them signs, is suspected, and confirms: the signature then waits for a review."""
    with installation.database.sessions.begin() as session:
        for email in emails:
            sign_within(session, installation, email, **said)
    found = [get_signature(installation, email).id for email in emails]
    petition = find_petition(installation)
    with installation.database.sessions.begin() as session:
        for signature in session.scalars(select(Signature).where(Signature.id.in_(found))):
            _suspect_within(session, signature, kind, group)
            assert signature.fingerprint is not None
            forget_allowance(session, signature.fingerprint)
            signature.state = SignatureState.QUARANTINED
            signature.signed_on = installation.now().astimezone(ZoneInfo(petition.timezone)).date()
            signature.expires_at = None
            if not signature.wants_updates:
                signature.sealed_address = None


def count_in(installation: Installation, *emails: str, **said: Unpack[Said]) -> None:
    """Each of them signs and confirms, and is counted."""
    for email in emails:
        with installation.database.sessions.begin() as session:
            sign_within(session, installation, email, **said)
        confirm_one(installation, email)


def look(installation: Installation, criteria: Criteria = WAITING) -> str:
    """What a preview names the signatures that match now."""
    with installation.database.snapshots() as session:
        return preview_review(session, find_petition(installation).id, criteria).seen


def review(
    installation: Installation, action: ReviewAction, criteria: Criteria = WAITING, *, seen: str | None = None
) -> Review:
    """Look at what matches, and decide about it."""
    return decide(
        installation.database.sessions,
        installation.vault,
        find_petition(installation).id,
        action,
        criteria,
        seen=look(installation, criteria) if seen is None else seen,
        actor=ORGANIZER,
        now=installation.now(),
    )


def undo(installation: Installation, decision: Review) -> None:
    """Take a decision back."""
    petition = find_petition(installation)
    take_back(installation.database.sessions, petition.id, decision.id, actor=ORGANIZER, now=installation.now())


def check_counts(installation: Installation) -> int:
    """The public count, which is that of the counted rows and of the days; no number is given twice."""
    with installation.database.snapshots() as session:
        counter = session.get_one(PetitionCounter, find_petition(installation).id)
        rows = session.scalars(select(func.count()).where(Signature.state == SignatureState.CONFIRMED)).one()
        days = session.scalars(select(func.coalesce(func.sum(DailyCount.confirmed), 0))).one()
        by_day = {row.day: row.confirmed for row in session.scalars(select(DailyCount)) if row.confirmed}
        signed = Counter(
            session.scalars(select(Signature.signed_on).where(Signature.state == SignatureState.CONFIRMED))
        )
        numbers = session.scalars(select(Signature.number).where(Signature.number.is_not(None))).all()
    assert counter.confirmed == rows == days
    assert by_day == signed
    assert len(set(numbers)) == len(numbers)
    assert max((number or 0 for number in numbers), default=0) <= counter.last_number
    return counter.confirmed


def sign_suspiciously(installation: Installation, email: str, *, updates: bool = False) -> None:
    """Post from where very many come, and confirm."""
    sign(installation, email, updates=updates)
    with installation.database.sessions.begin() as session:
        signature = get_signature(installation, email)
        note_suspicions(session, signature.petition_id, signature.id, FOUND)
    confirm_one(installation, email)
