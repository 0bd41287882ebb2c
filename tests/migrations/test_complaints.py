"""Migration 0005: what the audit trail alone knew about complaints becomes a fact of the edition; and back."""

from datetime import datetime, timedelta

from sqlalchemy import insert, select, update

from campaign.installation.wiring import Installation
from campaign.models import AuditAction, AuditEntry, Edition
from campaign.services.digests.editions import make_edition
from campaign.services.operations.schema import check_models, migrate, migrate_down
from campaign.services.petitions.store import get_petition
from tests.conftest import SLUG
from tests.scenes.people import add_readers, without_jobs

BEFORE = "0004"


def moments(installation: Installation) -> list[tuple[datetime | None, datetime | None]]:
    """When each edition's complaints led to a warning and to a pause, oldest edition first."""
    with installation.database.snapshots() as session:
        wanted = select(Edition.complaints_warned_at, Edition.complaints_paused_at).order_by(Edition.id)
        return [(warned, paused) for warned, paused in session.execute(wanted)]


def test_an_edition_takes_over_what_the_trail_has(installation: Installation) -> None:
    add_readers(installation, "a@example.org")
    with installation.database.sessions.begin() as session:
        petition_id = get_petition(session, SLUG).id
        for period in ("first", "skipped"):
            petition, dispatch = get_petition(session, SLUG), without_jobs(installation)
            make_edition(session, petition, installation.links, dispatch, period=period, now=installation.now())
    engine = installation.database.engine
    migrate_down(engine, BEFORE)
    warned, paused = installation.now() - timedelta(days=2), installation.now() - timedelta(days=1)
    shared = {"actor": "mail that came back", "petition_id": petition_id}
    details = {"edition": 1, "complaints": 3, "accepted": 1000}
    entries = [
        {"at": warned, "action": AuditAction.COMPLAINTS_WARNING, "details": details},
        {"at": paused, "action": AuditAction.DIGEST_PAUSED_BY_COMPLAINTS, "details": details},
        {"at": warned, "action": AuditAction.COMPLAINTS_WARNING, "details": {**details, "edition": 7}},
        {"at": warned, "action": AuditAction.EDITION_PAUSED, "details": {"edition": 1}},
    ]
    with engine.begin() as connection:
        connection.execute(insert(AuditEntry), [{**shared, **entry} for entry in entries])
    migrate(engine)
    check_models(engine)
    assert moments(installation) == [(warned, paused), (None, None)]

    migrate_down(engine, BEFORE)
    with engine.begin() as connection:
        kept = connection.execute(select(AuditEntry.at, AuditEntry.action).order_by(AuditEntry.id)).all()
        assert [tuple(row) for row in kept] == [(entry["at"], entry["action"]) for entry in entries]
        connection.execute(update(AuditEntry).values(actor="somebody"))  # the older program goes on writing it
    migrate(engine)
    assert moments(installation) == [(warned, paused), (None, None)]
