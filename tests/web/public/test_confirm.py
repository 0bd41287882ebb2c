"""The link of the confirmation mail: looking changes nothing, and only who signed, or has the code, confirms."""

import pytest
from flask import Flask

from campaign.installation.wiring import Installation
from campaign.models import Signature, SignatureState
from campaign.periods import WRONG_CODES
from campaign.run.supervisor import BUILT_IN
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.petitions.file_reader import read_petition_file
from campaign.services.petitions.store import load_petition
from tests.scenes.people import get_signature, get_signature_by_id, sign
from tests.scenes.visiting import (
    ADDRESS,
    code_in,
    confirm_path,
    dump,
    links_in,
    mails,
    other_browser,
    own_path,
    page_of,
    post,
    read,
)

WRONG = "This is not the code in the mail. Please check the six characters again."
NEEDED = "Please type the six-character code from the mail."


def count(app: Flask) -> int:
    told: int = app.test_client().get("/p/kazakhstan/count.json").get_json()["confirmed"]
    return told


def changed_tables(before: dict[str, list[str]], after: dict[str, list[str]]) -> set[str]:
    return {name.rpartition(".")[2] for name in after if before[name] != after[name]}


@pytest.mark.parametrize("lang", ["en", "ru", "kk"])
def test_the_link_shows_the_demands_as_they_were_signed(app: Flask, installation: Installation, lang: str) -> None:
    """In the language of the signature, whatever the browser asks for and the petition says by now."""
    post(app.test_client(), lang=lang)
    signed = read_petition_file(BUILT_IN).demands
    first = signed[0].model_copy(update={"text": dict.fromkeys(("en", "ru", "kk"), "Something else.")})
    file = read_petition_file(BUILT_IN).model_copy(update={"demands": [first]})
    with installation.database.sessions.begin() as session:
        load_petition(session, file, actor=COMMAND_LINE, now=installation.now())
    page = read(other_browser(app).get(confirm_path(installation), headers={"Accept-Language": "de, en"}))
    assert page.one("html")["lang"] == lang
    shown = page.one("ol", **{"class": "demands"}).text
    assert shown == " ".join(f"{demand.title[lang]} {demand.text[lang]}" for demand in signed)
    assert "Aigerim Serikova" in page.text
    assert ADDRESS not in page.text
    assert "Something else." in read(app.test_client().get(page_of(lang))).text


def test_looking_at_the_link_changes_nothing(app: Flask, installation: Installation) -> None:
    browser = app.test_client()
    post(browser)
    before = dump(installation)
    for _ in range(3):
        for visitor in (browser, other_browser(app)):
            assert visitor.get(confirm_path(installation)).status_code == 200
            assert visitor.head(confirm_path(installation)).status_code == 200
    assert dump(installation) == before


def test_in_the_browser_that_signed_one_press_confirms(app: Flask, installation: Installation) -> None:
    browser = app.test_client()
    post(browser)
    path = confirm_path(installation)
    assert not read(browser.get(path)).all("input", name="code")
    answer = browser.post(path, data={"action": "confirm"})
    assert answer.status_code == 200
    assert "Your signature counts" in read(answer).one("h1").text
    assert "1 person has signed" in read(answer).text
    kept = get_signature(installation, ADDRESS)
    assert (kept.state, kept.sealed_address, kept.number) == (SignatureState.CONFIRMED, None, 1)
    assert count(app) == 1


@pytest.mark.parametrize("typed", ["", "  ", "wrong", "ÄÖÜ€", "\x00" * 6, "0" * 10_000])
def test_another_browser_without_the_code_confirms_nothing(app: Flask, installation: Installation, typed: str) -> None:
    post(app.test_client())
    path = confirm_path(installation)
    before = dump(installation)
    browser = other_browser(app)
    assert browser.get(path).status_code == 200
    answer = browser.post(path, data={"action": "confirm", "code": typed})
    assert answer.status_code == 422
    page = read(answer)
    told = WRONG if typed.strip() else NEEDED
    assert page.by_id("code-error").text == told
    assert told in page.described("code")
    # A wrong code is counted on the signature; nothing else is touched.
    assert changed_tables(before, dump(installation)) == ({"signature"} if typed.strip() else set())
    assert get_signature(installation, ADDRESS).state is SignatureState.PENDING
    assert count(app) == 0


@pytest.mark.parametrize(
    "spelled", [str, str.lower, " ".join, lambda code: f" {code[:3]}-{code[3:]} ", lambda code: code.replace("0", "O")]
)
def test_another_browser_with_the_code_confirms(app: Flask, installation: Installation, spelled: object) -> None:
    assert callable(spelled)
    post(app.test_client())
    (mail,) = mails(installation)
    path, browser = confirm_path(installation), other_browser(app)
    assert links_in(mail) == [path, own_path(installation)]
    assert read(browser.get(path)).one("input", name="code")["autocomplete"] == "one-time-code"
    answer = browser.post(path, data={"action": "confirm", "code": spelled(code_in(mail))})
    assert answer.status_code == 200
    assert count(app) == 1


def test_the_code_of_one_mail_does_not_confirm_another(app: Flask, installation: Installation) -> None:
    sign(installation, "a@example.org")
    sign(installation, "b@example.org")
    first, second = mails(installation)
    answer = other_browser(app).post(links_in(first)[0], data={"code": code_in(second)})
    assert answer.status_code == 422
    assert count(app) == 0


