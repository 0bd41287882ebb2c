"""A change of what an account signs in with: recorded, every other session ends, and this one goes on."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from campaign.models import Organizer
from campaign.services.organizing import end_sessions
from campaign.web.accounts import OrganizerUser, current_organizer
from campaign.web.context import campaign
from campaign.web.organizer_session import renew


@contextmanager
def changing() -> Iterator[tuple[Session, Organizer]]:
    """The account of whoever is signed in, to be changed in one transaction.

    Raise to change nothing: the sessions then stay as well.
    """
    with campaign().database.sessions.begin() as session:
        organizer = session.get_one(Organizer, current_organizer().id, with_for_update=True)
        yield session, organizer
        end_sessions(organizer)
    renew(OrganizerUser.of(organizer))
