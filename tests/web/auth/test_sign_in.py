"""Organizers sign in: one-time links, sessions, and nothing to learn for whoever has no password."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from campaign.crypto.randomness import random_name
from campaign.installation.wiring import Installation
from campaign.models import Role
from campaign.periods import INVITATION_LASTS
from campaign.web.app import create_app
from campaign.web.core.security import entry_of
from tests.conftest import Clock, MakeInstallation
from tests.scenes.organizing import (
    EMAIL,
    HOME,
    PASSWORD,
    SIGN_IN,
    enroll,
    find_organizer,
    invite,
    send_form,
    sign_in,
    token_of,
)
from tests.scenes.spellings import KEPT, NO_ADDRESSES, SPELLINGS
from tests.scenes.visiting import dump, page_of, read


def is_signed_in(client: FlaskClient) -> bool:
    return client.get(HOME).status_code == 200


def test_the_link_lets_one_choose_a_password_and_signs_in(app: Flask, installation: Installation) -> None:
    link, client = invite(installation, Role.VIEWER), app.test_client()
    page = read(client.get(link))
    assert page.by_id("email")["value"] == EMAIL
    assert page.by_id("password")["autocomplete"] == page.by_id("again")["autocomplete"] == "new-password"
    answer = send_form(client, link, password=PASSWORD, again=PASSWORD)
    assert (answer.status_code, answer.location) == (303, HOME)
    assert is_signed_in(client)
    with installation.database.snapshots() as session:
        assert str(find_organizer(session).password_hash).startswith("$argon2id$")


def test_the_link_works_once(app: Flask, installation: Installation) -> None:
    link, first, second = invite(installation, Role.VIEWER), app.test_client(), app.test_client()
    token = token_of(second, link)
    assert send_form(first, link, password=PASSWORD, again=PASSWORD).status_code == 303
    before = dump(installation)
    assert second.get(link).status_code == 410
    late = second.post(link, data={"csrf_token": token, "password": "taken over by us", "again": "taken over by us"})
    assert late.status_code == 410
    assert dump(installation) == before


def test_the_link_works_for_three_days(app: Flask, installation: Installation, clock: Clock) -> None:
    link = invite(installation, Role.VIEWER)
    clock.turn(INVITATION_LASTS)
    answer = app.test_client().get(link)
    assert answer.status_code == 410
    assert "signature" not in read(answer).by_id("content").text


def test_looking_at_the_link_does_not_use_it_up(app: Flask, installation: Installation) -> None:
    link = invite(installation, Role.VIEWER)
    before = dump(installation)
    assert {app.test_client().get(link).status_code for _ in range(3)} == {200}
    assert dump(installation) == before


@pytest.mark.parametrize("change", ["number", "token"])
def test_a_link_of_ones_own_making_opens_nothing(app: Flask, installation: Installation, change: str) -> None:
    link, other = invite(installation, Role.VIEWER), invite(installation, Role.VIEWER, "other@example.org")
    *_, number, token = other.split("/")
    made = (
        link.rpartition("/")[0] + f"/{token}" if change == "token" else f"/organize/welcome/{int(number) + 9}/{token}"
    )
    assert app.test_client().get(made).status_code in {404, 410}


LONG = "a few words " * 17


@pytest.mark.parametrize(
    ("password", "again", "told"),
    [
        ("eleven char", "eleven char", "password"),
        ("", "", "password"),
        (LONG, LONG, "password"),
        (PASSWORD, PASSWORD + "!", "again"),
    ],
)
def test_a_password_is_long_and_typed_twice(
    app: Flask, installation: Installation, password: str, again: str, told: str
) -> None:
    link, client = invite(installation, Role.VIEWER), app.test_client()
    before = dump(installation)
    answer = send_form(client, link, password=password, again=again)
    assert answer.status_code == 422
    assert read(answer).by_id(told)["aria-invalid"] == "true"
    assert read(answer).by_id(told)["value"] == ""
    assert dump(installation) == before


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.org"])
def test_a_password_longer_than_any_that_can_be_kept_is_a_wrong_one(app: Flask, owner: FlaskClient, email: str) -> None:
    """One that grows too long when its letters are made one form, too; organizer or not."""
    for endless in ("x" * 5000, "\ufdfa" * 300):
        assert sign_in(app.test_client(), email, endless).status_code == 422
    changed = send_form(
        owner, "/organize/account", "/organize/account/password", old="x" * 5000, password=LONG[:100], again=LONG[:100]
    )
    assert changed.status_code == 422


def test_the_longest_password_that_may_be_chosen_can_be_kept(app: Flask, installation: Installation) -> None:
    """Though each of its letters may become eighteen."""
    link, client, longest = invite(installation, Role.VIEWER), app.test_client(), "\ufdfa" * 190 + "a few word"
    assert send_form(client, link, password=longest, again=longest).status_code == 303
    assert sign_in(app.test_client(), password=longest).status_code == 303


@pytest.mark.parametrize("email", [EMAIL, EMAIL.upper(), f"  {EMAIL} "])
def test_one_signs_in_however_the_address_is_spelled(app: Flask, owner: FlaskClient, email: str) -> None:
    client = app.test_client()
    answer = sign_in(client, email)
    assert (answer.status_code, answer.location) == (303, HOME)
    assert is_signed_in(client)


def test_one_signs_in_with_a_domain_in_ones_own_script(app: Flask, installation: Installation) -> None:
    enroll(app, installation, Role.VIEWER, SPELLINGS[1])
    for spelled in SPELLINGS:
        client = app.test_client()
        assert sign_in(client, spelled).status_code == 303, spelled
        assert is_signed_in(client)


def test_text_that_is_no_address_signs_nobody_in(app: Flask, installation: Installation) -> None:
    """It is answered like an address that nobody has, whatever it looks like."""
    enroll(app, installation, Role.VIEWER, KEPT)
    unknown = sign_in(app.test_client(), "nobody@example.org")
    for typed in NO_ADDRESSES:
        answer = sign_in(app.test_client(), typed)
        assert answer.status_code == unknown.status_code == 422, typed
        assert read(answer).by_id("content").text == read(unknown).by_id("content").text


@pytest.mark.parametrize(
    "password",
    [
        KEPT,
        "Anna@Bücher.example 1987",
        "anna@bu\u0308cher.example",
        "ANNA@XN--BCHER-KVA.EXAMPLE!",
        "bücher.example2026",
        "xn--bcher-kva",
    ],
)
def test_ones_own_address_is_no_password_however_it_is_spelled(
    app: Flask, installation: Installation, password: str
) -> None:
    link, client = invite(installation, Role.VIEWER, KEPT), app.test_client()
    answer = send_form(client, link, password=password, again=password)
    assert answer.status_code == 422
    assert "not your own address" in read(answer).text


def test_a_password_is_the_same_however_its_letters_are_composed(app: Flask, installation: Installation) -> None:
    """“й” is one character on one keyboard and two on another."""
    link, composed, taken_apart = (
        invite(installation, Role.VIEWER),
        "тихий чай зимой",
        "тихии\u0306 чаи\u0306 зимои\u0306",
    )
    send_form(app.test_client(), link, password=composed, again=composed)
    assert sign_in(app.test_client(), password=taken_apart).status_code == 303


def test_every_refusal_reads_the_same(app: Flask, installation: Installation, owner: FlaskClient) -> None:
    """Wrong password, unknown address, no address at all, invited only, switched off with the right password."""
    invite(installation, Role.VIEWER, "invited@example.org")
    enroll(app, installation, Role.VIEWER, "gone@example.org")
    with installation.database.sessions.begin() as session:
        find_organizer(session, "gone@example.org").active = False
    tried = [
        (EMAIL, "not the password"),
        ("nobody@example.org", PASSWORD),
        ("nobody", PASSWORD),
        ("invited@example.org", PASSWORD),
        ("gone@example.org", PASSWORD),
        (EMAIL, ""),
    ]
    told = set()
    for email, password in tried:
        client = app.test_client()
        answer = sign_in(client, email, password)
        assert not is_signed_in(client)
        told.add((answer.status_code, read(answer).by_id("content").text))
        assert read(answer).by_id("email")["value"] == email
    assert len(told) == 1
    assert next(iter(told))[0] == 422


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.org", "nobody", "invited@example.org"])
def test_every_refusal_costs_one_hash(
    app: Flask, installation: Installation, owner: FlaskClient, monkeypatch: pytest.MonkeyPatch, email: str
) -> None:
    """Argon2 is all that takes time: an answer without it would tell that nobody has the address."""
    invite(installation, Role.VIEWER, "invited@example.org")
    argon2, work = app.extensions["security"].pwd_context, Counter[str]()
    for name in ("hash", "verify"):
        real = getattr(argon2, name)

        def counted(*arguments: object, real: object = real, **options: object) -> object:
            work["argon2"] += 1
            return real(*arguments, **options)  # type: ignore[operator]

        monkeypatch.setattr(argon2, name, counted)
    assert sign_in(app.test_client(), email, "not the password").status_code == 422
    assert work["argon2"] == 1


def test_a_new_session_key_ends_every_session(app: Flask, installation: Installation, owner: FlaskClient) -> None:
    second = app.test_client()
    sign_in(second)
    assert is_signed_in(owner)
    assert is_signed_in(second)
    with installation.database.sessions.begin() as session:
        find_organizer(session).session_key = random_name()
    assert not is_signed_in(owner)
    assert not is_signed_in(second)


def test_an_organizer_who_is_switched_off_is_out(installation: Installation, owner: FlaskClient) -> None:
    with installation.database.sessions.begin() as session:
        find_organizer(session).active = False
    assert not is_signed_in(owner)


def test_a_session_lasts_twelve_hours(app: Flask, owner: FlaskClient, clock: Clock) -> None:
    """However busy it is."""
    client = app.test_client()
    sign_in(client)
    for _ in range(23):
        clock.turn(timedelta(minutes=30))
        assert is_signed_in(client)
    clock.turn(timedelta(minutes=29))
    assert is_signed_in(client)
    clock.turn(timedelta(minutes=2))
    assert not is_signed_in(client)


def test_the_cookie_itself_is_taken_for_twelve_hours(app: Flask, owner: FlaskClient) -> None:
    """Whatever stands in it: its signature has a time."""
    client, start = app.test_client(), datetime(2026, 11, 23, 7, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as real:
        sign_in(client)
        real.shift(timedelta(hours=11, minutes=59))
        assert is_signed_in(client)
        real.shift(timedelta(minutes=2))
        assert not is_signed_in(client)


def test_a_session_without_a_click_ends_after_an_hour(owner: FlaskClient, clock: Clock) -> None:
    for _ in range(3):
        clock.turn(timedelta(minutes=54))
        assert is_signed_in(owner)
    clock.turn(timedelta(minutes=61))
    assert not is_signed_in(owner)


def test_signing_out_ends_the_session_and_looking_at_it_does_not(owner: FlaskClient) -> None:
    assert owner.get("/organize/sign-out").status_code == 405
    assert is_signed_in(owner)
    assert owner.post("/organize/sign-out").status_code == 400
    assert is_signed_in(owner)
    answer = send_form(owner, HOME, "/organize/sign-out")
    assert (answer.status_code, answer.location) == (303, SIGN_IN)
    assert not is_signed_in(owner)
    assert answer.headers["Set-Cookie"].startswith("organizer=;")


@pytest.mark.parametrize("token", [None, "", "wrong"])
def test_a_form_of_another_website_signs_nobody_in(app: Flask, owner: FlaskClient, token: str | None) -> None:
    client = app.test_client()
    client.get(SIGN_IN)
    data = {"email": EMAIL, "password": PASSWORD, **({} if token is None else {"csrf_token": token})}
    assert client.post(SIGN_IN, data=data).status_code == 400
    assert not is_signed_in(client)


def test_a_form_of_another_website_sets_no_password(app: Flask, installation: Installation) -> None:
    link = invite(installation, Role.VIEWER)
    before = dump(installation)
    assert app.test_client().post(link, data={"password": PASSWORD, "again": PASSWORD}).status_code == 400
    assert dump(installation) == before


def test_nothing_planted_before_signing_in_lives_on(app: Flask, owner: FlaskClient) -> None:
    client = app.test_client()
    token = token_of(client, SIGN_IN)
    client.post(SIGN_IN, data={"csrf_token": token, "email": EMAIL, "password": PASSWORD})
    assert client.post("/organize/sign-out", data={"csrf_token": token}).status_code == 400


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example/organize/",
        "/\\evil.example",
        "\\\\evil.example",
        "/organize/..//evil.example",
        "/organize//evil.example",
        "/organize/\\evil.example",
        "/organize/\r\nLocation: https://evil.example",
        "javascript:alert(1)",
        "/en/p/kazakhstan",
        "/organizer",
        " /organize/",
    ],
)
def test_signing_in_leads_to_no_page_but_ours(app: Flask, owner: FlaskClient, address: str) -> None:
    assert sign_in(app.test_client(), next=address).location == HOME
    client = app.test_client()
    page = read(client.get(SIGN_IN, query_string={"next": address}))
    assert client.post(SIGN_IN, data={**page.filled_in(), "email": EMAIL, "password": PASSWORD}).location == HOME


def test_signing_in_leads_to_the_page_that_was_asked_for(app: Flask, owner: FlaskClient) -> None:
    client, wanted = app.test_client(), "/organize/p/kazakhstan/digest?made=3"
    answer = client.get(wanted)
    assert answer.status_code == 302
    page = read(client.get(answer.location))
    assert client.post(SIGN_IN, data={**page.filled_in(), "email": EMAIL, "password": PASSWORD}).location == wanted


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8000", "https://petition.example.org"])
def test_the_cookie_is_for_the_server_alone(make_sqlite_installation: MakeInstallation, base_url: str) -> None:
    client = create_app(make_sqlite_installation(base_url=base_url)).test_client()
    parts = client.get(SIGN_IN, base_url=base_url).headers["Set-Cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Lax", "Path=/organize"} <= set(parts)
    assert ("Secure" in parts) is base_url.startswith("https:")
    assert not [part for part in parts if part.startswith(("Expires", "Max-Age", "Domain"))]


def test_asking_to_be_remembered_makes_no_lasting_cookie(app: Flask, owner: FlaskClient) -> None:
    answer = sign_in(app.test_client(), remember="y")
    assert answer.status_code == 303
    cookies = {cookie.partition("=")[0]: cookie for cookie in answer.headers.getlist("Set-Cookie")}
    # The mark of a known browser lasts, and signs nobody in.
    assert set(cookies) == {"organizer", "organizer-browser"}
    assert "Max-Age" not in cookies["organizer"]
    assert "Expires" not in cookies["organizer"]
    client = app.test_client()
    client.set_cookie("organizer-browser", cookies["organizer-browser"].split(";")[0].partition("=")[2], path=HOME)
    assert not is_signed_in(client)


@pytest.mark.parametrize("path", ["/", page_of(), page_of() + "/updates", "/p/kazakhstan/count.json", "/healthz"])
def test_public_pages_know_no_session(app: Flask, owner: FlaskClient, path: str) -> None:
    """Neither for a visitor nor for an organizer, whose browser does not even send the cookie there."""
    cookie = owner.get_cookie("organizer", path="/organize")
    assert cookie is not None
    for answer in (app.test_client().get(path), app.test_client().get(path, headers={"Cookie": str(cookie)})):
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
        assert "Cookie" not in answer.headers.get("Vary", "").replace(" ", "").split(",")


def test_nothing_but_the_session_signs_in(app: Flask, installation: Installation, owner: FlaskClient) -> None:
    """Flask-Security takes tokens in a header, in the address and in JSON, unless it is told not to."""
    security = app.extensions["security"]
    with app.test_request_context(), installation.database.snapshots() as session:
        user = security.datastore.find_user(fs_uniquifier=find_organizer(session).session_key)
        token = user.get_auth_token()
    client = app.test_client()
    assert client.get(HOME, headers={"Authentication-Token": token}).status_code == 302
    assert client.get(HOME, query_string={"auth_token": token}).status_code == 302
    assert client.post(SIGN_IN, json={"email": EMAIL, "password": PASSWORD}).status_code == 400


def test_the_library_adds_no_route_of_its_own(app: Flask) -> None:
    ours = {rule.endpoint: str(rule) for rule in app.url_map.iter_rules() if rule.endpoint.startswith("sign_in.")}
    assert set(ours.values()) == {
        SIGN_IN,
        "/organize/sign-out",
        "/organize/welcome/<int(max=2147483647):organizer_id>/<token>",
    }
    assert all(entry_of(app.view_functions[endpoint]) for endpoint in ours)
    assert not [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("security")]
    assert not {"users", "roles"} & set(app.cli.commands)


@pytest.mark.parametrize("path", [SIGN_IN, HOME])
def test_pages_behind_the_door_are_kept_nowhere(owner: FlaskClient, path: str) -> None:
    assert owner.get(path).headers["Cache-Control"] == "no-store"
