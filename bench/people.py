"""Signatures and subscriptions by the thousand, made as the services make them."""

from campaign.email_address import EmailAddress
from campaign.models import Signature
from campaign.services.confirming import confirm
from campaign.services.petitions import get_petition, get_text_version
from campaign.services.signing import Person, Submission, sign
from campaign.wiring import Campaign

from .measuring import SLUG


def submission(number: int) -> Submission:
    """The form of person ``number``."""
    person = Person(name=f"Айгерім Серікқызы {number}", comment="Ынтымақтастықпен")
    return Submission(EmailAddress(f"person{number}", "example.org"), person, "kk", "DE", wants_updates=True)


def sign_many(campaign: Campaign, count: int, *, at_once: int = 1) -> None:
    """``count`` signatures, in transactions of ``at_once``."""
    for start in range(0, count, at_once):
        with campaign.database.sessions.begin() as session:
            petition = get_petition(session, SLUG)
            version = get_text_version(session, petition, "kk")
            for number in range(start, min(count, start + at_once)):
                sign(session, campaign.vault, petition, version, submission(number), now=campaign.now())


def confirm_all(campaign: Campaign) -> None:
    """Every signature confirmed, each with its subscription."""
    with campaign.database.sessions.begin() as session:
        for signature in session.query(Signature).all():
            confirm(session, campaign.vault, signature, now=campaign.now())
