"""A server without keys, locked or to be copied: what says nothing of anybody can be read, all else is refused."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import Flask, current_app, request

from campaign.errors import ServerLocked
from campaign.services.operations.server_lock import LOCKED

# What can be read without a key.
_READABLE = {"petition", "look", "numbers", "feed", "spread", "embedding", "health", "static"}


@dataclass(frozen=True)
class Keyless:
    """Why there are no keys: the server is locked, or these pages are a copy made at ``frozen_at``."""

    frozen_at: datetime | None = None


def keyless() -> Keyless | None:
    """Why this server takes no signatures now; None where it does."""
    return cast("Keyless | None", current_app.extensions.get("keyless"))


def install(app: Flask, why: Keyless) -> None:
    """Refuse whatever is not merely read."""
    app.extensions["keyless"] = why

    @app.before_request
    def _refuse() -> None:
        readable = (request.endpoint or "static").partition(".")[0] in _READABLE
        if not readable or request.method not in {"GET", "HEAD", "OPTIONS"}:
            raise ServerLocked(LOCKED)
