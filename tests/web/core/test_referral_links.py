"""Links with ?source=: carried to the form without a cookie, dropped where it is no word of ours, shown to owners."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from campaign.installation.wiring import Installation
from tests.scenes.people import confirm, get_signature
from tests.scenes.visiting import ADDRESS, FILLED_IN, page_of, post, read

NUMBERS = "/organize/p/kazakhstan"


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough for pages: the services are tested on both."""
    return sqlite_installation


def test_the_form_carries_the_word_and_the_answer_sets_no_cookie_for_it(app: Flask, installation: Installation) -> None:
    client = app.test_client()
    answer = client.get(page_of() + "?source=Telegram")
    assert "Set-Cookie" not in answer.headers
    sent = read(answer).filled_in()
    assert sent["source"] == "telegram"
    assert post(client, **{**sent, **FILLED_IN}).status_code == 303
    assert get_signature(installation, ADDRESS).source == "telegram"


@pytest.mark.parametrize("typed", ["", "%3Cscript%3E", "a" * 41, "two+words", "%D1%82", "..", "%00"])
def test_what_is_no_word_is_dropped_silently(app: Flask, installation: Installation, typed: str) -> None:
    page = read(app.test_client().get(f"{page_of()}?source={typed}"))
    assert "source" not in page.filled_in()
    assert not [address for _, address in page.addresses() if "source=" in address]
    assert post(app.test_client(), source="<b>").status_code == 303
    assert get_signature(installation, ADDRESS).source is None


def test_the_word_stays_when_the_form_comes_back(app: Flask) -> None:
    page = read(post(app.test_client(), name="", source="telegram"))
    assert page.filled_in()["source"] == "telegram"
    assert page.one("a", hreflang="ru")["href"] == f"{page_of('ru')}?source=telegram"


def test_other_languages_and_the_updates_keep_the_word_and_search_engines_never_see_it(app: Flask) -> None:
    client = app.test_client()
    page = read(client.get(page_of() + "?source=telegram"))
    kept = {address for tag, address in page.addresses() if tag == "a" and "source=telegram" in address}
    assert kept == {f"{page_of(lang)}?source=telegram" for lang in ("ru", "kk")} | {
        f"{page_of()}/updates?source=telegram"
    }
    assert not [address for tag, address in page.addresses() if tag == "link" and "source=" in address]
    updates = read(client.get(f"{page_of()}/updates?source=telegram"))
    assert f"{page_of()}?source=telegram" in [address for _, address in updates.addresses()]


def test_organizers_see_how_many_came_by_each_link(app: Flask, installation: Installation, owner: FlaskClient) -> None:
    assert "No link has been counted yet." in read(owner.get(NUMBERS)).text
    for number, source in enumerate(["telegram", "telegram", "radio", "other", ""]):
        post(app.test_client(), email=f"p{number}@example.org", source=source)
        confirm(installation, f"p{number}@example.org")
    page = read(owner.get(NUMBERS))
    table = page.by_id("sources").text
    assert "telegram 2 50% other 1 25%" in table.replace("all other links", "other")
    assert "radio 1 25%" in table
    assert "?source=telegram" in page.text
