"""The cookie with the address that was typed into the form, so that the next page can show it and send the mail again.

It is sealed: only this server reads it, and only for an hour. Whether the address is known makes no difference to it.
"""

import base64
import json
from typing import NamedTuple

from flask import request
from werkzeug.wrappers import Response

from campaign.crypto.sealed_rows import typed_row
from campaign.errors import CampaignError
from campaign.periods import TYPED_ADDRESS_KEPT, seconds
from campaign.text.email_address import EmailAddress, parse_email_address
from campaign.web.core.context import installation
from campaign.web.core.locked_mode import keyless

_COOKIE = "typed"


class Typed(NamedTuple):
    """The address, and the text in which its owner typed it."""

    text: str
    address: EmailAddress


def remember_address(answer: Response, petition_id: int, typed: str) -> None:
    """Let the browser keep the address as it was typed for the petition."""
    until = (installation().now() + TYPED_ADDRESS_KEPT).timestamp()
    plain = json.dumps([typed, int(until)]).encode()
    sealed = installation().vault.seal(plain, row=typed_row(petition_id))
    answer.set_cookie(
        _COOKIE,
        base64.urlsafe_b64encode(sealed).decode(),
        max_age=seconds(TYPED_ADDRESS_KEPT),
        path="/",
        httponly=True,
        secure=installation().settings.base_url.startswith("https:"),
        samesite="Lax",
    )


def find_address(petition_id: int) -> Typed | None:
    """The address that was typed in this browser for the petition, in the last hour; None if there is none."""
    if keyless() or _COOKIE not in request.cookies:
        return None
    try:
        sealed = base64.urlsafe_b64decode(request.cookies[_COOKIE])
        typed, until = json.loads(installation().vault.open(sealed, row=typed_row(petition_id)))
        if until <= installation().now().timestamp():
            return None
        return Typed(typed, parse_email_address(typed, allow_smtputf8=True))
    except (ValueError, CampaignError):  # the cookie is for another petition, cut off, or sealed with an older key
        return None


def forget_address(answer: Response) -> None:
    """Let the browser forget the address, because its owner has answered."""
    answer.delete_cookie(_COOKIE, path="/")
