"""The way in: whoever has shown everything that is asked for gets a session; the password alone may be half the way."""

from flask import redirect, session, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from campaign.models import Organizer
from campaign.periods import HALF_SIGN_IN_LASTS
from campaign.services.organizers.second_factors import has_second_factor
from campaign.services.organizers.sign_in_throttle import admit, take_back_attempt
from campaign.web.auth.session import begin, our_page
from campaign.web.auth.users import OrganizerUser
from campaign.web.core.context import campaign


def go_on(organizer_id: int, way: str, wanted: str | None) -> Response:
    """The password was right, or the link: ask for the second factor, or let in who has none."""
    with campaign().database.sessions.begin() as writing:
        organizer = writing.get_one(Organizer, organizer_id)
        asks = has_second_factor(organizer)
        if asks and way == "password":  # a link is no attempt
            take_back_attempt(writing, organizer_id)
    if not asks:
        return let_in(organizer_id, way, wanted)
    session.clear()
    session["half_way"] = [organizer.session_key, campaign().now().timestamp(), way, wanted or ""]
    return redirect(url_for("second_step.show"), 303)


def let_in(organizer_id: int, way: str, wanted: str | None) -> Response:
    """Begin the session; ``way`` says for the account's trail by what."""
    with campaign().database.sessions.begin() as writing:
        organizer = admit(writing, organizer_id, way, now=campaign().now())
    begin(OrganizerUser.of(organizer))
    return redirect(our_page(wanted), 303)


def find_half_way() -> tuple[Organizer, str, str] | None:
    """Who has shown the password in this browser within ten minutes, by what way, and where they want to go."""
    key, since, way, wanted = session.get("half_way", ["", 0, "", ""])
    if not 0 <= campaign().now().timestamp() - since < HALF_SIGN_IN_LASTS.total_seconds():
        return None
    with campaign().database.snapshots() as reading:
        organizer = reading.scalars(
            select(Organizer).where(Organizer.session_key == key, Organizer.active.is_(True))
        ).one_or_none()
        if organizer is None:
            return None
        _ = organizer.passkeys  # read while it can be
        return organizer, way, wanted
