"""People for benchmarks: signatures made by the services, and many readers, written without the services."""

from datetime import date
from typing import Any, cast

from sqlalchemy import Table, insert

from campaign.crypto.randomness import random_id
from campaign.crypto.sealed_rows import address_row
from campaign.installation.wiring import Installation
from campaign.models import Signature, Subscription
from campaign.services.petitions.store import get_petition, get_text_version
from campaign.services.signatures.confirm import confirm
from campaign.services.signatures.sign import Person, Submission, sign
from campaign.text.email_address import EmailAddress

from .measuring import SLUG


def submission(number: int) -> Submission:
    """The form of person ``number``."""
    person = Person(name=f"Айгерім Серікқызы {number}", comment="Ынтымақтастықпен")
    return Submission(EmailAddress(f"person{number}", "example.org"), person, "kk", "DE", wants_updates=True)


def sign_many(installation: Installation, count: int, *, first: int = 0, at_once: int = 1) -> None:
    """Make ``count`` signatures, from person ``first`` on, ``at_once`` in each transaction."""
    for start in range(first, first + count, at_once):
        with installation.database.sessions.begin() as session:
            petition = get_petition(session, SLUG)
            version = get_text_version(session, petition, "kk")
            for number in range(start, min(first + count, start + at_once)):
                sign(session, installation.vault, petition, version, submission(number), now=installation.now())


def confirm_all(installation: Installation) -> None:
    """Confirm every signature, each with its subscription."""
    with installation.database.sessions.begin() as session:
        for signature in session.query(Signature).all():
            confirm(session, installation.vault, signature, now=installation.now())


def add_readers(installation: Installation, count: int, *, language: str = "en") -> None:
    """Add ``count`` readers of the digest, as if each had signed and confirmed."""
    vault, table = installation.vault, cast("Table", Subscription.__table__)

    def row(petition_id: int, number: int) -> dict[str, Any]:
        address, row_id = EmailAddress(f"reader{number}", f"host{number % 1000}.example.org"), random_id()
        return {
            "id": row_id,
            "petition_id": petition_id,
            "state": "active",
            "language": language,
            "fingerprint": vault.fingerprint(address),
            "sealed_address": vault.seal(str(address).encode(), row=address_row(row_id)),
            "since_on": date(2026, 1, 1),
            "frequency": "each",
            "paused": False,
            "merged": False,
            "soft_bounces": 0,
        }

    for start in range(0, count, 10_000):
        with installation.database.sessions.begin() as session:
            petition_id = get_petition(session, SLUG).id
            rows = [row(petition_id, number) for number in range(start, min(count, start + 10_000))]
            session.execute(insert(table), rows)
