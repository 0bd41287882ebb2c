"""One attempt to prove to be an organizer: counted before it is looked at, made to wait where many failed before."""

from collections.abc import Callable

from flask import current_app

from campaign.models import Organizer
from campaign.services.organizers.members import find_organizer
from campaign.services.organizers.second_factors import has_second_factor
from campaign.services.organizers.sign_in_throttle import begin_attempt, touch_nobody
from campaign.text.email_address import comparable_spelling
from campaign.web.auth.device_cookies import find_mark
from campaign.web.auth.passwords import password_matches
from campaign.web.auth.users import OrganizerUser
from campaign.web.core.context import campaign
from campaign.web.limits.sign_in_failures import FailureTally


def _tally() -> FailureTally:
    tally: FailureTally = current_app.extensions["failed_sign_ins"]
    return tally


def try_password(email: str, password: str) -> Organizer | None:
    """The organizer whose address and password these are. Raises TooSoon.

    An address that nobody has is counted, made to wait, hashed for and written for like one that somebody has.
    """
    with campaign().database.snapshots() as session:
        organizer = find_organizer(session, email)
        whole = organizer is None or not has_second_factor(organizer)
    if organizer is not None:
        user = OrganizerUser.of(organizer)
        return organizer if attempt(organizer, lambda: password_matches(user, password), whole=whole) else None
    _tally().begin(comparable_spelling(email), now=campaign().now())
    with campaign().database.sessions.begin() as session:
        touch_nobody(session)
    password_matches(None, password)
    return None


def attempt(organizer: Organizer, compare: Callable[[], bool], *, whole: bool = True) -> bool:
    """Whether ``compare`` says that it is the organizer, who must not be switched off. Raises TooSoon.

    The account's failures end elsewhere: when everything that is asked for was right.
    """
    now, mark = campaign().now(), find_mark(organizer)
    known = mark is not None and not _tally().is_worn_out(mark)
    with campaign().database.sessions.begin() as session:
        begin_attempt(session, organizer.id, known_browser=known, now=now)
    if compare() and organizer.active:
        if mark and whole:
            _tally().forget(mark)
        return True
    if mark:
        _tally().note(mark, now=now)
    return False
