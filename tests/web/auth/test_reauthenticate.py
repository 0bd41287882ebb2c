"""Proving anew who one is: what asks for it, what is kept meanwhile, and that nothing is done behind one's back."""

from base64 import b64encode
from datetime import timedelta
from hashlib import sha256

import pytest
from flask import Flask
from flask.testing import FlaskClient

from campaign.installation.wiring import Installation
from campaign.models import EditionState
from campaign.periods import PROOF_LASTS
from campaign.web.auth.reauthenticate import asks_for_proof
from campaign.web.core.labels import ASKED
from tests.conftest import SLUG, Clock
from tests.scenes.organizing import HOME, PASSWORD, list_audit, list_made, send_form, token_of
from tests.scenes.page import Page
from tests.scenes.people import add_readers
from tests.scenes.second_factors import ACCOUNT, code_of, set_up_app
from tests.scenes.visiting import dump, read

NUMBERS = f"/organize/p/{SLUG}"
DIGEST = f"{NUMBERS}/digest"
PROVE = "/organize/prove"
EXPORT = {"list": "subscribers", "format": "csv", "reason": "To hand it over"}


def main_form(html: str) -> Page:
    """The page's own form, without the one for signing out."""
    return Page(html.partition('<main id="content">')[2].partition("</main>")[0])


@pytest.fixture
def stale(installation: Installation, owner: FlaskClient, clock: Clock) -> FlaskClient:
    """The browser of an owner who signed in ten minutes ago."""
    add_readers(installation, "reader@example.org")
    clock.turn(PROOF_LASTS)
    return owner


def test_who_signed_in_ten_minutes_ago_is_asked_and_presses_again(
    installation: Installation, stale: FlaskClient
) -> None:
    before = dump(installation)
    asked = send_form(stale, NUMBERS, f"{NUMBERS}/export", **EXPORT)
    assert asked.status_code == 401
    assert "Nothing has been done yet" in read(asked).text
    assert dump(installation) == before
    again = stale.post(PROVE, data={**main_form(asked.text).filled_in(), "password": PASSWORD})
    assert again.status_code == 200
    assert list_audit(installation) == []
    told = read(again).text
    assert "Export a list" in told
    assert EXPORT["reason"] in told
    assert EXPORT["list"] not in told
    form = main_form(again.text)
    assert form.one("form")["action"] == f"{NUMBERS}/export"
    assert {name: form.filled_in()[name] for name in EXPORT} == EXPORT
    exported = stale.post(form.one("form")["action"], data=form.filled_in())
    assert exported.status_code == 200
    assert b"reader@example.org" in exported.data
    assert [action for _, action, _ in list_audit(installation)] == ["export"]


def test_a_proof_is_for_ten_minutes(installation: Installation, stale: FlaskClient, clock: Clock) -> None:
    send_form(stale, PROVE, password=PASSWORD)
    clock.turn(PROOF_LASTS - timedelta(seconds=1))
    assert send_form(stale, NUMBERS, f"{NUMBERS}/export", **EXPORT).status_code == 200
    clock.turn(timedelta(seconds=1))
    assert send_form(stale, NUMBERS, f"{NUMBERS}/export", **EXPORT).status_code == 401


def test_looking_asks_for_nothing(stale: FlaskClient) -> None:
    for path in (HOME, NUMBERS, DIGEST, ACCOUNT, f"{ACCOUNT}/app", f"{ACCOUNT}/passkeys"):
        assert stale.get(path).status_code == 200


@pytest.mark.parametrize("typed", [{}, {"password": ""}, {"password": "wrong"}, {"code": "123456"}, {"passkey": "{}"}])
def test_without_a_proof_nothing_goes_on(installation: Installation, stale: FlaskClient, typed: dict[str, str]) -> None:
    asked = send_form(stale, DIGEST, f"{DIGEST}/send", after=0)
    refused = stale.post(PROVE, data={**main_form(asked.text).filled_in(), **typed})
    assert refused.status_code == 422
    assert main_form(refused.text).filled_in()["kept"]  # still there for the next attempt
    assert list_made(installation) == []
    assert send_form(stale, DIGEST, f"{DIGEST}/send", after=0).status_code == 401


