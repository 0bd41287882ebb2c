"""A signer's own page: all that is kept, changed by whoever has the code from the mail, and by nobody else."""

import pytest
from flask import Flask

from campaign.crypto.link_purposes import LinkPurpose
from campaign.installation.wiring import Installation
from campaign.models import Display, SignatureState
from campaign.periods import WRONG_CODES
from campaign.services.signatures.sign import Person
from tests.scenes.people import confirm, get_signature, get_subscription, sign, unsubscribe
from tests.scenes.visiting import (
    ADDRESS,
    FILLED_IN,
    code_in,
    confirm_path,
    dump,
    links_in,
    mails,
    me_path,
    other_browser,
    own_path,
    page_of,
    post,
    read,
)

CHANGED = {"name": "Aigerim S.", "country": "DE", "comment": "", "display": "name", "language": "kk"}


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough for pages: the services are tested on both."""
    return sqlite_installation


@pytest.fixture
def code(installation: Installation) -> str:
    """The code in the mail of somebody who has signed and confirmed, without updates."""
    sign(installation, ADDRESS, comment="From the mine.", country="KZ", display=Display.INITIALS)
    (mail,) = mails(installation)
    confirm(installation, ADDRESS)
    return code_in(mail)


def person(installation: Installation) -> Person:
    signature = get_signature(installation, ADDRESS)
    assert signature.sealed_person is not None
    return Person.open(installation.vault, signature.id, signature.sealed_person)


def test_until_it_is_confirmed_the_link_leads_to_where_that_is_done_and_does_nothing(
    app: Flask, installation: Installation
) -> None:
    browser = app.test_client()
    post(browser)
    path = own_path(installation)
    assert path in links_in(mails(installation)[0])
    before = dump(installation)
    for address in ("", "/data.json", "/updates", "/withdraw"):
        answer = browser.get(path + address)
        assert (answer.status_code, answer.location) == (303, confirm_path(installation))
    for address in ("", "/details", "/updates", "/withdraw"):
        answer = browser.post(path + address, data={**CHANGED, "email": ADDRESS})
        assert (answer.status_code, answer.location) == (303, confirm_path(installation))
    assert browser.get(f"{path}/receipt").status_code == 410
    assert dump(installation) == before


def test_the_page_after_confirming_shows_the_link_once(app: Flask, installation: Installation) -> None:
    browser = app.test_client()
    post(browser)
    link = f"{installation.settings.base_url}{own_path(installation)}"
    assert link in [element["href"] for element in read(browser.post(confirm_path(installation))).all("a")]
    for answer in (browser.get(confirm_path(installation)), browser.post(confirm_path(installation))):
        assert link not in answer.get_data(as_text=True)
    assert read(browser.get(own_path(installation))).all("form", method="post")


def test_it_shows_all_that_is_kept_and_to_nobody_who_only_passes_by(
    app: Flask, installation: Installation, code: str
) -> None:
    answer = other_browser(app).get(own_path(installation))
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert "Set-Cookie" not in answer.headers
    page = read(answer)
    for told in ("Aigerim Serikova", "From the mine.", "Kazakhstan", "23 November 2026", "your initials are shown"):
        assert told in page.text
    assert ADDRESS not in page.text
    assert code not in page.text


def test_the_file_has_what_the_page_has(app: Flask, installation: Installation, code: str) -> None:
    assert code
    answer = other_browser(app).get(f"{own_path(installation)}/data.json")
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="kazakhstan-my-data.json"'
    told = answer.get_json()
    signature = told["signature"]
    assert (
        signature
        | {
            "name": "Aigerim Serikova",
            "comment": "From the mine.",
            "country": "KZ",
            "display": "initials",
            "state": "confirmed",
            "day": "2026-11-23",
        }
        == signature
    )
    assert told["updates"] is None
    assert [(mail["kind"], mail["day"]) for mail in told["mails"]] == [("confirmation", "2026-11-23")]
    assert any("IP address" in words for words in told["not_kept"])
    assert ADDRESS not in answer.get_data(as_text=True)


@pytest.mark.parametrize("typed", ["", "000000"])
def test_nothing_is_changed_without_the_code(app: Flask, installation: Installation, code: str, typed: str) -> None:
    assert code != typed
    client, path, before = other_browser(app), own_path(installation), dump(installation)
    for action, sent in (("details", CHANGED), ("updates", {"email": ADDRESS}), ("withdraw", {})):
        answer = client.post(f"{path}/{action}", data={**sent, "code": typed})
        assert answer.status_code == 422
        assert "Set-Cookie" not in answer.headers
        assert read(answer).by_id("code-error").text
    after = dump(installation)
    assert {name for name in after if after[name] != before[name]} == ({"main.signature"} if typed else set())
    assert person(installation).name == "Aigerim Serikova"


def test_filling_in_the_public_form_for_an_address_gives_no_way_into_its_page(
    app: Flask, installation: Installation, code: str
) -> None:
    """Anybody can do that; the mark that it leaves in the browser confirms a signature, and changes none."""
    assert code
    client = other_browser(app)
    post(client)
    assert client.post(f"{own_path(installation)}/withdraw").status_code == 422
    assert get_signature(installation, ADDRESS).state is SignatureState.CONFIRMED


def test_with_the_code_it_is_changed_and_the_browser_is_not_asked_again(
    app: Flask, installation: Installation, code: str
) -> None:
    client, path = other_browser(app), own_path(installation)
    answer = client.post(f"{path}/details", data={**CHANGED, "code": code.lower()})
    assert (answer.status_code, answer.location) == (303, f"{path}?saved=1")
    kept = get_signature(installation, ADDRESS)
    assert (kept.country, kept.display, kept.language) == ("DE", Display.NAME, "kk")
    assert person(installation) == Person("Aigerim S.")
    page = read(client.get(answer.location))
    assert page.one("html")["lang"] == "kk"
    assert not page.all("input", name="code")
    assert client.post(f"{path}/details", data={**CHANGED, "name": "Aigerim"}).status_code == 303
    assert person(installation).name == "Aigerim"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "\x00"),
        ("country", "Atlantis"),
        ("display", "loud"),
        ("language", "fr"),
        ("comment", "x" * 1001),
    ],
)
def test_what_cannot_be_kept_comes_back_with_a_sentence(
    app: Flask, installation: Installation, code: str, field: str, value: str
) -> None:
    before = dump(installation)
    answer = other_browser(app).post(f"{own_path(installation)}/details", data={**CHANGED, field: value, "code": code})
    assert answer.status_code == 422
    page = read(answer)
    assert page.by_id(f"{field}-error").text
    assert dump(installation) == before


def test_updates_start_for_the_address_that_signed_and_for_no_other(
    app: Flask, installation: Installation, code: str
) -> None:
    client, path = other_browser(app), f"{own_path(installation)}/updates"
    assert read(client.get(path)).one("input", name="email")["type"] == "email"
    for other in ("other@example.org", "no address"):
        answer = client.post(path, data={"email": other, "code": code})
        assert answer.status_code == 422
        assert read(answer).by_id("email-error").text
    for _ in range(2):  # as pressed twice
        assert client.post(path, data={"email": ADDRESS.upper(), "code": code}).status_code == 303
    assert get_subscription(installation, ADDRESS).language == "en"
    page = read(client.get(own_path(installation)))
    assert "a…@example.org" in page.text or "A…@example.org" in page.text
    assert ADDRESS not in page.text.lower()
    unsubscribe(installation, ADDRESS)
    assert client.post(path, data={"email": ADDRESS, "code": code}).status_code == 303, "once more"


def test_the_link_of_a_digest_leads_to_the_same_page(app: Flask, installation: Installation, code: str) -> None:
    client = other_browser(app)
    client.post(f"{own_path(installation)}/updates", data={"email": ADDRESS, "code": code})
    pages = [read(client.get(path)) for path in (me_path(installation), own_path(installation))]
    assert [form["action"].split("/")[3:] for form in pages[0].all("form")] == [
        form["action"].split("/")[3:] for form in pages[1].all("form")
    ]
    assert "Aigerim Serikova" in pages[0].text


def test_many_wrong_codes_end_with_a_new_mail(app: Flask, installation: Installation, code: str) -> None:
    """Whoever has the link can use the tries up, but keep nobody out."""
    client, path = other_browser(app), f"{own_path(installation)}/withdraw"
    for _ in range(WRONG_CODES):
        client.post(path, data={"code": "wrong!"})
    refused = client.post(path, data={"code": code})
    assert "Please request a new mail" in read(refused).by_id("code-error").text
    client.post(f"{page_of()}/my-link", data={"email": ADDRESS}, headers={"Sec-Fetch-Site": "same-origin"})
    assert code_in(mails(installation)[-1]) == code
    assert client.post(path, data={"code": code}).status_code == 303


def test_a_link_of_another_kind_opens_no_page(app: Flask, installation: Installation, code: str) -> None:
    assert code
    token = own_path(installation).rpartition("/")[2]
    client = other_browser(app)
    assert client.get(f"/confirm/{token}").status_code == 404
    assert client.get(f"/unsubscribe/{token}").status_code == 404
    assert client.get(f"/me/{installation.vault.token(LinkPurpose.SIGNER, 7)}").status_code == 410
    assert FILLED_IN["name"] not in client.get(f"/me/{token[:-3]}").get_data(as_text=True)
