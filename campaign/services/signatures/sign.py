"""Signing: stores a signature and, in the same transaction, queues the mail that asks the signer to confirm it."""

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from campaign.crypto.organizer_keys import PublicKeys
from campaign.crypto.randomness import random_id
from campaign.crypto.recipient_sealing import is_sealed_to_organizers, seal_to
from campaign.crypto.sealed_rows import address_row, person_row
from campaign.crypto.vault import Vault
from campaign.db import upsert
from campaign.errors import KeyringError, NotOpen
from campaign.models import (
    CommentState,
    Display,
    Petition,
    Signature,
    SignatureState,
    TextVersion,
)
from campaign.periods import CONFIRM_WITHIN
from campaign.services.petitions.counts import count_post
from campaign.services.petitions.lifecycle import takes_signatures
from campaign.services.signatures.mail_turns import needs_mail, queue_confirmation
from campaign.text.email_address import EmailAddress


@dataclass(frozen=True, slots=True)
class Person:
    """The personal data that a signer typed, as it is sealed."""

    name: str
    place: str | None = None
    comment: str | None = None

    def seal(self, vault: Vault, signature_id: int, *, sealed_to: Sequence[str]) -> bytes:
        """Seal to the organizers whose public lines are ``sealed_to``; if there are none, seal with the keyring."""
        row = person_row(signature_id)
        if not sealed_to:
            return vault.seal(self.to_json(), row=row)
        return seal_to([PublicKeys.read(line) for line in sealed_to], self.to_json(), row=row)

    def to_json(self) -> bytes:
        kept = {"name": self.name, "place": self.place, "comment": self.comment}
        return json.dumps({key: value for key, value in kept.items() if value}, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, plain: bytes) -> "Person":
        return cls(**json.loads(plain))

    @classmethod
    def open(cls, vault: Vault, signature_id: int, sealed: bytes) -> "Person":
        """Open a sealed person. Raises KeyringError if it was sealed with another keyring, or to organizers."""
        return cls.from_json(vault.open(sealed, row=person_row(signature_id)))


def open_person(vault: Vault, signature: Signature) -> Person | None:
    """The personal data of the signer; None if it was erased, or sealed to the organizers."""
    sealed = signature.sealed_person
    if sealed is None or is_sealed_to_organizers(sealed):
        return None
    return Person.open(vault, signature.id, sealed)


@dataclass(frozen=True, slots=True)
class Submission:
    """A signing form, checked: the address is parsed, the texts are cleaned, the country is an ISO 3166 code.

    ``source`` is the word in the link by which the signer came.
    """

    address: EmailAddress
    person: Person
    language: str
    country: str | None = None
    display: Display = Display.HIDDEN
    wants_updates: bool = False
    offers_comment: bool = False
    source: str | None = None

    def comment_state(self, petition: Petition) -> CommentState:
        """Offered only if there is a comment, and if the server and the organizers can show it."""
        offered = self.offers_comment and self.person.comment and petition.shows_people
        return CommentState.OFFERED if offered else CommentState.PRIVATE


