"""Alembic's environment for our tables, on the connection passed by ``campaign.services.operations.schema``."""

from typing import Any, Literal

from alembic import context

from campaign.db import UTCDateTime
from campaign.models import AuditEntry
from campaign.services.operations.schema import is_ours


def render_plainly(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """Write our own column types as database types, since a migration must not import code that may change."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UTCDateTime) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=AuditEntry.metadata,
    include_name=is_ours,
    render_as_batch=True,  # SQLite changes a table by copying it
    compare_type=True,
    render_item=render_plainly,
)
with context.begin_transaction():
    context.run_migrations()
