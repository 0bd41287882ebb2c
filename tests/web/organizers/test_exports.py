"""The page of a petition's lists: a reason for each, encrypted ones, and two organizers where two have to agree."""

import json
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from campaign.crypto.organizer_keys import OrganizerKey
from campaign.installation.wiring import Installation
from campaign.models import Role
from campaign.services.exports.age_lists import Opening, open_list
from campaign.services.exports.rows import Format
from campaign.services.petitions.store import get_petition
from tests.conftest import SLUG
from tests.scenes.organizer_keys import seal_petition
from tests.scenes.organizing import EMAIL, enroll, list_audit, send_form
from tests.scenes.page import Page
from tests.scenes.people import add_readers, confirm_all, get_signature, sign
from tests.scenes.visiting import confirm_path, dump, page_of, read

NUMBERS = f"/organize/p/{SLUG}"
EXPORT = f"{NUMBERS}/export"
SECOND = "second@example.org"
REASON = "To hand it over to parliament"
KEY = OrganizerKey.fresh()


@pytest.fixture
def careful(installation: Installation) -> Installation:
    """Each list of the petition needs a second organizer."""
    with installation.database.sessions.begin() as session:
        get_petition(session, SLUG).export_needs_approval = True
    add_readers(installation, "a@example.org")
    return installation


def ask(client: FlaskClient, **fields: str) -> TestResponse:
    sent = {"list": "signatures", "format": "csv", "state": "confirmed", "reason": REASON, **fields}
    return send_form(client, EXPORT, **sent)


def step(client: FlaskClient, name: str, number: int = 1) -> TestResponse:
    return send_form(client, EXPORT, f"{EXPORT}/{name}", number=number)


def actions(page: Page) -> set[str]:
    """What the page lets one do with the lists that were asked for."""
    return {form["action"].rpartition("/")[2] for form in page.all("form") if form["action"].startswith(f"{EXPORT}/")}


def test_without_a_reason_there_is_no_list_and_nothing_typed_is_lost(
    installation: Installation, owner: FlaskClient
) -> None:
    before = dump(installation)
    for reason in ("", "  ", "ab", "x" * 501, "a\x00bcd"):
        answer = ask(owner, list="subscribers", reason=reason)
        assert answer.status_code == 422
        page = read(answer)
        assert page.by_id("reason")["aria-invalid"] == "true"
        assert "Write nothing about a signer" in page.described("reason")
        assert len(page.described("reason")) > len(page.by_id("reason-hint").text)
        chosen = [option["value"] for option in page.all("option") if "selected" in option.attributes]
        assert chosen == ["subscribers", "confirmed", "csv"]
        assert page.by_id("reason").text == reason.strip()
    assert dump(installation) == before


def test_every_organizer_sees_the_reason(app: Flask, installation: Installation, owner: FlaskClient) -> None:
    add_readers(installation, "a@example.org")
    assert ask(owner, reason="<b>For</b> the\nspokesperson").status_code == 200
    viewer = enroll(app, installation, Role.VIEWER, SECOND)
    assert "reason: <b>For</b> the spokesperson" in read(viewer.get(NUMBERS)).text


def test_a_second_organizer_approves_and_the_first_takes_it_once(
    app: Flask, careful: Installation, owner: FlaskClient
) -> None:
    second = enroll(app, careful, Role.EXPORTER, SECOND)
    answer = ask(owner)
    assert (answer.status_code, answer.location) == (303, EXPORT)
    asked = read(owner.get(EXPORT))
    assert REASON in asked.text
    assert actions(asked) == {"refuse"}
    assert "1 list was asked for." in read(second.get(NUMBERS)).text
    assert actions(read(second.get(EXPORT))) == {"approve", "refuse"}

    own = step(owner, "approve")
    assert own.status_code == 403
    assert "another organizer has to approve it" in read(own).one("p", role="alert").text
    assert step(owner, "take").status_code == 409
    assert step(second, "approve").status_code == 303
    assert step(second, "take").status_code == 403
    assert actions(read(owner.get(EXPORT))) == {"take", "refuse"}
    taken = step(owner, "take")
    assert taken.status_code == 200
    assert b"Aigerim Serikova" in taken.data
    assert "attachment" in taken.headers["Content-Disposition"]

    again = step(owner, "take")
    assert again.status_code == 409
    assert b"Aigerim" not in again.data
    assert not actions(read(owner.get(EXPORT)))
    details = {"list": "signatures", "format": "csv", "state": "confirmed", "reason": REASON}
    assert list_audit(careful) == [
        (EMAIL, "export asked", details),
        (SECOND, "export approved", {**details, "asked_by": EMAIL}),
        (EMAIL, "export", {**details, "approved_by": SECOND}),
    ]


def test_a_refused_list_cannot_be_taken(app: Flask, careful: Installation, owner: FlaskClient) -> None:
    second = enroll(app, careful, Role.OWNER, SECOND)
    ask(owner)
    assert step(second, "refuse").status_code == 303
    assert step(owner, "take").status_code == 409
    assert [action for _, action, _ in list_audit(careful)] == ["export asked", "export refused"]