def sign(
    session: Session,
    vault: Vault,
    petition: Petition,
    text_version: TextVersion,
    submission: Submission,
    *,
    now: datetime,
) -> int | None:
    """Store the submission until its signer confirms it, and queue the confirmation mail. Raises NotOpen.

    If the address has a pending signature under the same name, the newest submission replaces it. Under another name,
    as of somebody in the family who shares the address, the first stays. If the address has confirmed, nothing
    changes. Nobody learns which case it was, and all cases take the same time: each does the same work and commits a
    write. Returns the id of the pending signature, or None; only the server's own counters may use it.
    """
    if not takes_signatures(petition, now):
        raise NotOpen("This petition does not take signatures now.")
    fingerprint = vault.fingerprint(submission.address)
    signature_id = random_id()
    values = {
        "text_version_id": text_version.id,
        "language": submission.language,
        "country": submission.country,
        # A name that cannot be read back cannot be shown.
        "display": Display.HIDDEN if petition.sealed_to else submission.display,
        "comment_state": submission.comment_state(petition),
        "wants_updates": submission.wants_updates,
    }
    # If several posts come at once, one of them inserts; the unique key decides which, on both databases.
    session.execute(
        upsert(session, Signature)
        .values(
            id=signature_id,
            petition_id=petition.id,
            state=SignatureState.PENDING,
            fingerprint=fingerprint,
            sealed_person=submission.person.seal(vault, signature_id, sealed_to=petition.sealed_to),
            sealed_address=vault.seal(str(submission.address).encode(), row=address_row(signature_id)),
            expires_at=now + CONFIRM_WITHIN,
            wrong_codes=0,
            source=submission.source,
            **values,
        )
        .on_conflict_do_nothing(index_elements=[Signature.petition_id, Signature.fingerprint])
    )
    kept_id, state, kept_person = session.execute(
        select(Signature.id, Signature.state, Signature.sealed_person)
        .where(Signature.petition_id == petition.id, Signature.fingerprint == fingerprint)
        # Locks are taken in one order everywhere: signature, allowance, counter.
        .with_for_update()
    ).one()
    waits = state is SignatureState.PENDING
    is_same = _is_same_name(vault, kept_id, kept_person, submission.person.name)
    if waits and is_same and kept_id != signature_id:
        session.execute(
            update(Signature)
            .where(Signature.id == kept_id, Signature.state == SignatureState.PENDING)
            .values(
                sealed_person=submission.person.seal(vault, kept_id, sealed_to=petition.sealed_to),
                **values,
                # The first link counts; a signer who comes again may come by any link.
                source=func.coalesce(Signature.source, submission.source),
            )
            .execution_options(synchronize_session=False)
        )
    is_mailed = _ask_for_confirmation(session, petition.id, kept_id, fingerprint, waits=waits, is_asked=False, now=now)
    count_post(session, petition.id, is_mailed=is_mailed)
    return kept_id if waits else None


def send_again(session: Session, petition_id: int, fingerprint: bytes, *, now: datetime) -> None:
    """Queue the confirmation mail of an address once more, for the time of its next turn.

    Nothing happens if the address has no pending signature. Nobody learns which case it was.
    """
    found = session.execute(
        select(Signature.id, Signature.state)
        .where(Signature.petition_id == petition_id, Signature.fingerprint == fingerprint)
        .with_for_update()
    ).one_or_none()
    is_mailed = False
    if found is not None:  # else its data is erased, because it was not confirmed in time, or was withdrawn
        waits = found.state is SignatureState.PENDING
        is_mailed = _ask_for_confirmation(
            session, petition_id, found.id, fingerprint, waits=waits, is_asked=True, now=now
        )
    count_post(session, petition_id, is_mailed=is_mailed)


def _ask_for_confirmation(
    session: Session,
    petition_id: int,
    signature_id: int,
    fingerprint: bytes,
    *,
    waits: bool,
    is_asked: bool,
    now: datetime,
) -> bool:
    """Queue a confirmation mail if the signature waits and needs one; returns whether it was queued.

    A faster answer would reveal that the address has signed, so the work is always done, and undone if not wanted.
    """
    wanted = needs_mail(session, signature_id, now, is_asked=is_asked) and waits
    with session.begin_nested() as attempt:
        queue_confirmation(session, petition_id, signature_id, fingerprint, now=now)
        if not wanted:
            attempt.rollback()
    return wanted


def _is_same_name(vault: Vault, signature_id: int, sealed: bytes | None, name: str) -> bool:
    """Whether the name is that of the sealed person, but for case, accents and marks between words.

    A name that this server cannot read is taken for the same one.
    """
    if sealed is None or is_sealed_to_organizers(sealed):
        return True
    try:
        kept = Person.open(vault, signature_id, sealed)
    except KeyringError:
        return True
    return _letters(kept.name) == _letters(name)


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", name).casefold()))


def find_signature(session: Session, petition_id: int, fingerprint: bytes) -> Signature | None:
    """The signature of an address under a petition, in any state; None if there is none."""
    return session.scalars(
        select(Signature).where(Signature.petition_id == petition_id, Signature.fingerprint == fingerprint)
    ).one_or_none()
