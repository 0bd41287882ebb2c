"""An export from the request to the file: recorded before a row is read, approved where a petition asks for it."""

import io
from collections.abc import Iterator, Mapping

import pytest
from sqlalchemy import select

from campaign.crypto.organizer_keys import OrganizerKey
from campaign.errors import Forbidden, InvalidInput, NotPossible
from campaign.installation.wiring import Installation
from campaign.models import AuditEntry, SignatureState
from campaign.services.exports.age_lists import Opening, open_list
from campaign.services.exports.approvals import approve_export, list_open_requests
from campaign.services.exports.export import Export, export_list, list_pieces, request_list, take_list, write_list
from campaign.services.exports.lists import AGE, want
from campaign.services.exports.rows import Format, Row
from campaign.services.petitions.store import get_petition
from tests.conftest import SLUG
from tests.scenes.people import confirm_all, sign

ME, SECOND = "me@example.org", "second@example.org"
KEY = OrganizerKey.fresh()


def export(installation: Installation, kind: str = "csv", reason: str | None = "For parliament", *lines: str) -> Export:
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        wanted = want(petition, "signatures", kind, SignatureState.CONFIRMED)
        return export_list(session, petition, wanted, reason=reason, lines=lines, actor=ME, now=installation.now())


def request(installation: Installation) -> Export | None:
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        wanted = want(petition, "signatures", "csv", SignatureState.CONFIRMED)
        return request_list(session, petition, wanted, reason="For parliament", actor=ME, now=installation.now())


def take(installation: Installation, number: int, actor: str = ME) -> Export:
    with installation.database.sessions.begin() as session:
        return take_list(session, get_petition(session, SLUG), number, actor=actor, now=installation.now())


def ask_for_approval(installation: Installation) -> None:
    with installation.database.sessions.begin() as session:
        get_petition(session, SLUG).export_needs_approval = True


def written(installation: Installation, made: Export) -> bytes:
    target = io.BytesIO()
    with installation.database.snapshots() as session:
        assert write_list(session, installation.vault, get_petition(session, SLUG), made, target) == 2
    return target.getvalue()


def trail(installation: Installation) -> list[tuple[str, str, Mapping[str, object]]]:
    with installation.database.snapshots() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        return [(entry.actor, entry.action, entry.details) for entry in entries]


@pytest.fixture
def signed(sqlite_installation: Installation) -> Installation:
    for name in ("Aigerim", "Bolat"):
        sign(sqlite_installation, f"{name}@example.org", name=name)
    confirm_all(sqlite_installation)
    return sqlite_installation


def test_a_list_in_the_clear_is_the_same_as_pieces_and_as_a_file(signed: Installation) -> None:
    made = export(signed)
    with signed.database.snapshots() as session:
        pieces = b"".join(list_pieces(session, signed.vault, get_petition(session, SLUG), made))
    assert pieces == written(signed, made)
    assert b"Aigerim" in pieces
    details = {"list": "signatures", "format": "csv", "state": "confirmed", "reason": "For parliament"}
    assert trail(signed) == [(ME, "export", details)]


def test_an_encrypted_list_is_recorded_with_the_beginning_of_its_keys(signed: Installation) -> None:
    made = export(signed, AGE, None, KEY.public.line)
    file = written(signed, made)
    assert b"Aigerim" not in file
    opened = io.BytesIO()
    open_list(io.BytesIO(file), Opening([KEY], opened, Format.CSV, lambda _: None, lambda _: None), partial=False)
    assert b"Aigerim" in opened.getvalue()
    details = {"list": "signatures", "format": "age", "state": "confirmed", "to": KEY.public.line[:24]}
    assert trail(signed) == [(ME, "export", details)]


def test_what_cannot_be_made_is_not_recorded(signed: Installation) -> None:
    with pytest.raises(InvalidInput, match="no organizers' keys"):
        export(signed, AGE)
    with signed.database.sessions.begin() as session:
        get_petition(session, SLUG).sealed_to = [KEY.public.line]
    sign(signed, "sealed@example.org")
    confirm_all(signed)
    with signed.database.sessions.begin() as session:
        get_petition(session, SLUG).sealed_to = []
    with pytest.raises(NotPossible, match="sealed to organizers' keys"):
        export(signed)
    assert trail(signed) == []


def test_rows_are_shown_on_their_way(signed: Installation) -> None:
    seen: list[int] = []

    def show(rows: Iterator[Row], total: int) -> Iterator[Row]:
        for row in rows:
            seen.append(total)
            yield row

    made = export(signed)
    with signed.database.snapshots() as session:
        write_list(session, signed.vault, get_petition(session, SLUG), made, io.BytesIO(), show=show)
    assert seen == [2, 2]


def test_without_approval_a_request_is_an_export(signed: Installation) -> None:
    assert request(signed) is not None
    assert [action for _, action, _ in trail(signed)] == ["export"]


def test_with_approval_a_request_waits_for_a_second_organizer(signed: Installation) -> None:
    ask_for_approval(signed)
    assert request(signed) is None
    with signed.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        (waiting,) = list_open_requests(session, petition.id, now=signed.now())
        number = waiting.id
        with pytest.raises(NotPossible):
            take_list(session, petition, number, actor=ME, now=signed.now())
        approve_export(session, petition.id, number, actor=SECOND, now=signed.now())
    with pytest.raises(Forbidden):
        take(signed, number, SECOND)
    assert b"Aigerim" in written(signed, take(signed, number))
    with pytest.raises(NotPossible):
        take(signed, number)
    assert [action for _, action, _ in trail(signed)] == ["export asked", "export approved", "export"]


def test_a_list_of_a_petition_that_was_sealed_meanwhile_is_encrypted(signed: Installation) -> None:
    ask_for_approval(signed)
    request(signed)
    with signed.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        (waiting,) = list_open_requests(session, petition.id, now=signed.now())
        approve_export(session, petition.id, waiting.id, actor=SECOND, now=signed.now())
        petition.sealed_to = [KEY.public.line]
    made = take(signed, waiting.id)
    assert (made.wanted.format, [keys.line for keys in made.recipients]) == (AGE, [KEY.public.line])
    assert b"Aigerim" not in written(signed, made)
