"""A file beside the database that says which editions were begun, so that a restored backup resends none.

A database restored from yesterday's backup does not know of yesterday's edition and would make it anew. The file is
not in the backup: an edition whose number was begun before, by one made at another moment, is paused before its first
mail, and a person decides.
"""

import fcntl
import os
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from campaign.models import AuditAction, Edition, EditionState, Petition
from campaign.services.audit_log import WORKER, record
from campaign.services.digests.transitions import move_edition

N_ = str  # marks a sentence for the translators; the page translates it


def check_begun(session: Session, edition_id: int, file: Path, *, now: datetime) -> bool:
    """Note in ``file`` that the edition begins; False where it was paused, since one of its number was begun before.

    Only the first start is checked: who resumes it then has decided.
    """
    edition = session.get_one(Edition, edition_id, with_for_update=True)
    if edition.state is not EditionState.SENDING or edition.starts != 1:
        return edition.state is EditionState.SENDING
    slug = session.get_one(Petition, edition.petition_id).slug
    if _note(file, f"{slug} {edition.number} ", edition.made_at.isoformat()):
        return True
    move_edition(edition, EditionState.PAUSED)
    edition.reason = N_("one of this number was sent before: was the database restored from a backup?")
    record(session, WORKER, AuditAction.EDITION_PAUSED, edition.petition_id, now=now, edition=edition.number)
    return False


def _note(file: Path, name: str, made_at: str) -> bool:
    """Whether ``made_at`` is the first that was noted under ``name``, now or earlier; it is on the disk then."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "r+", encoding="utf-8") as lines:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        for line in lines:
            if line.startswith(name):
                return line == f"{name}{made_at}\n"
        lines.write(f"{name}{made_at}\n")
        lines.flush()
        os.fsync(descriptor)
    return True
