"""An organizer's session: how it begins, and when its owner last proved who they are."""

import re
from datetime import timedelta

from flask import g, session, url_for
from flask_security import login_user
from flask_wtf.csrf import generate_csrf

from campaign.web.accounts import OrganizerUser
from campaign.web.context import campaign
from campaign.web.known_browsers import mark_browser

PROOF_LASTS = timedelta(minutes=10)
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
