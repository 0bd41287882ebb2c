"""Paper from the pages: sheets to print, lines to enter one after the other, and the signer's own look at an entry."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from campaign.crypto.paper_codes import new_code, spell
from campaign.installation.wiring import Installation
from campaign.models import Display, PetitionState, Role, Signature
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.petitions.lifecycle import close_petition
from campaign.services.petitions.store import get_petition
from campaign.web.app import create_app
from tests.conftest import SLUG, Clock, MakeInstallation
from tests.scenes.organizing import PASSWORD, enroll, list_audit, send_form
from tests.scenes.paper import enter, print_sheet, set_state
from tests.scenes.people import count, find_petition, get_signature_by_id
from tests.scenes.printed import Pdf, read_pdf, squeeze
from tests.scenes.visiting import FROM_HERE, dump, page_of, read

PAPER = f"/organize/p/{SLUG}/paper"
STUB = f"{page_of()}/paper"


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough for pages: the services are tested on both."""
    return sqlite_installation


def make(client: FlaskClient, lines: object = 12, language: str = "en") -> TestResponse:
    return send_form(client, PAPER, f"{PAPER}/sheets", lines=lines, language=language)


def type_line(client: FlaskClient, code: str, **fields: str) -> TestResponse:
    return send_form(client, PAPER, f"{PAPER}/lines", **{"line_code": code, "name": "Dana Akhmetova", **fields})


