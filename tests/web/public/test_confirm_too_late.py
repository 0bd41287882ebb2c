"""Confirmation links that lead nowhere: too late, incomplete, made up, or made for something else."""

from datetime import timedelta

import pytest
from flask import Flask

from campaign.installation.wiring import Installation
from campaign.services.signatures.erase import expire_pending
from tests.conftest import Clock
from tests.scenes.visiting import confirm_path, dump, mails, post, read


def count(app: Flask) -> int:
    told: int = app.test_client().get("/p/kazakhstan/count.json").get_json()["confirmed"]
    return told


@pytest.mark.parametrize("erased", [False, True], ids=["before the worker has come", "after it"])
@pytest.mark.parametrize("lang", ["en", "ru"])
def test_after_three_days_the_link_says_what_to_do(
    app: Flask, installation: Installation, clock: Clock, erased: bool, lang: str
) -> None:
    browser = app.test_client()
    post(browser, lang=lang)
    path = confirm_path(installation)
    mails(installation)
    clock.turn(timedelta(hours=72))
    if erased:
        with installation.database.sessions.begin() as session:
            assert expire_pending(session, now=installation.now()) == 1
    before = dump(installation)
    for answer in (browser.get(path), browser.post(path)):
        assert answer.status_code == 410
        assert "please fill in the form again" in read(answer).text
    assert dump(installation) == before
    assert count(app) == 0


def test_just_before_three_days_are_over_the_link_works(app: Flask, installation: Installation, clock: Clock) -> None:
    browser = app.test_client()
    post(browser)
    mails(installation)
    clock.turn(timedelta(hours=72) - timedelta(seconds=1))
    assert browser.post(confirm_path(installation)).status_code == 200
    assert count(app) == 1


@pytest.mark.parametrize(
    "token", ["x", "unknown", "A" * 32, "A" * 1500, "%00", "%ff%fe", "..%2f..%2fetc", "ю", "%E2%80%AE", "=", "AA=="]
)
def test_a_link_that_is_not_ours_leads_nowhere(app: Flask, installation: Installation, token: str) -> None:
    before = dump(installation)
    for address in (f"/confirm/{token}", f"/unsubscribe/{token}"):
        for answer in (app.test_client().get(address), app.test_client().post(address)):
            assert answer.status_code == 404
            assert "There is nothing here" in read(answer).one("h1").text
    assert dump(installation) == before


def test_a_link_for_one_thing_does_not_open_another(app: Flask, installation: Installation) -> None:
    post(app.test_client(), updates="y")
    path = confirm_path(installation)
    assert app.test_client().post(path.replace("confirm", "unsubscribe")).status_code == 404
    broken = path[:-1] + ("A" if path[-1] != "A" else "B")
    assert app.test_client().get(broken).status_code == 404
