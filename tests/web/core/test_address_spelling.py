"""Addresses of a petition as people type and copy them lead to the page, and nowhere else."""

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from campaign.installation.wiring import Installation
from campaign.web.core.address_spelling import plain_spelling
from tests.conftest import SLUG


@pytest.mark.parametrize(
    ("asked", "page"),
    [
        ("/en/p/kazakhstan/", "/en/p/kazakhstan"),
        ("/EN/p/kazakhstan", "/en/p/kazakhstan"),
        ("/Ru/P/Kazakhstan//", "/ru/p/kazakhstan"),
        ("/en/p/kazakhstan.", "/en/p/kazakhstan"),
        ("/kk/p/kazakhstan),", "/kk/p/kazakhstan"),
        ("/en/p/kazakhstan/updates/", "/en/p/kazakhstan/updates"),
        ("/EN/p/kazakhstan/feed.xml", "/en/p/kazakhstan/feed.xml"),
        ("/p/KAZAKHSTAN/", "/p/kazakhstan"),
        ("/en/p/kazakhstan/?source=flyer&next=//evil.example", "/en/p/kazakhstan?source=flyer"),
    ],
)
def test_a_misspelled_address_leads_to_the_page(app: Flask, asked: str, page: str) -> None:
    answer = app.test_client().get(asked)
    assert (answer.status_code, answer.headers["Location"]) == (301, page)
    assert answer.cache_control.public
    assert not answer.headers.getlist("Set-Cookie")
    assert app.test_client().head(asked).status_code == 301


@pytest.mark.parametrize(
    ("accepted", "lang"), [("ru, en;q=0.5", "ru"), ("kk-KZ", "kk"), ("de, fr;q=0.9", "en"), ("", "en")]
)
def test_an_address_without_a_language_leads_to_the_readers(app: Flask, accepted: str, lang: str) -> None:
    answer = app.test_client().get(f"/p/{SLUG}?source=flyer", headers={"Accept-Language": accepted})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/{lang}/p/{SLUG}?source=flyer")
    assert "Accept-Language" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "path",
    [
        "/p/unknown",
        "/xx/p/kazakhstan",
        "/en/p//evil.example/",
        "/en/p/kazakhstan/nothing/",
        "/en/p/%0D%0AX:%20y/",
        "/en//p/kazakhstan/",
        "/confirm/AAAA/",
    ],
)
def test_what_leads_to_no_page_says_so(app: Flask, path: str) -> None:
    assert app.test_client().get(path).status_code == 404


def test_a_form_that_is_sent_is_not_led_elsewhere(app: Flask, installation: Installation) -> None:
    assert app.test_client().post("/en/p/kazakhstan/", data={"name": "x"}).status_code in {404, 405}


@given(st.from_regex(r"(/[a-zA-Z]{2})?/p/[A-Za-z0-9./\\%:@?-]{1,30}", fullmatch=True) | st.text())
def test_a_new_address_is_a_path_of_a_petition_and_stays(path: str) -> None:
    meant = plain_spelling(path)
    assert plain_spelling(meant) == meant
    assert meant == path or (meant.startswith("/") and "//" not in meant and "/p/" in meant)
