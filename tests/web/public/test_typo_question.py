"""An address that looks like a slip: asked about once, the same for everybody; nothing is kept, sent or lost."""

import pytest
from flask import Flask

from campaign.i18n import Language
from campaign.installation.wiring import Installation
from tests.scenes.page import Page
from tests.scenes.people import confirm, get_signature, list_deliveries
from tests.scenes.visiting import FILLED_IN, dump, page_of, post, read

TYPED, MEANT = "aigerim@gmial.com", "aigerim@gmail.com"


def ask(app: Flask, lang: str = "en", **fields: str) -> Page:
    answer = post(app.test_client(), lang=lang, **{"email": TYPED, **fields})
    assert answer.status_code == 422
    return read(answer)


@pytest.mark.parametrize("lang", ["en", "ru", "kk"])
def test_the_form_comes_back_with_the_question_and_all_that_was_typed(
    app: Flask, installation: Installation, lang: str
) -> None:
    before = dump(installation)
    page = ask(app, lang, source="telegram", updates="y")
    assert dump(installation) == before
    sent_again = page.filled_in()
    wanted = {**FILLED_IN, "email": TYPED, "source": "telegram", "updates": "y"}
    assert {name: sent_again.get(name) for name in wanted} == wanted
    told = page.by_id("problems").text
    assert Language(lang).gettext("Your signature is not sent yet.") in told
    assert TYPED in told
    assert MEANT in told
    kept, used = (button for button in page.all("button") if button["aria-describedby"] == "typo")
    assert (kept["name"], used["name"], used["value"]) == ("", "meant", MEANT)
    assert page.one("title").text.startswith(Language(lang).gettext("Please check:"))


@pytest.mark.parametrize(("fields", "signs"), [({"meant": MEANT}, MEANT), ({}, TYPED)], ids=["meant", "right"])
def test_either_answer_signs(app: Flask, installation: Installation, fields: dict[str, str], signs: str) -> None:
    """The button that says “is right”, “Sign” and the Enter key send the same: what was typed stands."""
    sent_again = ask(app).filled_in()
    assert post(app.test_client(), **{**sent_again, **fields}).status_code == 303
    assert get_signature(installation, signs).source is None
    assert len(list_deliveries(installation)) == 1


def test_another_address_that_is_typed_then_is_what_counts_whatever_button_is_pressed(
    app: Flask, installation: Installation
) -> None:
    sent_again = ask(app).filled_in()
    answer = post(app.test_client(), **{**sent_again, "email": "new@example.org", "meant": MEANT})
    assert answer.status_code == 303
    get_signature(installation, "new@example.org")  # is there
    again = ask(app, **{**sent_again, "email": "aigerim@mail.ry"})
    assert "aigerim@mail.ru" in again.by_id("problems").text


def test_nobody_can_choose_an_address_by_the_button_that_was_not_suggested(
    app: Flask, installation: Installation
) -> None:
    assert post(app.test_client(), meant="victim@example.net").status_code == 303
    get_signature(installation, FILLED_IN["email"])  # is there


def test_the_chosen_address_stays_when_something_else_is_wrong(app: Flask) -> None:
    page = ask(app, meant=MEANT, name="")
    assert page.filled_in()["email"] == MEANT
    assert "typo" not in [element["id"] for element in page.elements]


def test_with_other_mistakes_both_are_told(app: Flask) -> None:
    page = ask(app, name="")
    told = page.by_id("problems").text
    assert "Please type your name." in told
    assert MEANT in told
    assert page.one("title").text.startswith("Error: ")


def test_the_question_is_the_same_whether_either_address_has_signed(app: Flask, installation: Installation) -> None:
    def answer() -> tuple[int, list[tuple[str, str]], str]:
        found = post(app.test_client(), email=TYPED, csrf_token="")
        page = found.get_data(as_text=True)
        return found.status_code, [*found.headers], page.replace(read(found).filled_in()["csrf_token"], "")

    unknown = answer()
    for address in (MEANT, TYPED):
        post(app.test_client(), email=address, asked_about=address)
        confirm(installation, address)
    known = answer()
    assert known[:1] == unknown[:1]
    # The count itself is public, and the only difference.
    pairs = zip(unknown[2].split("\n"), known[2].split("\n"), strict=True)
    differ = [two.split("</strong>")[0].split(" max")[0].strip() for one, two in pairs if one != two]
    assert differ == ["<p><strong>2", '<progress value="2"']


def test_an_ordinary_address_is_asked_nothing(app: Flask) -> None:
    page = read(app.test_client().get(page_of()))
    assert {"asked_about", "meant", "source"}.isdisjoint(page.filled_in())
    assert post(app.test_client()).status_code == 303
