"""Health checks for a monitor: is the server alive, and can it do its work?"""

from flask import Blueprint, Response, jsonify

from campaign.web.core.context import installation
from campaign.web.core.locked_mode import keyless
from campaign.web.core.security import Entry, entry

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@entry(Entry.PUBLIC)
def healthz() -> Response:
    installation().database.ping()
    return jsonify(status="locked" if keyless() else "ok")
