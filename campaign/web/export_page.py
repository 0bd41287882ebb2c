"""The page of a petition's lists, and a list on its way to an organizer."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from flask import Response, render_template
from sqlalchemy.orm import Session

from campaign.models import ExportRequest, Petition
from campaign.organizer_keys import PublicKeys
from campaign.services import lists
from campaign.services.export_requests import ends_at, list_open_requests
from campaign.services.exporting import Format
from campaign.services.lifecycle import today_in
from campaign.services.lists import Wanted
from campaign.services.organizing import Permission, list_permitted
from campaign.web.accounts import current_organizer
from campaign.web.context import campaign
from campaign.web.local_time import local_time
from campaign.web.organizer_forms import OrganizerForm
from campaign.wiring import Campaign

_CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson", "age": "application/octet-stream"}
_AT_ONCE = 64 * 1024


@dataclass(frozen=True)
class Asked:
    """A request, until when it stands, and whether the organizer who looks at it has made it."""

    request: ExportRequest
    until: datetime
    own: bool


def _list_asked(session: Session, petition: Petition) -> list[Asked]:
    me = current_organizer().email
    found = list_open_requests(session, petition.id, now=campaign().now())
    return [Asked(request, ends_at(request), request.made_by == me) for request in found]


def export_page(petition: Petition, *, filled_in: OrganizerForm | None = None, refused: str = "") -> str:
    """The page. ``refused`` says which step was not taken: “sealed”, “own”, “not-yours” or “late”."""
    with campaign().database.snapshots() as session:
        others = [one for one in list_permitted(session, petition.id, Permission.EXPORT) if not _is_me(one)]
        return render_template(
            "organize/export.html",
            petition=petition,
            asked=_list_asked(session, petition),
            others=others,
            formats=[lists.AGE] if petition.sealed_to else [kind.value for kind in Format],
            local=local_time(petition),
            form=filled_in,
            refused=refused,
        )


def _is_me(email: str) -> bool:
    return bool(email == current_organizer().email)


def download(petition: Petition, wanted: Wanted, to: Sequence[PublicKeys]) -> Response:
    """The list as a file; encrypted where there is somebody ``to`` whom."""
    pieces = _encrypted(campaign(), petition, wanted, to) if to else _clear(campaign(), petition, wanted)
    answer = Response(pieces, content_type=_CONTENT_TYPES[wanted.format])
    today = today_in(petition, campaign().now())
    name = f"{petition.slug}-{wanted.chosen}-{today.isoformat()}.{wanted.format}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _clear(installation: Campaign, petition: Petition, wanted: Wanted) -> Iterator[bytes]:
    """The list piece by piece; all of it from one moment, however long the download takes."""
    with installation.database.snapshots() as session:
        rows = lists.list_wanted(session, installation.vault, petition, wanted)
        yield from lists.write_clear(rows, wanted)


def _encrypted(installation: Campaign, petition: Petition, wanted: Wanted, to: Sequence[PublicKeys]) -> Iterator[bytes]:
    """The age file, made whole before its first byte goes out; on the disk it is nothing but encrypted."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  # the generator below closes it
    with installation.database.snapshots() as session:
        total = lists.count_list(session, petition, wanted)
        rows = lists.list_wanted(session, installation.vault, petition, wanted)
        lists.write_encrypted(rows, total, wanted, file, to=to)
    file.seek(0)
    return _pieces_of(file)


def _pieces_of(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_AT_ONCE):
            yield piece
