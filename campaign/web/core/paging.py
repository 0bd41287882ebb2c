"""Which page of a list an address asks for."""

import re

from flask import request

from campaign.errors import NotFound


def asked_page() -> int:
    """The number behind ``?page=``, 1 where there is none. Raises NotFound for what is no number of a page."""
    asked = request.args.get("page", "1")
    if not re.fullmatch(r"[1-9][0-9]{0,8}", asked, re.ASCII):
        raise NotFound("This list has no such page.")
    return int(asked)
