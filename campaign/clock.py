"""The only reading of the clock. Everything else is handed the time as a value."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)
