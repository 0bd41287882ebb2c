"""Errors: a page in the reader's language with the right status, never a traceback, and the server goes on."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import make_url

from campaign.crypto.link_purposes import LinkPurpose
from campaign.installation.wiring import Installation
from campaign.web.app import create_app
from tests.conftest import MakeInstallation
from tests.scenes.people import get_signature
from tests.scenes.visiting import ADDRESS, FILLED_IN, FROM_HERE, confirm_path, dump, page_of, post, read
from tests.servers.postgresql import PrivateCluster

LIMIT = 64 * 1024


@pytest.mark.parametrize(
    ("method", "address", "status", "title"),
    [
        ("GET", "/nothing", 404, "There is nothing here"),
        ("GET", "/en/p/unknown", 404, "There is nothing here"),
        ("POST", "/healthz", 405, "This cannot be done here"),
        ("DELETE", "/en/p/kazakhstan", 405, "This cannot be done here"),
        ("GET", "/confirm/unknown", 404, "There is nothing here"),
        ("GET", "/" + "x" * 5000, 404, "There is nothing here"),
        ("GET", "/en/p/%00", 404, "There is nothing here"),
        ("GET", "/en/p/%ff%fe", 404, "There is nothing here"),
        ("GET", "/en/p/'%20OR%201=1--", 404, "There is nothing here"),
        ("GET", "/static/..%2f..%2fsettings.py", 404, "There is nothing here"),
    ],
)
def test_an_error_is_a_page(app: Flask, method: str, address: str, status: int, title: str) -> None:
    answer = app.test_client().open(address, method=method)
    assert answer.status_code == status
    assert read(answer).one("h1").text == title
    assert "Traceback" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("wanted", "title"), [("ru", "Здесь ничего нет"), ("kk", "Мұнда ештеңе жоқ"), ("en", "There is nothing here")]
)
def test_an_error_is_told_in_the_readers_language(app: Flask, wanted: str, title: str) -> None:
    page = read(app.test_client().get("/nothing", headers={"Accept-Language": wanted}))
    assert (page.one("html")["lang"], page.one("h1").text) == (wanted, title)
    in_address = read(app.test_client().get(f"/{wanted}/p/unknown", headers={"Accept-Language": "de"}))
    assert in_address.one("h1").text == title


@pytest.mark.parametrize("size", [LIMIT + 1, 6 * LIMIT])
@pytest.mark.parametrize("encoding", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_body_above_64_kib_is_not_read(app: Flask, installation: Installation, size: int, encoding: str) -> None:
    before = dump(installation)
    for address in (page_of(), "/confirm/unknown"):
        data = {**FILLED_IN, "comment": "x" * size}
        answer = app.test_client().post(address, data=data, content_type=encoding, headers=FROM_HERE)
        assert answer.status_code == 413
        assert read(answer).one("h1").text == "This is too much at once"
    assert dump(installation) == before


def test_many_fields_in_one_form_are_too_much(app: Flask) -> None:
    data = {**FILLED_IN, **{f"field{number}": "x" for number in range(100)}}
    answer = app.test_client().post(page_of(), data=data, content_type="multipart/form-data", headers=FROM_HERE)
    assert answer.status_code == 413


@pytest.mark.parametrize("host", ["elsewhere.example", "localhost.elsewhere.example", "", "127.0.0.1.example", "a b"])
def test_a_request_for_another_server_is_refused(app: Flask, installation: Installation, host: str) -> None:
    """Else links and redirects could be made to lead elsewhere."""
    before = dump(installation)
    for answer in (
        app.test_client().get(page_of(), headers={"Host": host}),
        app.test_client().post(page_of(), data=FILLED_IN, headers={"Host": host, **FROM_HERE}),
    ):
        assert answer.status_code == 400
        assert host not in answer.get_data(as_text=True) or host in ("", "a b")
    assert dump(installation) == before


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.1:8000", "localhost:80"])
def test_a_request_for_this_machine_is_answered(app: Flask, host: str) -> None:
    assert app.test_client().get(page_of(), headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_a_server_answers_at_the_address_that_its_own_links_name(
    make_sqlite_installation: MakeInstallation, host: str
) -> None:
    installation = make_sqlite_installation(host=host)
    answer = create_app(installation).test_client().get("/", base_url=installation.settings.base_url)
    assert answer.status_code == 200


def test_behind_a_name_only_that_name_is_answered(make_sqlite_installation: MakeInstallation) -> None:
    installation = make_sqlite_installation(host="0.0.0.0", base_url="https://petition.example.org")
    client = create_app(installation).test_client()
    statuses = [
        client.get("/", headers={"Host": host}).status_code
        for host in ("petition.example.org", "petition.example.org:8443", "localhost", "127.0.0.1")
    ]
    assert statuses == [200, 200, 400, 400]


@contextmanager
def without_database(installation: Installation, cluster: Callable[[], PrivateCluster]) -> Iterator[None]:
    """The database is out of reach: its folder is gone, or its server takes no connection and ends those it had."""
    url = make_url(installation.settings.database_url)
    if url.get_backend_name() == "sqlite":
        folder = installation.settings.data_dir
        away = folder.with_name("away")
        installation.database.engine.dispose()
        shutil.move(folder, away)
        yield
        shutil.rmtree(folder, ignore_errors=True)
        shutil.move(away, folder)
        return
    assert url.database
    with cluster()._connect() as connection:
        connection.execute(f'ALTER DATABASE "{url.database}" ALLOW_CONNECTIONS false'.encode())
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [url.database])
        yield
        connection.execute(f'ALTER DATABASE "{url.database}" ALLOW_CONNECTIONS true'.encode())


def asked(client: FlaskClient, path: str) -> dict[str, int]:
    """The status of everything that needs the database."""
    answers = {address: client.get(address) for address in ("/", page_of("ru"), "/healthz", path)}
    answers["sign"] = post(client, email="second@example.org")
    answers["confirm"] = client.post(path)
    for answer in answers.values():
        if answer.status_code == 503:
            assert read(answer).one("h1").text in ("The server is busy for a moment", "Сервер сейчас занят")
    return {name: answer.status_code for name, answer in answers.items()}


def test_while_the_database_is_out_of_reach_pages_say_so_and_afterwards_all_works(
    app: Flask, installation: Installation, request: pytest.FixtureRequest
) -> None:
    """503, nothing lost, and no restart is needed."""
    client = app.test_client()
    post(client)
    path = confirm_path(installation)
    with without_database(installation, lambda: request.getfixturevalue("cluster")):
        assert set(asked(client, path).values()) == {503}
    assert set(asked(client, path).values()) == {200, 303}
    assert get_signature(installation, ADDRESS).number == 1
    assert get_signature(installation, "second@example.org").number is None


def test_broken_connections_are_replaced(
    app: Flask, installation: Installation, request: pytest.FixtureRequest
) -> None:
    """Connections that the server has ended, or a pool that was emptied, are nobody's error."""
    client = app.test_client()
    assert post(client).status_code == 303
    url = make_url(installation.settings.database_url)
    if url.get_backend_name() == "sqlite":
        installation.database.engine.dispose()
    else:
        cluster: PrivateCluster = request.getfixturevalue("cluster")
        with cluster._connect() as connection:
            ended = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s", [url.database]
            ).fetchone()
        assert ended
        assert ended[0] > 0
    assert set(asked(client, confirm_path(installation)).values()) == {200, 303}


