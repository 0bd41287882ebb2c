"""An organizer's session: how it begins, and when its owner last proved who they are."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from flask import g, session, url_for
from flask_security import login_user
from flask_wtf.csrf import generate_csrf
from sqlalchemy.orm import Session

from campaign.models import Organizer
from campaign.periods import PROOF_LASTS
from campaign.services.organizers.members import end_sessions
from campaign.web.auth.device_cookies import mark_browser
from campaign.web.auth.users import OrganizerUser, current_organizer
from campaign.web.core.context import campaign

_OUR_PAGES = re.compile(r"/organize/[\w./?=&%-]*", re.ASCII)


def begin(user: OrganizerUser) -> None:
    """A new session, so that nothing planted in the browser before it lives on."""
    session.clear()
    g.pop("csrf_token", None)
    login_user(user, remember=False, authn_via=["password"])
    session.pop("_id")  # a hash of the network's address, which nothing reads here
    mark_browser(user.fs_uniquifier)
    session["began"] = session["seen"] = session["proved"] = campaign().now().timestamp()
    generate_csrf()


def renew(user: OrganizerUser) -> None:
    """The organizer proved anew who they are: another session, which ends no later than the one before."""
    began = session["began"]
    begin(user)
    session["began"] = began


def is_fresh() -> bool:
    """Whether the organizer proved who they are within the last ten minutes."""
    age = campaign().now().timestamp() - session.get("proved", 0)
    return bool(0 <= age < PROOF_LASTS.total_seconds())


def our_page(address: str | None) -> str:
    """Where to go afterwards: a page of the organizers, nowhere else."""
    if address and _OUR_PAGES.fullmatch(address) and "//" not in address:
        return address
    return url_for("organize.index")


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
