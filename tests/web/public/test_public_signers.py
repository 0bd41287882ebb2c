"""The public pages of names, comments and numbers, and the organizers' page of comments."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from campaign.crypto.organizer_keys import OrganizerKey
from campaign.installation.wiring import Installation
from campaign.models import CommentState, Role
from campaign.services.petitions.store import get_petition
from campaign.services.signatures.public_signers import NAMES
from campaign.web.app import create_app
from campaign.worker import work_once
from tests.conftest import SLUG
from tests.scenes.comments import decide, offer
from tests.scenes.organizer_keys import seal_petition
from tests.scenes.organizing import enroll, list_audit, send_form
from tests.scenes.people import confirm, confirm_all, get_signature, sign_within
from tests.scenes.visiting import ADDRESS, confirm_path, page_of, post, read

WALL = f"{page_of()}/signatures"
COMMENTS = f"/organize/p/{SLUG}/comments"


def fill(installation: Installation, *displays: str, country: str | None = None) -> None:
    """People who signed and confirmed, named after how they are shown."""
    with installation.database.sessions.begin() as session:
        for number, display in enumerate(displays):
            said = {"name": f"Person{number}x {display}", "display": display, "country": country}
            sign_within(session, installation, f"{display}{number}{country}@example.org", **said)  # type: ignore[arg-type]
    confirm_all(installation)


def test_every_page_together_has_all_who_opted_in_and_nobody_else(app: Flask, installation: Installation) -> None:
    fill(installation, *["name", "hidden"] * (NAMES + 10))
    client, found = app.test_client(), []
    for number in (1, 2):
        page = read(client.get(f"{WALL}?page={number}"))
        found += [item.text for item in page.all("bdi")]
        assert not re.search(r"hidden|\d{4}-\d\d-\d\d|@", " ".join(item.text for item in page.all("li")))
    assert found == [f"Person{number}x name" for number in range(2 * NAMES + 18, -1, -2)]
    assert client.get(f"{WALL}?page=3").status_code == 404
    assert client.get(f"{WALL}?page=1").status_code == 200


@pytest.mark.parametrize("page", ["0", "-1", "x", "", "1.0", "%D9%A2", "99", "9" * 30, "1&page=x", "%00"])
def test_an_odd_page_is_said_not_to_be_there_or_is_the_first(app: Flask, page: str) -> None:
    assert app.test_client().get(f"{WALL}?page={page}").status_code == (200 if page.startswith("1&") else 404)


def test_names_are_for_people_for_a_minute_and_for_no_search_engine(app: Flask, installation: Installation) -> None:
    fill(installation, "name")
    client = app.test_client()
    for path in (WALL, f"{WALL}/comments"):
        answer = client.get(path)
        assert answer.headers["Cache-Control"] == "public, max-age=60"
        assert answer.headers["X-Robots-Tag"] == read(answer).one("meta", name="robots")["content"] == "noindex"
    with installation.database.sessions.begin() as session:
        get_petition(session, SLUG).indexes_names = True
    answer = client.get(WALL)
    assert "X-Robots-Tag" not in answer.headers
    assert not read(answer).all("meta", name="robots")
    assert "As of 23 November 2026, 12:00 (Asia/Almaty)." in read(answer).text


def test_a_petition_that_shows_nobody_says_so(app: Flask, installation: Installation) -> None:
    offer(installation, ADDRESS, name="Dana Akhmetova", comment="Freedom.")
    decide(installation, CommentState.SHOWN, ADDRESS)
    with installation.database.sessions.begin() as session:
        get_petition(session, SLUG).shows_names = False
    client = app.test_client()
    for told in ("decided to show no names and no comments", "encrypted for its organizers"):
        for path in (WALL, f"{WALL}/comments"):
            answer = client.get(path)
            assert answer.status_code == 404
            assert told in read(answer).text
        page = read(client.get(page_of()))
        assert "Freedom." not in page.text
        assert WALL not in {link["href"] for link in page.all("a")}
        assert not page.all("input", name="comment_public")
        seal_petition(installation, OrganizerKey.fresh())


def test_a_server_without_keys_shows_numbers_and_the_feed_and_no_names(installation: Installation) -> None:
    fill(installation, "name")
    client = create_app(installation, frozen=True).test_client()
    assert client.get(WALL).status_code == 503
    assert "Person0x" not in client.get(page_of()).get_data(as_text=True)
    for end in ("numbers", "feed.xml", "updates"):
        assert client.get(f"{page_of()}/{end}").status_code == 200


def test_a_country_stands_beside_a_name_where_many_came_from_it(app: Flask, installation: Installation) -> None:
    fill(installation, *["name"] * 10, country="KZ")
    fill(installation, *["name"] * 10, country="DE")
    fill(installation, *["name"] * 9, country="LU")
    work_once(installation)
    wall, numbers = (read(app.test_client().get(page_of() + end)) for end in ("/signatures", "/numbers"))
    for page in (wall, numbers):
        assert "Luxembourg" not in page.text
    countries = [cell.text for cell in numbers.all("th", scope="row")]
    assert "Other places" in countries
    assert ("Kazakhstan" in countries) == ("Kazakhstan" in wall.text)
    assert "As of 23 November 2026, 12:00 (Asia/Almaty)." in numbers.text


def test_a_comment_goes_from_the_form_through_its_readers_to_everybody(
    app: Flask, installation: Installation, owner: FlaskClient
) -> None:
    client = app.test_client()
    assert post(client, comment="<b>Freedom</b>", comment_public="y").status_code == 303
    assert get_signature(installation, ADDRESS).comment_state is CommentState.OFFERED
    assert "No comment waits" in read(owner.get(f"/organize/p/{SLUG}")).text, "until it is confirmed"
    client.get(confirm_path(installation))
    confirm(installation, ADDRESS)
    page = read(owner.get(COMMENTS))
    assert "<b>Freedom</b>" in page.text
    mark = page.one("input", name="comments")["value"]
    answer = send_form(owner, COMMENTS, which="offered", show=mark)
    assert "1 comment is shown now." in read(owner.get(answer.location)).text
    for path in (page_of(), f"{WALL}/comments"):
        assert "<b>Freedom</b> A. S." in read(client.get(path)).text
    send_form(owner, f"{COMMENTS}?state=shown", COMMENTS, which="shown", refuse="chosen", comments=mark)
    assert "Freedom" not in read(client.get(page_of())).text
    assert [(action, details) for _, action, details in list_audit(installation)] == [
        ("comments shown", {"comments": 1}),
        ("comments refused", {"comments": 1}),
    ]


def test_a_comment_without_a_tick_and_a_tick_without_a_comment_are_nobodys_to_read(
    app: Flask, installation: Installation
) -> None:
    for fields in ({"comment": "For you."}, {"comment": "", "comment_public": "y"}):
        post(app.test_client(), **fields)
        assert get_signature(installation, ADDRESS).comment_state is CommentState.PRIVATE


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"which": "offered", "show": "chosen"}, 422),
        ({"which": "offered", "show": "x.y"}, 422),
        ({"which": "offered", "show": "7.abc"}, 409),
        ({"which": "private", "show": "7.abc"}, 400),
        ({}, 400),
    ],
)
def test_what_our_page_does_not_send_changes_nothing(
    owner: FlaskClient, installation: Installation, sent: dict[str, str], status: int
) -> None:
    assert send_form(owner, COMMENTS, **sent).status_code == status
    assert list_audit(installation) == []
    assert owner.get(f"{COMMENTS}?state=private").status_code == 404


def test_only_owners_read_comments(app: Flask, installation: Installation) -> None:
    for role in Role:
        client = enroll(app, installation, role, f"{role}@example.org")
        assert client.get(COMMENTS).status_code == (200 if role is Role.OWNER else 403)