def test_the_app_proves_as_well(stale: FlaskClient, installation: Installation, clock: Clock) -> None:
    send_form(stale, PROVE, password=PASSWORD)
    secret, codes = set_up_app(stale, clock)
    clock.turn(PROOF_LASTS)
    assert send_form(stale, PROVE, code=codes[0]).status_code == 422  # for who has lost the others
    answer = send_form(stale, f"{PROVE}?next={DIGEST}", PROVE, code=code_of(secret, clock), next=DIGEST)
    assert (answer.status_code, answer.location) == (303, DIGEST)
    assert send_form(stale, DIGEST, f"{DIGEST}/send", after=0).status_code == 303
    assert [edition.state for edition in list_made(installation)] == [EditionState.SENDING]


def test_a_proof_begins_another_session_that_ends_no_later(stale: FlaskClient, clock: Clock) -> None:
    cookie, token = stale.get_cookie("organizer", path="/organize"), token_of(stale, HOME)
    send_form(stale, PROVE, password=PASSWORD)
    assert stale.get_cookie("organizer", path="/organize") != cookie
    assert stale.post(f"{ACCOUNT}/sign-out", data={"csrf_token": token}).status_code == 400
    for _ in range(13):
        clock.turn(timedelta(minutes=55))
        stale.get(HOME)
    assert stale.get(HOME).status_code == 302


def test_a_kept_form_is_its_senders_alone(app: Flask, installation: Installation, stale: FlaskClient) -> None:
    """Nor can one of somebody else's making be put before an organizer."""
    asked = send_form(stale, DIGEST, f"{DIGEST}/send", after=0)
    kept = main_form(asked.text).filled_in()["kept"]
    for changed in (("A" if kept[0] != "A" else "B") + kept[1:], "e30", ""):
        answer = send_form(stale, PROVE, password=PASSWORD, kept=changed)
        assert (answer.status_code, answer.location) == (303, HOME)


def test_a_form_of_another_website_is_not_kept(stale: FlaskClient) -> None:
    assert stale.post(f"{DIGEST}/send", data={"after": 0}).status_code == 400


def test_what_was_typed_is_kept_but_for_secrets(stale: FlaskClient) -> None:
    text = 'Две строки\r\nи "кавычки" <b>&amp;'
    asked = send_form(stale, f"{ACCOUNT}/app", secret="AAAA", code="123456", password="open sesame", note=text)
    again = stale.post(PROVE, data={**main_form(asked.text).filled_in(), "password": PASSWORD})
    kept = main_form(again.text).filled_in()
    assert kept["note"].splitlines() == text.splitlines()
    assert "code" not in kept
    assert "password" not in kept
    assert "sesame" not in again.text


def test_what_is_too_long_to_be_kept_is_said_to_be(stale: FlaskClient) -> None:
    """Digests do not shrink."""
    text = "".join(b64encode(sha256(str(number).encode()).digest()).decode() for number in range(1000))
    asked = send_form(stale, NUMBERS, f"{NUMBERS}/export", note=text, **EXPORT)
    assert asked.status_code == 401
    assert "too long to be kept" in read(asked).text
    answer = stale.post(PROVE, data={**main_form(asked.text).filled_in(), "password": PASSWORD})
    assert (answer.status_code, answer.location) == (303, HOME)


def test_all_that_a_proof_is_asked_for_has_words(app: Flask) -> None:
    asked = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and asks_for_proof(app.view_functions[rule.endpoint], "POST")
    }
    assert asked == set(ASKED)


def test_leading_elsewhere_is_refused(stale: FlaskClient) -> None:
    answer = send_form(stale, PROVE, password=PASSWORD, next="//evil.example/organize/")
    assert answer.location == HOME