def codes_in(pdf: Pdf, lines: int) -> list[str]:
    """The codes on a sheet, each of which stands there twice."""
    found = re.findall(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{3}", pdf.text)
    assert len(found) == 2 * lines
    assert found[::2] == found[1::2]
    return found[::2]


def look(app: Flask, code: str, path: str = STUB) -> tuple[FlaskClient, TestResponse]:
    client = app.test_client()
    return client, client.post(path, data={"code": code}, headers=FROM_HERE)


@pytest.mark.parametrize("lang", ["en", "ru", "kk"])
def test_a_sheet_has_the_demands_as_they_stand_and_a_code_twice_on_each_line(
    owner: FlaskClient, installation: Installation, lang: str
) -> None:
    answer = make(owner, 25, lang)
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{SLUG}-{lang}-sheet-1.pdf"'
    assert answer.headers["Cache-Control"] == "no-store"
    pdf = read_pdf(answer.data)
    assert len(pdf.pages) >= 2
    texts = find_petition(installation).texts[lang]
    for words in (
        texts["title"],
        texts["addressee"],
        texts["risk_note"],
        f"http://127.0.0.1:8000/{lang}/p/{SLUG}/paper",
    ):
        assert squeeze(words) in pdf.text
    version = read(owner.get(page_of(lang))).one("input", name="text_version")["value"]
    assert version in pdf.text
    assert len(set(codes_in(pdf, 25))) == 25
    assert list_audit(installation)[-1][1:] == ("paper made", {"sheet": 1, "lines": 25})


def test_the_code_on_paper_is_what_is_typed(owner: FlaskClient, app: Flask, installation: Installation) -> None:
    """From the printed sheet to the organizers' form, and from the stub to the signer's own page."""
    codes = codes_in(read_pdf(make(owner).data), 12)
    answer = type_line(owner, codes[2].lower(), country="Kazakhstan", comment="At the gate.")
    assert answer.status_code == 303
    page = read(owner.get(answer.location))
    assert page.one("p", role="status").text == "Entered, as number 1. Sheet 1: 1 of 12 lines entered."
    assert {page.by_id(name)["value"] for name in ("line_code", "name", "country")} == {""}
    assert (
        read(owner.get(type_line(owner, codes[7]).location))
        .one("p", role="status")
        .text.endswith("Sheet 1: 2 of 12 lines entered.")
    )
    signer, found = look(app, codes[2])
    assert found.status_code == 303
    page = read(signer.get(found.location))
    assert "Dana Akhmetova" in page.text
    assert "At the gate." in page.text
    assert not page.all("a", href=f"{found.location}/updates")
    assert count(installation) == 2


def test_a_signer_changes_and_withdraws_what_was_entered(app: Flask, installation: Installation) -> None:
    codes = print_sheet(installation)
    signature_id, _ = enter(installation, codes[0])
    signer, found = look(app, spell(codes[0]))
    page = read(signer.get(found.location))
    fields = {**page.filled_in(), "name": "Dana A.", "display": "name", "country": "DE", "language": "en"}
    form = next(each["action"] for each in page.all("form") if "details" in each["action"])
    assert signer.post(form, data=fields).status_code == 303
    changed = get_signature_by_id(installation, signature_id)
    assert (changed.display, changed.country) == (Display.NAME, "DE")
    assert signer.post(f"{found.location}/withdraw").status_code == 303
    assert count(installation) == 0
    _, gone = look(app, codes[0])
    assert gone.status_code == 422


def test_the_code_alone_lets_one_change_and_the_link_alone_does_not(app: Flask, installation: Installation) -> None:
    codes = print_sheet(installation)
    enter(installation, codes[0])
    _, found = look(app, codes[0])
    assert app.test_client().post(f"{found.location}/withdraw").status_code == 422
    assert count(installation) == 1


@pytest.mark.parametrize("code", ["unknown", "not entered", "nonsense", ""])
def test_a_code_without_an_entry_gets_a_sentence_and_changes_nothing(
    app: Flask, installation: Installation, code: str
) -> None:
    typed = {"unknown": new_code(), "not entered": print_sheet(installation)[0]}.get(code, code)
    before = dump(installation)
    _, answer = look(app, typed)
    assert answer.status_code == 422
    page = read(answer)
    sentence = "There is no entry with this code" if len(typed) == 11 else "This is not a code from a sheet"
    assert sentence in page.described("code")
    assert page.by_id("code")["value"] == typed
    assert "Set-Cookie" not in answer.headers
    assert dump(installation) == before


def test_unknown_codes_and_those_of_empty_lines_are_answered_alike(app: Flask, installation: Installation) -> None:
    codes = [new_code(), print_sheet(installation)[0]]
    answers = [look(app, code)[1].get_data(as_text=True).replace(code, "") for code in codes]
    tokens = [read(look(app, code)[1]).one("input", name="csrf_token")["value"] for code in codes]
    plain = [re.sub(r'name="csrf_token" value="[^"]*"', "", answer) for answer in answers]
    assert plain[0] == plain[1]
    assert all(tokens)


def test_guessing_codes_is_limited_like_everything_else(make_sqlite_installation: MakeInstallation) -> None:
    client = create_app(make_sqlite_installation(source_limit="3/hour")).test_client()
    answers = [client.post(STUB, data={"code": code}, headers=FROM_HERE) for code in ("a", "b", new_code(), "c")]
    assert [answer.status_code for answer in answers] == [422, 422, 422, 429]
    assert "Very many requests" in read(answers[-1]).one("div", role="alert").text
    assert read(answers[-1]).by_id("code")["value"] == "c"


def test_a_code_sent_from_another_website_is_not_looked_at(app: Flask, installation: Installation) -> None:
    codes = print_sheet(installation)
    enter(installation, codes[0])
    foreign = app.test_client().post(STUB, data={"code": codes[0]}, headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 422


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        ({"code": "ABC"}, "line_code", "eleven characters"),
        ({"code": "new"}, "line_code", "No sheet of this petition"),
        ({"code": "used"}, "line_code", "entered already"),
        ({"name": " "}, "name", "Please type your name."),
        ({"name": "www.evil.example"}, "name", "web address"),
        ({"country": "Atlantis"}, "country", "country from the list"),
        ({"comment": "x" * 1001}, "comment", "too long"),
        ({"comment": "\x00"}, "comment", "unreadable"),
    ],
)
def test_what_is_wrong_with_a_line_is_said_beside_it_and_nothing_typed_is_lost(
    owner: FlaskClient, installation: Installation, fields: dict[str, str], field: str, told: str
) -> None:
    codes = print_sheet(installation)
    enter(installation, codes[1])
    code = {"new": new_code(), "used": codes[1], None: codes[0]}.get(fields.get("code"), "ABC")
    fields = {name: value for name, value in fields.items() if name != "code"}
    typed = {"line_code": code, "name": "Aigerim Serikova", "country": "DE", "comment": "From the mine.", **fields}
    before = dump(installation)
    answer = send_form(owner, PAPER, f"{PAPER}/lines", **typed)
    assert answer.status_code == 422
    page = read(answer)
    assert told in page.described(field)
    kept = {name: value.removeprefix("\n") for name, value in page.filled_in().items()}
    assert {name: kept[name] for name in typed} == typed
    assert dump(installation) == before