def test_what_nobody_foresaw_is_a_page_without_details(
    app: Flask, installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    """And the log tells where it happened, but nothing that a signer typed."""
    post(app.test_client())
    path = confirm_path(installation)
    with installation.database.sessions.begin() as session:
        signature = session.get_one(type(get_signature(installation, ADDRESS)), get_signature(installation, ADDRESS).id)
        signature.sealed_person = b"\x01not what was sealed"
    answer = app.test_client().get(path)
    assert answer.status_code == 500
    assert read(answer).one("h1").text == "Something went wrong on our side"
    token = installation.vault.token(LinkPurpose.CONFIRM, signature.id)
    assert caplog.text
    assert not [word for word in (ADDRESS, FILLED_IN["name"], token) if word in caplog.text + answer.text]


@pytest.mark.parametrize("scheme", ["", ":", "a b", "*", "http://[", "javascript", "localhost:1"])
def test_a_scheme_that_is_none_is_refused_whatever_a_proxy_hands_on(
    make_sqlite_installation: MakeInstallation, scheme: str
) -> None:
    """Links and passkeys are made of it."""
    client = create_app(make_sqlite_installation(trusted_proxies=1)).test_client()
    for page in ("/organize/sign-in", page_of(), "/nothing"):
        answer = client.get(page, headers={"X-Forwarded-Proto": scheme})
        assert answer.status_code == (400 if scheme else client.get(page).status_code)


def test_a_request_for_another_host_is_told_so_whatever_else_is_wrong_with_it(
    make_sqlite_installation: MakeInstallation,
) -> None:
    client = create_app(make_sqlite_installation(trusted_proxies=1)).test_client()
    elsewhere = {"HTTP_HOST": "elsewhere.example"}
    for wrong in ({"HTTP_X_FORWARDED_PROTO": "*"}, {"QUERY_STRING": "\xff"}, {"CONTENT_LENGTH": "99999999"}):
        answer = client.get(page_of(), environ_overrides={**elsewhere, **wrong})
        assert (answer.status_code, answer.get_data()) == (400, b"This server goes by another name.\n")


def test_two_slashes_are_another_address_and_nothing_of_it_is_sent_back(app: Flask) -> None:
    answer = app.test_client().get("/me//a%0d%0aBcc:%20somebody")
    assert (answer.status_code, "Location" in answer.headers) == (404, False)


@pytest.mark.parametrize("path", ["/static/campaign.css", "/embed.js", page_of(), "/nothing"])
def test_a_query_that_is_no_text_is_refused_everywhere(app: Flask, path: str) -> None:
    answer = app.test_client().get(path, environ_overrides={"QUERY_STRING": "v=\xff"})
    assert answer.status_code == 400
