"""The page after signing: it shows the address that was typed here, lets it be changed, and sends the mail again."""

from datetime import timedelta

import pytest
from flask import Flask

from campaign.installation.wiring import Installation
from campaign.models import DeliveryState
from campaign.periods import TYPED_ADDRESS_KEPT
from campaign.web.app import create_app
from tests.conftest import Clock, MakeInstallation
from tests.scenes.people import list_deliveries
from tests.scenes.visiting import (
    ADDRESS,
    FROM_HERE,
    confirm_path,
    dump,
    mails,
    other_browser,
    page_of,
    post,
    read,
)

PATH = f"{page_of()}/check-your-mail"
MINUTE = timedelta(minutes=1)


def accepted(installation: Installation) -> int:
    """How many mails were sent, after the worker has looked."""
    mails(installation)
    return sum(item.state is DeliveryState.ACCEPTED for item in list_deliveries(installation))


def test_the_page_shows_the_address_that_was_typed_in_this_browser_only(app: Flask, installation: Installation) -> None:
    browser = app.test_client()
    answer = post(browser, email="Aigerim@bücher.example")
    shown = browser.get(answer.location)
    assert "Aigerim@bücher.example" in read(shown).text
    assert shown.headers["Cache-Control"] == "no-store"
    assert "@" not in answer.location
    cookies = str(answer.headers.getlist("Set-Cookie")).lower()
    assert "aigerim" not in cookies
    assert "bücher" not in cookies
    stranger = read(other_browser(app).get(answer.location))
    assert "Aigerim" not in stranger.text
    assert not stranger.all("button")
    assert "fill in the form again" in stranger.text


def test_change_it_leads_to_the_form_with_the_address_in_it(app: Flask, installation: Installation) -> None:
    browser = app.test_client()
    page = read(browser.get(post(browser).location))
    path = next(link["href"] for link in page.all("a") if link.text == "Change the address")
    form = browser.get(path)
    assert form.headers["Cache-Control"] == "no-store"
    assert read(form).filled_in()["email"] == ADDRESS
    # Everybody else gets the page that everybody gets.
    for client, address in ((browser, page_of()), (other_browser(app), path)):
        answer = client.get(address)
        assert read(answer).filled_in()["email"] == ""
        assert "public" in answer.headers["Cache-Control"]


def test_the_mail_is_sent_again_by_the_button(app: Flask, installation: Installation, clock: Clock) -> None:
    browser = app.test_client()
    page = post(browser).location
    assert accepted(installation) == 1
    clock.turn(11 * MINUTE)
    sent = read(browser.get(page)).filled_in()
    answer = browser.post(PATH, data=sent, headers=FROM_HERE)
    assert answer.status_code == 303
    told = read(browser.get(answer.location))
    assert "the mail is sent again" in told.one("p", role="status").text
    assert ADDRESS in told.text
    assert accepted(installation) == 2
    # A third is not dropped: it waits for a day.
    clock.turn(20 * MINUTE)
    assert browser.post(PATH, data=sent, headers=FROM_HERE).status_code == 303
    assert accepted(installation) == 2
    clock.turn(timedelta(days=1))
    assert accepted(installation) == 3


def test_presses_while_the_mail_waits_are_no_mails(app: Flask, installation: Installation, clock: Clock) -> None:
    browser = app.test_client()
    post(browser)
    for _ in range(30):
        browser.post(PATH, headers=FROM_HERE)
    assert accepted(installation) == 1
    clock.turn(timedelta(days=2))
    assert accepted(installation) == 1


def test_who_presses_too_early_gets_the_mail_after_ten_minutes(
    app: Flask, installation: Installation, clock: Clock
) -> None:
    """As the page says: it waits, and is not dropped. However often it is pressed, it is one mail."""
    browser = app.test_client()
    post(browser)
    assert accepted(installation) == 1
    for _ in range(30):
        clock.turn(timedelta(seconds=10))
        browser.post(PATH, headers=FROM_HERE)
        assert accepted(installation) == 1
    clock.turn(5 * MINUTE)
    assert accepted(installation) == 2
    clock.turn(timedelta(days=2))
    assert accepted(installation) == 2


def test_an_hour_later_the_form_is_asked_for_again(app: Flask, installation: Installation, clock: Clock) -> None:
    browser = app.test_client()
    page = post(browser).location
    clock.turn(TYPED_ADDRESS_KEPT)
    assert ADDRESS not in read(browser.get(page)).text
    before = dump(installation)
    answer = browser.post(PATH, headers=FROM_HERE)
    assert (answer.status_code, answer.location) == (303, f"{page_of()}#sign")
    assert dump(installation) == before


@pytest.mark.parametrize("cookie", ["", "x", "é", "AAAA", "AQ" * 900, "=" * 20])
def test_a_cookie_that_is_not_ours_is_no_address(app: Flask, installation: Installation, cookie: str) -> None:
    browser = app.test_client()
    browser.set_cookie("typed", cookie)
    assert browser.get(PATH).status_code == 200
    assert browser.get(f"{page_of()}?change=1").status_code == 200
    assert browser.post(PATH, headers=FROM_HERE).location == f"{page_of()}#sign"


def test_the_cookie_of_one_petition_is_none_of_another(app: Flask, installation: Installation) -> None:
    """Only the address that was typed for this petition is sent a mail about it."""
    browser = app.test_client()
    post(browser)
    cookie = browser.get_cookie("typed")
    assert cookie is not None
    tampered = other_browser(app)
    tampered.set_cookie("typed", cookie.value[:-4] + ("AAAA" if cookie.value[-4:] != "AAAA" else "BBBB"))
    assert ADDRESS not in read(tampered.get(PATH)).text


def test_another_site_sends_nothing_again(app: Flask, installation: Installation, clock: Clock) -> None:
    browser = app.test_client()
    post(browser)
    assert accepted(installation) == 1
    clock.turn(11 * MINUTE)
    answer = browser.post(PATH, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 422
    assert "could not be checked" in read(answer).one("div", role="alert").text
    assert accepted(installation) == 1


def test_asking_again_counts_for_the_network(make_sqlite_installation: MakeInstallation) -> None:
    browser = create_app(make_sqlite_installation(source_limit="3/hour")).test_client()
    post(browser)
    answers = [browser.post(PATH, headers=FROM_HERE).status_code for _ in range(3)]
    assert answers == [303, 303, 429]


def test_whoever_has_confirmed_is_not_remembered(app: Flask, installation: Installation) -> None:
    browser = app.test_client()
    post(browser)
    assert browser.get_cookie("typed")
    browser.post(confirm_path(installation))
    assert not browser.get_cookie("typed")
