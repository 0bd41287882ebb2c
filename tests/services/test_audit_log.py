"""The audit trail: only known actions are written and read, and the latest entries are listed."""

from datetime import timedelta
from typing import cast

import pytest
from sqlalchemy import text
from sqlalchemy.exc import StatementError

from campaign.installation.wiring import Installation
from campaign.models import AuditAction, AuditEntry
from campaign.services.audit_log import list_account_entries, list_entries, record, record_line
from tests.conftest import START
from tests.scenes.people import find_petition

ME, SECOND = "me@example.org", "second@example.org"


def test_another_word_is_neither_written_nor_read(installation: Installation) -> None:
    petition_id = find_petition(installation).id
    with (
        pytest.raises(StatementError, match="'whatever' is not among"),
        installation.database.sessions.begin() as session,
    ):
        record(session, ME, cast("AuditAction", "whatever"), petition_id, now=START)
    with installation.database.sessions.begin() as session:
        record(session, ME, AuditAction.PETITION_OPENED, petition_id, now=START)
    with installation.database.engine.begin() as connection:
        connection.execute(text("UPDATE audit_entry SET action = 'whatever'"))
    with installation.database.snapshots() as session, pytest.raises(LookupError):
        list_entries(session, petition_id)


def test_every_action_fits_into_its_column() -> None:
    (length,) = {AuditEntry.__table__.c.action.type.length}  # type: ignore[attr-defined]
    assert all(len(action) <= length for action in AuditAction)


def test_the_latest_entries_come_first(installation: Installation) -> None:
    petition_id = find_petition(installation).id
    with installation.database.sessions.begin() as session:
        for number in range(3):
            record(session, ME, AuditAction.COMMENTS_SHOWN, petition_id, now=START, comments=number)
        found = list_entries(session, petition_id, most=2)
        assert [entry.details for entry in found] == [{"comments": 2}, {"comments": 1}]
        assert list_account_entries(session, 1) == []


def test_lines_of_one_sheet_person_and_day_are_one_entry(installation: Installation) -> None:
    petition_id = find_petition(installation).id
    with installation.database.sessions.begin() as session:
        for actor, sheet, days in ((ME, 1, 0), (ME, 2, 0), (ME, 1, 0), (SECOND, 1, 0), (ME, 1, 1), (ME, 1, 1)):
            record_line(session, actor, petition_id, sheet=sheet, now=START + timedelta(days=days))
            session.flush()
        told = [(entry.actor, dict(entry.details)) for entry in reversed(list_entries(session, petition_id))]
    assert told == [
        (ME, {"sheet": 1, "lines": 2}),
        (ME, {"sheet": 2, "lines": 1}),
        (SECOND, {"sheet": 1, "lines": 1}),
        (ME, {"sheet": 1, "lines": 2}),
    ]
