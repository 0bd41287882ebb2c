"""The form: errors beside their fields in the reader's language, nothing typed is lost, one answer for everybody."""

from io import BytesIO

import pytest
from flask import Flask
from flask_wtf import FlaskForm
from werkzeug.test import TestResponse

from campaign.i18n import Language
from campaign.installation.wiring import Installation
from campaign.models import Display
from campaign.services.petitions.store import get_petition, get_text_version
from campaign.services.signatures.sign import Person
from campaign.web.core.forms import TypedMeta
from tests.conftest import SLUG
from tests.scenes.people import confirm, get_signature, list_deliveries
from tests.scenes.visiting import ADDRESS, FILLED_IN, FROM_HERE, dump, page_of, post, read

LANGUAGES = ["en", "ru", "kk"]
SPECIAL = '<b>"O\'Neil" & Sons</b>'
# A field, what is wrong in it, and the sentence beside it.
WRONG = [
    ("name", "", "Please type your name."),
    ("name", "   ", "Please type your name."),
    ("name", "12 34", "A name has at least one letter. Please type your name."),
    ("name", "A" * 101, "This is too long. Please shorten it."),
    (
        "name",
        "Buy at www.example.com",
        "A web address cannot stand here. If it is none, please put a space after the full stop.",
    ),
    ("email", "", "Please type your e-mail address."),
    ("email", SPECIAL, "This does not look like an e-mail address. It should read like name@example.org."),
    ("email", "a@b@example.org", "This does not look like an e-mail address. It should read like name@example.org."),
    (
        "email",
        "айгерим@example.org",
        "The part before the @ has letters that our mail server cannot deliver to. Please use another address.",
    ),
    ("country", "Atlantis", "Please choose a country from the list."),
    ("comment", "x" * 1001, "The comment is too long. Please keep it under 1,000 characters."),
    (
        "comment",
        "a\x00b",
        "This contains unreadable characters. Please type it again by hand, without copying.",
    ),
    ("display", "everything", "Please choose how your name is shown."),
    ("consent", "", "Please tick this if you want to sign: without it we may not keep your name."),
]  # fmt: skip


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_stands_beside_its_field_and_on_top(
    app: Flask, installation: Installation, lang: str, wrong: tuple[str, str, str]
) -> None:
    field, typed, sentence = wrong
    before = dump(installation)
    answer = post(app.test_client(), lang=lang, **{field: typed})
    assert answer.status_code == 422
    page = read(answer)
    told = Language(lang).gettext(sentence)
    assert page.by_id(f"{field}-error").text == told
    on_top = page.one("div", role="alert")
    assert told in on_top.text
    assert page.one("a", href=f"#{field}").text == told
    assert dump(installation) == before
    if lang != "en":
        assert told != sentence


@pytest.mark.parametrize("field", ["name", "email", "country", "comment", "consent"])
def test_a_screen_reader_says_what_is_wrong_with_a_field(app: Flask, field: str) -> None:
    wrong = {"name": "", "email": "", "country": "Atlantis", "comment": "x" * 1001, "consent": ""}[field]
    page = read(post(app.test_client(), **{field: wrong}))
    assert page.by_id(field)["aria-invalid"] == "true"
    assert page.by_id(f"{field}-error").text in page.described(field)
    untouched = read(app.test_client().get(page_of()))
    assert "aria-invalid" not in untouched.by_id(field).attributes


@pytest.mark.parametrize("field", ["name", "email", "country", "comment", "consent"])
def test_a_field_has_a_label(app: Flask, field: str) -> None:
    assert read(app.test_client().get(page_of())).one("label", **{"for": field}).text


def test_everything_typed_is_kept_when_something_is_wrong(app: Flask) -> None:
    """Also where it looks like HTML; it comes back as text."""
    typed = {
        "name": SPECIAL,
        "email": SPECIAL,
        "country": "KZ",
        "comment": f"{SPECIAL}\n</textarea><script>",
        "display": "name",
        "updates": "y",
        "consent": "y",
    }
    answer = post(app.test_client(), **typed)
    assert answer.status_code == 422
    page = read(answer)
    sent_again = page.filled_in()
    assert {name: sent_again.get(name) for name in typed} == typed
    assert [script.text for script in page.all("script") if script.text] == []
    assert not page.all("b")


def test_a_choice_that_was_not_made_stays_unmade(app: Flask) -> None:
    sent_again = read(post(app.test_client(), name="", without="consent", display="hidden")).filled_in()
    assert "updates" not in sent_again
    assert "consent" not in sent_again
    assert sent_again["display"] == "hidden"


