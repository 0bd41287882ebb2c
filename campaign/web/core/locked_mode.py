"""A server without keys, because it is locked or its pages are copied: pages without personal data can be read."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import Flask, current_app, request

from campaign.errors import ServerLocked
from campaign.services.operations.server_lock import LOCKED

# The pages that need no key.
_READABLE = {"petition", "check_mail", "look", "numbers", "feed", "spread", "embedding", "health", "static"}


@dataclass(frozen=True)
class Keyless:
    """Why there are no keys: the server is locked, or the pages are copied, at ``frozen_at``."""

    frozen_at: datetime | None = None


def keyless() -> Keyless | None:
    """Why this server takes no signatures now; None if it takes them."""
    return cast("Keyless | None", current_app.extensions.get("keyless"))


def install(app: Flask, why: Keyless) -> None:
    """Refuse every page that needs a key, and every request that changes something."""
    app.extensions["keyless"] = why

    @app.before_request
    def _refuse() -> None:
        readable = (request.endpoint or "static").partition(".")[0] in _READABLE
        if not readable or request.method not in {"GET", "HEAD", "OPTIONS"}:
            raise ServerLocked(LOCKED)
