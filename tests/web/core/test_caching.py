"""Public pages for a crowd: kept by any cache, asked for again by what they show, small on the line, no cookie."""

import gzip
import re
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from campaign.installation.wiring import Installation
from tests.conftest import SLUG
from tests.scenes.people import add_readers
from tests.scenes.visiting import confirm_path, page_of, post, read

PUBLIC = ("/", page_of("ru"), f"{page_of('ru')}/updates")
MOST_BYTES = 50 * 1024
GZIP = {"Accept-Encoding": "gzip, deflate, br"}


def content_of(answer: TestResponse) -> bytes:
    packed = answer.headers.get("Content-Encoding") == "gzip"
    return gzip.decompress(answer.get_data()) if packed else answer.get_data()


@pytest.mark.parametrize("path", PUBLIC)
def test_a_cache_may_keep_the_page_and_asks_whether_it_has_changed(
    app: Flask, installation: Installation, path: str
) -> None:
    client = app.test_client()
    first = client.get(path)
    assert first.cache_control.public
    assert 0 < (first.cache_control.s_maxage or 0) <= 60
    assert first.cache_control.max_age == 1  # HAProxy keeps no page with max-age=0
    assert "Set-Cookie" not in first.headers
    assert "Cookie" not in first.headers.get("Vary", "")
    tag, weak = first.get_etag()
    assert tag
    assert weak
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.get_data()) == (304, b"")
    add_readers(installation, "new@example.org")
    changed = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == (304 if path.endswith("updates") else 200)  # there no number stands


@pytest.mark.parametrize("path", PUBLIC)
def test_it_is_small_on_the_line_for_whoever_takes_it_compressed(app: Flask, path: str) -> None:
    plain, packed = app.test_client().get(path), app.test_client().get(path, headers=GZIP)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    for answer in (plain, packed):
        assert "Accept-Encoding" in answer.vary
    tokens = re.compile(rb'name="csrf_token" value="[^"]*"')
    assert tokens.sub(b"", content_of(packed)) == tokens.sub(b"", plain.get_data())
    assert len(packed.get_data()) < len(plain.get_data()) * 0.6


@pytest.mark.parametrize("lang", ["en", "ru", "kk"])
def test_the_whole_page_weighs_less_than_fifty_kilobytes(app: Flask, lang: str) -> None:
    """Everything that a browser loads for it, from this server alone."""
    client = app.test_client()
    page = client.get(page_of(lang), headers=GZIP)
    html = content_of(page).decode()
    loaded = re.findall(r'<(?:link rel="(?:stylesheet|icon)"|script|img)[^>]*? (?:href|src)="([^"]+)"', html)
    assert {urlsplit(address).netloc for address in loaded} == {""}
    answers = [page, *(client.get(address, headers=GZIP, buffered=True) for address in loaded)]
    assert {answer.status_code for answer in answers} == {200}
    weight = sum(len(answer.get_data()) for answer in answers)
    assert weight <= MOST_BYTES


def test_static_files_are_kept_for_ever_under_the_name_of_their_content(app: Flask) -> None:
    client = app.test_client()
    [address] = {link["href"] for link in read(client.get("/")).all("link") if "campaign.css" in link["href"]}
    kept = client.get(address, buffered=True)
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for other in ("/static/campaign.css", "/static/campaign.css?v=", "/static/campaign.css?v=000000000000"):
        assert "immutable" not in client.get(other, buffered=True).headers["Cache-Control"]


def test_what_is_about_one_person_is_neither_kept_nor_compressed(app: Flask, installation: Installation) -> None:
    client = app.test_client()
    refused = client.post(page_of(), data={"name": "Dana"}, headers={"Sec-Fetch-Site": "same-origin", **GZIP})
    post(client)
    for answer in (refused, client.get(confirm_path(installation), headers=GZIP)):
        assert "Content-Encoding" not in answer.headers
        assert not answer.cache_control.public
    assert refused.cache_control.no_store


def test_the_form_on_a_kept_page_can_be_sent(app: Flask) -> None:
    """By a browser that says where it comes from, and by one that says nothing but has the page's token."""
    page = read(app.test_client().get(page_of()))
    fields = {**page.filled_in(), "name": "Dana", "email": "dana@example.org", "consent": "y"}
    assert app.test_client().post(page_of(), data=fields).status_code == 303


def test_the_count_is_told_in_words_where_a_page_asks_for_them(app: Flask, installation: Installation) -> None:
    add_readers(installation, "one@example.org", "two@example.org")
    client = app.test_client()
    told = client.get(f"/p/{SLUG}/count.json?lang=en").get_json()
    assert (told["confirmed"], told["number"]) == (2, "2")
    assert told["words"] == "people have signed, of a goal of 10,000"
    assert set(client.get(f"/p/{SLUG}/count.json").get_json()) == {"confirmed", "goal", "as_of"}
    assert set(client.get(f"/p/{SLUG}/count.json?lang=xx").get_json()) == {"confirmed", "goal", "as_of"}
    shown = read(client.get(page_of())).one("div", **{"class": "progress"})
    assert shown["data-count"] == f"/p/{SLUG}/count.json?lang=en"
