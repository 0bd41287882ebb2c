"""Sites: one server answers for all pages, or two servers answer for the public and the organizers' pages."""

from enum import StrEnum
from typing import Any

from flask import Flask, abort, request

from campaign.settings import Settings

SESSION_PATH = "/organize"


def is_organizers(path: str) -> bool:
    """Whether a path belongs to the organizers' pages."""
    return path == SESSION_PATH or path.startswith(f"{SESSION_PATH}/")


class Door(StrEnum):
    """The pages that one server answers for."""

    ALL = "all pages"
    PUBLIC = "the public pages"
    ORGANIZERS = "the organizers' pages"


class Site(Flask):
    """The application. With two servers, the address of a page on the other server is written in full."""

    door = Door.ALL

    def url_for(self, endpoint: str, **values: Any) -> str:
        address = super().url_for(endpoint, **values)
        if self.door is Door.ALL or not address.startswith("/") or self.serves(address):
            return address
        settings: Settings = self.extensions["installation"].settings
        return (settings.organize_url if is_organizers(address) else settings.base_url) + address

    def serves(self, path: str) -> bool:
        """Whether this server answers for the address. Both servers have style sheets and ``/healthz``."""
        if self.door is Door.ORGANIZERS:
            return is_organizers(path.partition("?")[0]) or path.startswith("/static/") or path == "/healthz"
        return self.door is Door.ALL or not is_organizers(path.partition("?")[0])


def install(app: Site) -> None:
    """Answer 404 for pages of the other server."""

    @app.before_request
    def _stay_apart() -> None:
        if not app.serves(request.path):
            abort(404)
