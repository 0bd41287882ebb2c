"""The commands about organizers: what they print, what ends, and where it is recorded."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from campaign.installation.wiring import Installation
from campaign.models import Role
from tests.conftest import SLUG, Clock, quick_app
from tests.scenes.commands import Command, refused
from tests.scenes.organizing import EMAIL, HOME, OTHER, PASSWORD, enroll, list_audit, list_trail, send_form, sign_in
from tests.scenes.second_factors import SECOND, set_up_app
from tests.scenes.spellings import KEPT, SPELLINGS
from tests.scenes.visiting import read


@pytest.fixture
def installation(installed: Installation) -> Installation:
    return installed


@pytest.fixture
def app(installed: Installation) -> Flask:
    return quick_app(installed)


@pytest.fixture
def owner(app: Flask, installed: Installation) -> FlaskClient:
    return enroll(app, installed, Role.OWNER)


def is_in(client: FlaskClient) -> bool:
    return client.get(HOME).status_code == 200


def test_all_are_listed_with_roles_and_what_they_sign_in_with(
    command: Command, app: Flask, installed: Installation, other_petition: str
) -> None:
    enroll(app, installed, Role.VIEWER, "plain@example.org", OTHER)
    command("organizer", "add", "new@example.org", "--petition", SLUG, "--role", "editor")
    command("organizer", "add", EMAIL, "--petition", OTHER, "--role", "exporter")
    client = enroll(app, installed, Role.OWNER)
    assert command("organizer", "list").out.splitlines() == [
        f"{EMAIL}  {SLUG}: owner, {OTHER}: exporter, second factor: none",
        f"new@example.org  {SLUG}: editor, has not used the link yet",
        f"plain@example.org  {OTHER}: viewer, second factor: none",
    ]
    assert is_in(client)


def test_removing_takes_the_role_the_session_and_at_last_the_account(
    command: Command, app: Flask, installed: Installation, owner: FlaskClient, other_petition: str
) -> None:
    command("organizer", "add", EMAIL, "--petition", OTHER, "--role", "viewer")
    done = command("organizer", "remove", EMAIL.upper(), "--petition", SLUG)
    assert (done.status, done.out.splitlines()) == (
        0,
        [
            f"{EMAIL} has no role with “{SLUG}” any more and is signed out.",
            f"“{SLUG}” has no owner now. To make one: campaign organizer add EMAIL --petition {SLUG} --role owner",
        ],
    )
    assert not is_in(owner)
    assert sign_in(owner).status_code == 303
    assert owner.get(f"/organize/p/{SLUG}").status_code == 404
    assert "switched off" in command("organizer", "remove", EMAIL, "--petition", OTHER).out
    assert not is_in(owner)
    assert sign_in(owner).status_code == 422
    assert [(action, details) for _, action, details in list_audit(installed)][-2:] == [
        ("organizer removed", {"organizer": EMAIL}),
        ("organizer removed", {"organizer": EMAIL}),
    ]
    refused(command("organizer", "reset", EMAIL), "has no role any more")
    link = command("organizer", "add", EMAIL, "--petition", SLUG, "--role", "viewer").out.strip()
    path = link.removeprefix(installed.settings.base_url)
    assert send_form(owner, path, password=PASSWORD, again=PASSWORD).location == HOME


def test_signing_out_ends_every_session(
    command: Command, app: Flask, installed: Installation, owner: FlaskClient
) -> None:
    second = app.test_client()
    sign_in(second)
    assert command("organizer", "sign-out", EMAIL).out == f"{EMAIL} is signed out everywhere.\n"
    assert (is_in(owner), is_in(second)) == (False, False)
    assert sign_in(second).status_code == 303
    assert list_trail(installed)[-2] == ("command line", "organizer signed out", {})


def test_resetting_takes_everything_away_and_is_seen_by_the_others(
    command: Command, app: Flask, installed: Installation, owner: FlaskClient, clock: Clock
) -> None:
    second = enroll(app, installed, Role.VIEWER, "second@example.org")
    set_up_app(owner, clock)
    done = command("organizer", "reset", EMAIL)
    (link,) = done.out.splitlines()
    assert "safe way" in done.err
    assert not is_in(owner)
    assert sign_in(owner).status_code == 422
    answer = send_form(owner, link.removeprefix(installed.settings.base_url), password=PASSWORD, again=PASSWORD)
    assert answer.location == HOME != SECOND
    assert is_in(owner)
    text = read(second.get(f"/organize/p/{SLUG}")).text
    assert "command line took an organizer’s password and second factors away and made a new link" in text
    assert f"organizer: {EMAIL}" in text
    assert "organizer reset" in [action for _, action, _ in list_trail(installed)]


def test_an_organizer_is_found_with_a_domain_in_its_own_script(
    command: Command, app: Flask, installed: Installation
) -> None:
    for spelled in SPELLINGS:
        link = command("organizer", "add", spelled, "--petition", SLUG, "--role", "owner").out.strip()
        assert "/organize/welcome/1/" in link, spelled
        assert command("organizer", "reset", spelled).status == 0, spelled
        assert command("organizer", "sign-out", spelled).out == f"{KEPT} is signed out everywhere.\n"
        removed = command("organizer", "remove", spelled, "--petition", SLUG)
        assert removed.out.startswith(f"{KEPT} has no role with “{SLUG}” any more"), spelled


@pytest.mark.parametrize(
    "words",
    [
        ("remove", "a@example.org", "--petition", SLUG),
        ("sign-out", "a@example.org"),
        ("reset", "a@example.org"),
        ("reset", "<a@bücher.example>"),
        ("sign-out", "a@bücher.example."),
        ("remove", "", "--petition", SLUG),
        ("remove", EMAIL, "--petition", "nowhere"),
    ],
)
def test_who_is_not_there_is_named(command: Command, installed: Installation, words: tuple[str, ...]) -> None:
    refused(command("organizer", *words), "nowhere" if "nowhere" in words else "is an organizer here")
