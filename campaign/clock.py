"""The only module that reads the clock. All other code gets the time as a value."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present time, with timezone UTC."""
    return datetime.now(UTC)
