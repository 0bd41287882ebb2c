"""Organizers who have keys, and a petition whose names are sealed to them."""

from campaign.crypto.organizer_keys import OrganizerKey
from campaign.installation.wiring import Installation
from campaign.services.petitions.store import get_petition
from tests.conftest import SLUG


def seal_petition(installation: Installation, *keys: OrganizerKey, slug: str = SLUG) -> None:
    """From now on names are sealed to these, as if the petition file named them."""
    with installation.database.sessions.begin() as session:
        get_petition(session, slug).sealed_to = [key.public.line for key in keys]