@pytest.mark.parametrize("lines", ["", "9", "201", "many", "1.5", "-10", "1" * 30])
def test_a_number_of_lines_that_is_none_makes_no_sheet(
    owner: FlaskClient, installation: Installation, lines: str
) -> None:
    before = dump(installation)
    answer = make(owner, lines)
    assert answer.status_code == 422
    assert "Please type a number from 10 to 200." in read(answer).described("lines")
    assert read(answer).by_id("lines")["value"] == lines
    assert make(owner, 10, "xx").status_code == 422
    assert dump(installation) == before


def test_a_closed_petition_says_that_it_takes_no_paper_and_keeps_what_was_typed(
    owner: FlaskClient, installation: Installation
) -> None:
    codes = print_sheet(installation)
    token = read(owner.get(PAPER)).all("input", name="csrf_token")[0]["value"]
    with installation.database.sessions.begin() as session:
        close_petition(session, get_petition(session, SLUG), actor=COMMAND_LINE, now=installation.now())
    page = read(owner.get(PAPER))
    assert "Nothing can be entered now." in page.text
    assert not page.all("input", name="line_code")
    fields = {"csrf_token": token, "line_code": codes[0], "name": "Dana"}
    late = owner.post(f"{PAPER}/lines", data=fields)
    assert late.status_code == 409
    assert read(late).by_id("name")["value"] == "Dana"
    assert owner.post(f"{PAPER}/sheets", data={"csrf_token": token, "lines": 10, "language": "en"}).status_code == 409
    set_state(installation, PetitionState.PAUSED)
    assert type_line(owner, codes[0]).status_code == 303


def test_printing_needs_no_new_proof_and_entering_does_and_loses_nothing(
    owner: FlaskClient, installation: Installation, clock: Clock
) -> None:
    codes = print_sheet(installation)
    clock.turn(timedelta(minutes=11))
    assert make(owner).status_code == 200
    asked = type_line(owner, codes[0], comment="At the gate.")
    assert asked.status_code == 401
    form = read(asked).filled_in()
    again = owner.post("/organize/prove", data={**form, "password": PASSWORD})
    page = read(again)
    sent = [(field["name"], field["value"]) for field in page.all("input", type="hidden")]
    assert ("line_code", codes[0]) in sent
    assert owner.post(f"{PAPER}/lines", data=dict(sent)).status_code == 303
    assert count(installation) == 1


@pytest.mark.parametrize(("role", "status"), [(Role.EXPORTER, 200), (Role.EDITOR, 403), (Role.VIEWER, 403)])
def test_paper_is_for_those_who_may_see_names(app: Flask, installation: Installation, role: Role, status: int) -> None:
    client = enroll(app, installation, role, "other@example.org")
    assert client.get(PAPER).status_code == status
    assert (PAPER in client.get(f"/organize/p/{SLUG}").get_data(as_text=True)) is (status == 200)


def test_what_is_entered_has_no_address_to_be_told(app: Flask, installation: Installation) -> None:
    codes = print_sheet(installation)
    enter(installation, codes[0])
    signer, found = look(app, codes[0])
    told = signer.get(f"{found.location}/data.json").get_json()
    assert told["signature"]["address_recognised_by_keyed_hash"] is False
    assert told["signature"]["name"] == "Dana"
    with installation.database.snapshots() as session:
        assert session.scalars(select(Signature.sealed_address)).all() == [None]
