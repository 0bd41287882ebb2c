"""Pages of a list: which one the address asks for."""

import re

from flask import request

from campaign.errors import NotFound


def asked_page() -> int:
    """The number in ``?page=``, else 1. Raises NotFound if it is no page number."""
    asked = request.args.get("page", "1")
    if not re.fullmatch(r"[1-9][0-9]{0,8}", asked, re.ASCII):
        raise NotFound("This list has no such page.")
    return int(asked)