def test_who_may_not_export_approves_nothing(app: Flask, careful: Installation, owner: FlaskClient) -> None:
    ask(owner)
    other = enroll(app, careful, Role.EDITOR, SECOND)
    for name in ("approve", "refuse", "take"):
        assert send_form(other, NUMBERS, f"{EXPORT}/{name}", number=1).status_code == 403
    assert other.get(EXPORT).status_code == 403
    assert [action for _, action, _ in list_audit(careful)] == ["export asked"]


def test_a_list_of_one_petition_is_not_approved_from_another(
    app: Flask, careful: Installation, owner: FlaskClient, other_petition: str
) -> None:
    ask(owner)
    second = enroll(app, careful, Role.OWNER, SECOND, other_petition)
    elsewhere = f"/organize/p/{other_petition}/export"
    assert send_form(second, elsewhere, f"{elsewhere}/approve", number=1).status_code == 409
    assert send_form(second, elsewhere, f"{EXPORT}/approve", number=1).status_code == 404
    assert [action for _, action, _ in list_audit(careful)] == ["export asked"]


def test_the_only_organizer_is_told_that_nobody_can_approve(
    app: Flask, careful: Installation, owner: FlaskClient
) -> None:
    assert "nobody can approve one" in read(owner.get(EXPORT)).text
    enroll(app, careful, Role.EXPORTER, SECOND)
    assert "nobody can approve one" not in read(owner.get(EXPORT)).text


@pytest.mark.parametrize("chosen", ["signatures", "subscribers"])
def test_a_list_of_a_sealed_petition_is_a_file_that_organizers_open(
    installation: Installation, owner: FlaskClient, chosen: str
) -> None:
    seal_petition(installation, KEY)
    add_readers(installation, "a@example.org")
    page = read(owner.get(EXPORT))
    assert [option["value"] for option in page.all("option") if "encrypted" in option.text] == ["age"]
    assert [key.text for key in page.all("code")] == [KEY.public.line]
    answer = ask(owner, list=chosen)  # even where an old page asks for CSV
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].endswith('.age"')
    assert answer.data.startswith(b"age-encryption.org/v1")
    target = BytesIO()
    opening = Opening([KEY], target, Format.JSONL, lambda _: None, lambda _: None)
    open_list(BytesIO(answer.data), opening, partial=False)
    row = json.loads(target.getvalue())
    assert "Aigerim Serikova" in row.values() or "a@example.org" in row.values()
    assert list_audit(installation)[0][2]["format"] == "age"


def test_a_list_with_names_of_keys_that_are_gone_is_refused_and_not_recorded(
    installation: Installation, owner: FlaskClient
) -> None:
    seal_petition(installation, KEY)
    sign(installation, "a@example.org")
    confirm_all(installation)
    seal_petition(installation)
    answer = ask(owner)
    assert answer.status_code == 422
    assert "names in it are sealed to keys" in read(answer).one("p", role="alert").text
    assert list_audit(installation) == []
    assert ask(owner, list="subscribers").status_code == 200


def test_an_approved_list_is_encrypted_if_the_petition_was_sealed_since(
    app: Flask, careful: Installation, owner: FlaskClient
) -> None:
    ask(owner)
    step(enroll(app, careful, Role.OWNER, SECOND), "approve")
    seal_petition(careful, KEY)
    assert step(owner, "take").data.startswith(b"age-encryption.org/v1")


@pytest.mark.parametrize("lang", ["en", "ru", "kk"])
def test_who_signs_a_sealed_petition_is_told_so_and_chooses_no_display(
    app: Flask, installation: Installation, lang: str
) -> None:
    client = app.test_client()
    assert not [part for part in read(client.get(page_of(lang))).elements if part["id"] == "sealed"]
    seal_petition(installation, KEY)
    page = read(client.get(page_of(lang)))
    assert page.by_id("sealed").text
    assert not page.all("input", name="display")


def test_the_confirmation_page_of_a_sealed_petition_shows_no_name(app: Flask, installation: Installation) -> None:
    seal_petition(installation, KEY)
    sign(installation, "a@example.org", name="Zhanargul", comment="From the mine", country="KZ")
    client, path = app.test_client(), confirm_path(installation, "a@example.org")
    page = read(client.get(path))
    assert "encrypted for the organizers: this server cannot read it" in page.text
    assert "Kazakhstan" in page.text
    assert "Zhanargul" not in page.text
    seen = page.one("input", name="seen")["value"]
    sign(installation, "a@example.org", name="Somebody else")
    code = installation.vault.code(get_signature(installation, "a@example.org").id)
    changed = client.post(path, data={"action": "confirm", "seen": seen, "code": code})
    assert changed.status_code == 422
    assert "filled in again" in read(changed).text
