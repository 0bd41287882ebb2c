"""Every route: what is in its page in each language, and what becomes of too much, whoever sends it."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from campaign.installation.wiring import Installation
from tests.scenes.addresses import list_addresses, values_for
from tests.scenes.page import Page
from tests.scenes.visiting import FROM_HERE

TOO_MUCH: dict[str, tuple[dict[str, Any], int]] = {
    "a body of more than 64 KiB": ({"data": {"comment": "x" * 65_600}}, 413),
    "a field of more than 64 KiB in parts": (
        {"data": {"comment": "x" * 65_000, "csrf_token": "y" * 65_000}, "content_type": "multipart/form-data"},
        413,
    ),
    "more than fifty parts": (
        {"data": {f"field{number}": "x" for number in range(60)}, "content_type": "multipart/form-data"},
        413,
    ),
}


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    return sqlite_installation


@pytest.mark.parametrize("lang", ["en", "ru", "kk"])
def test_no_page_has_a_script_or_a_style_in_it(
    app: Flask, visited: Installation, visitors: dict[str, FlaskClient], lang: str
) -> None:
    """Every address that answers with HTML; what is framed is a mail, which has its own rules (frame.html)."""
    seen = 0
    for endpoint, address in list_addresses(app, visited):
        for client in visitors.values():
            answer = client.get(address, headers={"Accept-Language": lang}, buffered=True)
            if (
                answer.status_code != 200
                or answer.mimetype != "text/html"
                or "sandbox" in answer.headers["Content-Security-Policy"]
            ):
                continue
            seen += 1
            page = Page(answer.get_data(as_text=True))
            assert not page.all("style"), endpoint
            ours = {f"/static/{name}.js" for name in ("passkey", "count", "share")}
            assert {urlsplit(script["src"]).path for script in page.all("script")} <= ours
            assert not [script.text for script in page.all("script") if script.text]
            names = {name for element in page.elements for name in element.attributes}
            assert not {name for name in names if name == "style" or name.startswith("on")}, endpoint
            assert "unsafe" not in answer.headers["Content-Security-Policy"], endpoint
            assert not [at for _, at in page.addresses() if at.startswith(("javascript:", "data:"))], endpoint
    assert seen > 20


def posted(app: Flask, installation: Installation) -> list[str]:
    """Every address that takes a form; unsubscribing takes none, whatever is sent along (RFC 8058)."""
    adapter = app.url_map.bind("localhost")
    return [
        adapter.build(rule.endpoint, values_for(installation, rule))
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and not str(rule).startswith("/unsubscribe/")
    ]


@pytest.mark.parametrize("what", TOO_MUCH)
def test_too_much_at_once_is_refused_in_a_sentence(
    app: Flask, visited: Installation, visitors: dict[str, FlaskClient], what: str
) -> None:
    sent, status = TOO_MUCH[what]
    found = {}
    for path in posted(app, visited):
        for who, client in visitors.items():
            answer = client.post(path, headers=FROM_HERE, **sent)
            asked = who == "stranger" and answer.status_code == 302 and "/organize/sign-in" in answer.location
            if answer.status_code != status and not asked:
                found[who, path] = answer.status
    assert found == {}


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8000", "a b", ""])
def test_a_request_for_another_server_is_refused(app: Flask, host: str) -> None:
    client = app.test_client()
    for path in ("/", "/organize/sign-in", "/healthz", "/nothing"):
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code == 400
        assert not host or host not in answer.get_data(as_text=True)
