"""Who may send the form: our own page, a person who read it, of these demands; and the form is never lost."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from campaign.installation.wiring import Installation
from campaign.run.supervisor import BUILT_IN
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.petitions.file_reader import read_petition_file
from campaign.services.petitions.store import load_petition
from campaign.web.app import create_app
from tests.conftest import Clock, MakeInstallation
from tests.scenes.people import list_deliveries
from tests.scenes.visiting import FILLED_IN, FROM_HERE, dump, page_of, read

TOKEN = "the token from the page"
NOT_CHECKED = "The form could not be checked. Please send it again."
FAST = "That was very fast. Please wait a moment and press the button again."
CHANGED = "The demands were changed while you were reading. Please read them once more, then sign."


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough for pages: the services are tested on both."""
    return sqlite_installation


def send(client: FlaskClient, headers: dict[str, str], *, token: bool = False, **fields: str) -> tuple[int, str]:
    """Send the filled-in form; the status, and what is said on top of the form if it comes back."""
    data = {**FILLED_IN, **fields}
    if token:
        data["csrf_token"] = token_of(client)
    answer = client.post(page_of(), data=data, headers=headers)
    if answer.status_code == 303:
        return 303, ""
    page = read(answer)
    kept = page.filled_in()
    assert {name: kept.get(name) for name in FILLED_IN} == FILLED_IN
    return answer.status_code, page.one("div", role="alert").text


def token_of(client: FlaskClient) -> str:
    return read(client.get(page_of())).one("input", name="csrf_token")["value"]


@pytest.mark.parametrize("token", [False, True], ids=["without the token", "with the token"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"},
        {"Origin": "http://localhost"},
        {"Origin": "http://127.0.0.1:8000"},  # the base address, as behind a proxy
    ],
)
def test_a_browser_that_says_the_form_is_ours_is_believed(
    app: Flask, installation: Installation, headers: dict[str, str], token: bool
) -> None:
    assert send(app.test_client(), headers, token=token) == (303, "")
    assert len(list_deliveries(installation)) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "https://localhost.elsewhere.example"},
        {"Origin": "http://localhost:81"},
        {"Origin": "null"},
        {},
    ],
)
def test_without_the_token_another_site_is_refused_and_the_form_is_kept(
    app: Flask, installation: Installation, headers: dict[str, str]
) -> None:
    before = dump(installation)
    status, told = send(app.test_client(), headers)
    assert status == 422
    assert NOT_CHECKED in told
    assert dump(installation) == before


@pytest.mark.parametrize("headers", [{}, {"Origin": "null"}])
def test_a_browser_that_says_nothing_sends_the_token_back(
    app: Flask, installation: Installation, headers: dict[str, str]
) -> None:
    assert send(app.test_client(), headers, token=True) == (303, "")
    assert len(list_deliveries(installation)) == 1


@pytest.mark.parametrize("token", ["", "x", "é" * 50, "IiI.aaaa.bbbb"])
def test_a_token_that_is_not_ours_proves_nothing(app: Flask, token: str) -> None:
    status, told = send(app.test_client(), {}, csrf_token=token)
    assert (status, NOT_CHECKED in told) == (422, True)


@pytest.mark.parametrize(("days", "accepted"), [(6.9, True), (7.1, False)])
def test_the_token_is_good_for_a_week(app: Flask, days: float, accepted: bool) -> None:
    client = app.test_client()
    made = datetime(2026, 11, 23, 7, tzinfo=UTC)
    with time_machine.travel(made, tick=False) as travel:
        token = token_of(client)
        travel.shift(timedelta(days=days))
        status, _ = send(client, {}, csrf_token=token)
    assert status == (303 if accepted else 422)


def test_a_refused_form_can_be_sent_again_from_the_page_that_came_back(app: Flask, installation: Installation) -> None:
    client = app.test_client()
    page = read(client.post(page_of(), data=FILLED_IN, headers={"Sec-Fetch-Site": "cross-site"}))
    again = client.post(page_of(), data=page.filled_in(), headers=FROM_HERE)
    assert again.status_code == 303
    assert len(list_deliveries(installation)) == 1


@pytest.mark.parametrize(("seconds", "accepted"), [(0, False), (4, False), (6, True), (3600, True)])
def test_a_form_that_nobody_can_have_read_is_shown_again(
    make_installation: MakeInstallation, clock: Clock, seconds: int, accepted: bool
) -> None:
    installation = make_installation(form_min_seconds=5)
    client = create_app(installation).test_client()
    with time_machine.travel(clock.moment, tick=False):
        token = token_of(client)
    clock.turn(timedelta(seconds=seconds))
    with time_machine.travel(clock.moment, tick=False):
        status, told = send(client, FROM_HERE, csrf_token=token)
    assert (status, FAST in told) == ((303, False) if accepted else (422, True))


def test_without_the_token_nobody_knows_how_long_the_page_was_read(
    make_sqlite_installation: MakeInstallation, clock: Clock
) -> None:
    client = create_app(make_sqlite_installation(form_min_seconds=5)).test_client()
    status, told = send(client, FROM_HERE)
    assert (status, FAST in told) == (422, True)


def test_whoever_read_other_demands_reads_the_new_ones_first(app: Flask, installation: Installation) -> None:
    """A signature is for the demands that its signer saw."""
    client = app.test_client()
    seen = read(client.get(page_of())).one("input", name="text_version")["value"]
    file = read_petition_file(BUILT_IN)
    first = file.demands[0].model_copy(update={"text": {**file.demands[0].text, "en": "All of it must end."}})
    changed = file.model_copy(update={"demands": [first, *file.demands[1:]]})
    with installation.database.sessions.begin() as session:
        load_petition(session, changed, actor=COMMAND_LINE, now=installation.now())
    before = dump(installation)
    answer = client.post(page_of(), data={**FILLED_IN, "text_version": seen}, headers=FROM_HERE)
    page = read(answer)
    assert answer.status_code == 422
    assert CHANGED in page.one("div", role="alert").text
    assert "All of it must end." in page.text
    assert dump(installation) == before
    again = page.filled_in()
    assert {name: again.get(name) for name in FILLED_IN} == FILLED_IN
    assert again["text_version"] != seen
    assert client.post(page_of(), data=again, headers=FROM_HERE).status_code == 303