def test_after_many_wrong_codes_only_the_browser_that_signed_confirms(app: Flask, installation: Installation) -> None:
    browser = app.test_client()
    post(browser)
    path, right = confirm_path(installation), code_in(mails(installation)[0])
    for _ in range(WRONG_CODES):
        assert other_browser(app).post(path, data={"code": "wrong!"}).status_code == 422
    refused = other_browser(app).post(path, data={"code": right})
    assert refused.status_code == 422
    assert "Too many wrong codes were typed" in read(refused).by_id("code-error").text
    assert browser.post(path).status_code == 200
    assert count(app) == 1


def test_pressing_again_counts_once(app: Flask, installation: Installation) -> None:
    """In any browser: the link then thanks."""
    browser = app.test_client()
    post(browser)
    path = confirm_path(installation)
    browser.post(path)
    before = dump(installation)
    for visitor in (browser, other_browser(app)):
        for answer in (visitor.post(path), visitor.get(path)):
            assert answer.status_code == 200
            assert "Your signature counts" in read(answer).one("h1").text
    assert dump(installation) == before
    assert count(app) == 1


@pytest.mark.parametrize("browser", ["same", "other"])
def test_a_second_click_shows_the_page_of_the_first(app: Flask, installation: Installation, browser: str) -> None:
    """Firefox and WebKitGTK send both clicks of a double click, and show the answer to the second."""
    signer = app.test_client()
    post(signer)
    path, code = confirm_path(installation), code_in(mails(installation)[0])
    # The second request leaves before the first answer is there, so it has no cookie of it.
    marks = signer.get_cookie("signing")
    assert marks is not None
    pages: list[str] = []
    for _ in range(2):
        visitor = other_browser(app)
        if browser == "same":
            visitor.set_cookie("signing", marks.value)
        if not pages:
            sent = read(visitor.get(path)).filled_in()
        answer = visitor.post(path, data=sent | {"action": "confirm", "code": "" if browser == "same" else code})
        assert answer.status_code == 200
        pages.append(answer.get_data(as_text=True))
    assert own_path(installation) in pages[0]
    assert pages[0] == pages[1]
    assert count(app) == 1


def test_who_gets_the_link_later_repeats_no_click(app: Flask, installation: Installation) -> None:
    """The mark of the form is given to everybody who types the address, so it opens no page of a confirmed signer."""
    signer, stranger = app.test_client(), app.test_client()
    post(signer)
    path = confirm_path(installation)
    sent = read(signer.get(path)).filled_in()
    signer.post(path, data=sent)
    post(stranger)
    for seen in ("", "0" * 32):
        assert own_path(installation) not in stranger.post(path, data={"seen": seen}).get_data(as_text=True)
    # Without the mark and without the code the page alone proves nothing.
    assert own_path(installation) not in other_browser(app).post(path, data=sent).get_data(as_text=True)


def test_codes_cannot_be_guessed_by_second_clicks(app: Flask, installation: Installation) -> None:
    signer = app.test_client()
    post(signer)
    path, right = confirm_path(installation), code_in(mails(installation)[0])
    sent = read(signer.get(path)).filled_in()
    signer.post(path, data=sent)
    for _ in range(WRONG_CODES):
        other_browser(app).post(path, data=sent | {"code": "wrong!"})
    assert get_signature(installation, ADDRESS).wrong_codes == WRONG_CODES
    assert own_path(installation) not in other_browser(app).post(path, data=sent | {"code": right}).text


def test_a_second_click_on_not_me_says_that_it_is_erased(app: Flask, installation: Installation) -> None:
    """It is no reason to say that a link is too old, and to ask for the form again."""
    signer = app.test_client()
    post(signer)
    path = confirm_path(installation)
    for is_first in (True, False):
        answer = signer.post(path, data={"action": "not-me"})
        assert answer.status_code == 200
        assert read(answer).one("h1").text == "It is erased"
        # Nobody knows of an erased signature whether its address was disowned, or whether its time was over.
        assert ("This server will not write to your address again." in read(answer).text) is is_first
    assert signer.post(path, data={"action": "confirm"}).status_code == 410


@pytest.mark.parametrize("confirmed", [False, True], ids=["before confirming", "after confirming"])
@pytest.mark.parametrize("browser", ["same", "other"])
def test_who_did_not_sign_has_all_of_it_erased(
    app: Flask, installation: Installation, confirmed: bool, browser: str
) -> None:
    signer = app.test_client()
    post(signer, updates="y")
    path, code = confirm_path(installation), code_in(mails(installation)[0])
    row = get_signature(installation, ADDRESS).id
    if confirmed:
        signer.post(path)
    visitor = signer if browser == "same" else other_browser(app)
    answer = visitor.post(path, data={"action": "not-me", "code": "" if browser == "same" else code})
    assert answer.status_code == 200
    assert "It is erased" in read(answer).one("h1").text
    _assert_nothing_kept(get_signature_by_id(installation, row))
    assert count(app) == 0
    assert visitor.get(path).status_code == 410


def _assert_nothing_kept(signature: Signature) -> None:
    kept = (signature.fingerprint, signature.sealed_person, signature.sealed_address, signature.country)
    assert kept == (None, None, None, None)


def test_not_me_needs_the_code_too(app: Flask, installation: Installation) -> None:
    """Otherwise a scanner that presses every button would erase signatures."""
    post(app.test_client())
    answer = other_browser(app).post(confirm_path(installation), data={"action": "not-me"})
    assert answer.status_code == 422
    assert get_signature(installation, ADDRESS).state is SignatureState.PENDING
