"""The organizers' pages on a port of their own: each server answers for its own pages, and links lead to the other."""

import time
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask

from campaign.errors import InvalidSettings
from campaign.installation.wiring import Installation
from campaign.models import Role
from campaign.settings import read_settings
from campaign.web.app import create_app
from campaign.web.core.sites import Door
from tests.conftest import SLUG, MakeInstallation
from tests.scenes.organizing import HOME, PASSWORD, SIGN_IN, invite, send_form
from tests.scenes.serving import ROOT, free_port, serving
from tests.scenes.visiting import page_of, read

PUBLIC = ["/", page_of(), f"/p/{SLUG}/count.json", "/outbox"]
BOTH = ["/healthz", "/static/campaign.css"]


@pytest.fixture
def installation(make_sqlite_installation: MakeInstallation) -> Installation:
    return make_sqlite_installation(organize_port=8001, organize_url="http://organize.localhost:8001", host="127.0.0.1")


@pytest.fixture
def public(installation: Installation) -> Flask:
    return create_app(installation, Door.PUBLIC)


@pytest.fixture
def organizers(installation: Installation) -> Flask:
    return create_app(installation, Door.ORGANIZERS)


def test_every_address_is_on_its_own_server_alone(public: Flask, organizers: Flask) -> None:
    """All of them, as the routes are declared; what is not there is answered like anything unknown."""
    unknown = public.test_client().get("/nothing")
    with public.test_request_context():
        addresses = {str(rule) for rule in public.url_map.iter_rules()}
    theirs = {address for address in addresses if address.startswith("/organize")}
    assert len(theirs) > 20
    for method in ("GET", "POST"):
        for address in theirs | {"/organize", "/organize/nothing"}:
            answer = public.test_client().open(address.replace("<", "").replace(">", ""), method=method)
            assert (answer.status_code, answer.data) == (404, unknown.data), address
        for address in addresses - theirs - {"/static/<path:filename>", "/healthz"}:
            assert organizers.test_client().open(address, method=method).status_code == 404, address
    for client in (public.test_client(), organizers.test_client()):
        assert [client.get(path, buffered=True).status_code for path in BOTH] == [200, 200]
    assert [public.test_client().get(path, follow_redirects=True).status_code for path in PUBLIC[:3]] == [200] * 3
    assert organizers.test_client().get(SIGN_IN).status_code == 200


def test_links_lead_to_the_other_server(installation: Installation, organizers: Flask) -> None:
    path = invite(installation, Role.OWNER).removeprefix("http://organize.localhost:8001")
    assert path.startswith("/organize/welcome/")
    client = organizers.test_client()
    assert send_form(client, path, password=PASSWORD, again=PASSWORD).location == HOME
    named = [at for _, at in read(client.get(f"/organize/p/{SLUG}")).addresses()]
    assert f"http://127.0.0.1:8000{page_of()}" in named
    assert not [at for at in named if at.startswith("/") and not at.startswith(("/organize", "/static/"))]


@pytest.mark.parametrize(
    ("door", "host", "status"),
    [
        (Door.PUBLIC, "127.0.0.1:8000", 200),
        (Door.PUBLIC, "organize.localhost:8001", 400),
        (Door.ORGANIZERS, "organize.localhost:8001", 200),
        (Door.ORGANIZERS, "evil.example", 400),
    ],
)
def test_each_server_goes_by_its_own_name(installation: Installation, door: Door, host: str, status: int) -> None:
    client = create_app(installation, door).test_client()
    assert client.get("/healthz", headers={"Host": host}).status_code == status


def test_the_cookie_is_as_safe_as_the_organizers_address(make_sqlite_installation: MakeInstallation) -> None:
    installation = make_sqlite_installation(organize_port=8001, organize_url="https://organize.example.org")
    client = create_app(installation, Door.ORGANIZERS).test_client()
    answer = client.get(SIGN_IN, base_url="https://organize.example.org")
    assert answer.headers["Set-Cookie"].startswith("__Secure-organizer=")
    assert "Secure;" in answer.headers["Set-Cookie"]
    assert "Strict-Transport-Security" in answer.headers
    assert "Strict-Transport-Security" not in create_app(installation, Door.PUBLIC).test_client().get("/").headers


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"ORGANIZE_URL": "https://organize.example.org"}, "ORGANIZE_URL needs CAMPAIGN_ORGANIZE_PORT"),
        ({"ORGANIZE_PORT": "8000"}, "must not both be the same as those of the public pages"),
        ({"ORGANIZE_PORT": "8001", "ORGANIZE_URL": "organize.example.org"}, "CAMPAIGN_ORGANIZE_URL must have the form"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: dict[str, str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in settings.items():
        monkeypatch.setenv(f"CAMPAIGN_{name}", value)
    with pytest.raises(InvalidSettings, match=says):
        read_settings()


def test_the_program_serves_both(tmp_path: Path) -> None:
    port, organize_port = free_port(), free_port()

    def ask(at: int, path: str) -> int:
        connection = HTTPConnection("127.0.0.1", at, timeout=30)
        connection.request("GET", path)
        status = connection.getresponse().status
        connection.close()
        return status

    with serving([ROOT / "app.py"], tmp_path, port, organize_port=organize_port) as printed:
        assert (ask(port, page_of()), ask(port, SIGN_IN)) == (200, 404)
        link = next(word for word in printed_words(printed) if "/organize/welcome/" in word)
        assert urlsplit(link).port == organize_port
        assert (ask(organize_port, urlsplit(link).path), ask(organize_port, page_of())) == (200, 404)


def printed_words(printed: Path) -> list[str]:
    """What was printed, once the greeting is complete."""
    until = time.monotonic() + 30
    while "Ctrl-C" not in (text := printed.read_text(encoding="utf-8")) and time.monotonic() < until:
        time.sleep(0.05)
    return text.split()