@pytest.mark.parametrize("field", ["comment", "country", "display", "updates"])
def test_a_field_that_may_be_left_out_may_be_left_out(app: Flask, installation: Installation, field: str) -> None:
    assert post(app.test_client(), without=field).status_code == 303
    kept = get_signature(installation, ADDRESS)
    if field == "display":
        assert kept.display is Display.HIDDEN
    if field == "country":
        assert kept.country is None
    assert kept.wants_updates is False


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_signature_is_kept_as_it_was_typed(app: Flask, installation: Installation, lang: str) -> None:
    answer = post(app.test_client(), lang=lang, name=f"  {SPECIAL}  ", comment=" Line 1\r\nLine 2 ", updates="y")
    assert (answer.status_code, answer.location) == (303, f"{page_of(lang)}/check-your-mail#content")
    kept = get_signature(installation, ADDRESS)
    assert kept.sealed_person is not None
    assert Person.open(installation.vault, kept.id, kept.sealed_person) == Person(SPECIAL, None, "Line 1\nLine 2")
    assert (kept.country, kept.display, kept.wants_updates) == ("KZ", Display.INITIALS, True)
    assert kept.language == lang
    with installation.database.snapshots() as session:
        version = get_text_version(session, get_petition(session, SLUG), lang)
    assert kept.text_version_id == version.id


def _seen(answer: TestResponse) -> tuple[object, ...]:
    """What the network and the browser get: everything but the cookie's value, of which only its length."""
    headers = []
    for name, value in answer.headers:
        if name == "Set-Cookie":
            pair, _, attributes = value.partition(";")
            cookie, _, mark = pair.partition("=")
            # Expires follows the real clock, Max-Age says the same.
            kept = [part for part in attributes.split(";") if not part.strip().startswith("Expires")]
            headers.append((name, f"{cookie} {len(mark)} {kept}"))
        else:
            headers.append((name, value))
    return answer.status, headers, answer.data


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_answer_is_the_same_whether_an_address_is_new_waits_or_has_signed(
    app: Flask, installation: Installation, lang: str
) -> None:
    """Byte for byte: status, headers, body, and the page that it leads to."""
    everybody = [post(app.test_client(), lang=lang, email="new@example.org")]
    everybody.append(post(app.test_client(), lang=lang, email="new@example.org"))
    confirm(installation, "new@example.org")
    everybody.append(post(app.test_client(), lang=lang, email="new@example.org"))
    assert {answer.status_code for answer in everybody} == {303}
    assert _seen(everybody[0]) == _seen(everybody[1]) == _seen(everybody[2])
    assert len({_mark_of(answer) for answer in everybody}) == 1
    pages = [app.test_client().get(answer.location) for answer in everybody]
    assert _seen(pages[0]) == _seen(pages[1]) == _seen(pages[2])
    assert len(list_deliveries(installation)) == 1


def test_the_cookie_of_an_unknown_address_looks_like_that_of_a_known_one(
    app: Flask, installation: Installation
) -> None:
    post(app.test_client())
    confirm(installation, ADDRESS)
    known, unknown = post(app.test_client()), post(app.test_client(), email="unknown@example.org")
    assert _seen(known) == _seen(unknown)
    assert _mark_of(known) != _mark_of(unknown)
    for cookie in known.headers.getlist("Set-Cookie"):
        assert {"HttpOnly", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}


def _mark_of(answer: TestResponse) -> str:
    """The browser's mark; the other cookie has the address, sealed anew each time."""
    (mark,) = [
        cookie.partition(";")[0] for cookie in answer.headers.getlist("Set-Cookie") if cookie.startswith("signing=")
    ]
    return mark


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_next_page_says_what_to_look_for_in_the_mail(app: Flask, installation: Installation, lang: str) -> None:
    """The sender and the subject by which the mail is known; not the address, which is not in the page's address."""
    with installation.database.snapshots() as session:
        texts = get_petition(session, SLUG).texts[lang]
    answer = post(app.test_client(), lang=lang)
    assert answer.location
    assert ADDRESS not in answer.get_data(as_text=True) + answer.location
    shown = read(app.test_client().get(answer.location))
    assert texts["sender"] in shown.text
    assert texts["confirmation_subject"] in shown.text
    assert FILLED_IN["name"] not in shown.text


def test_a_file_in_the_place_of_words_is_a_field_left_empty(app: Flask, installation: Installation) -> None:
    """Any field can be sent as one, and no form of ours asks for files."""
    file = (BytesIO(b"Dana"), "name.txt")
    answer = app.test_client().post(
        page_of(), data={**FILLED_IN, "name": file}, headers=FROM_HERE, content_type="multipart/form-data"
    )
    assert answer.status_code == 422
    assert read(answer).by_id("name")["aria-invalid"] == "true"
    forms, unread = set(), [FlaskForm]
    while unread:
        forms.update(unread := [form for parent in unread for form in parent.__subclasses__()])
    ours = [form for form in forms if form.__module__.startswith("campaign.web")]
    assert len(ours) > 20
    assert [form for form in ours if not issubclass(form.Meta, TypedMeta)] == []
