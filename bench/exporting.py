"""Rows per second of an exported list of signatures, opened and written as CSV."""

from pathlib import Path

from sqlalchemy import text

from campaign.models import SignatureState
from campaign.services.exports.rows import SIGNATURE_COLUMNS, Format, list_signatures, write_rows
from campaign.services.petitions.store import get_petition

from .measuring import SLUG, Result, new_installation, per_second
from .people import confirm_all, sign_many

COUNT = 20_000


def csv_rows(folder: Path) -> Result:
    """The CSV export, compared with a raw cursor that reads the same sealed columns."""
    installation = new_installation(folder)
    sign_many(installation, COUNT, at_once=1000)
    confirm_all(installation)
    with installation.database.snapshots() as session:
        petition = get_petition(session, SLUG)

        def export() -> None:
            rows = list_signatures(session, installation.vault, petition, SignatureState.CONFIRMED)
            for _ in write_rows(rows, SIGNATURE_COLUMNS, Format.CSV):
                pass

        ours = per_second(COUNT, export)
        raw = text("SELECT number, sealed_person, country, language, signed_on, display FROM signature ORDER BY number")
        limit = per_second(COUNT, lambda: [None for _ in session.connection().exec_driver_sql(raw.text)])
    return Result("rows exported as CSV", ours, limit, "a raw cursor over the same rows, nothing opened")
