"""Who may send the form: our own page, a person who read it, of these demands; and the form is never lost."""

from datetime import timedelta

import pytest
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
TOO_OLD = "This page was loaded more than a week ago. What you typed is kept. Please press the button again."
CLOCK_CHANGED = (
    "The clock of this server was changed after this page was loaded. What you typed is kept. "
    "Please press the button again."
)
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


@pytest.mark.parametrize("headers", [{}, FROM_HERE], ids=["a browser that says nothing", "a browser of today"])
@pytest.mark.parametrize(
    ("days", "told"), [(6.9, ""), (7.1, TOO_OLD), (800, TOO_OLD), (-0.001, CLOCK_CHANGED), (-300, CLOCK_CHANGED)]
)
def test_a_form_of_another_time_is_told_so_and_the_second_press_works(
    make_sqlite_installation: MakeInstallation, clock: Clock, days: float, told: str, headers: dict[str, str]
) -> None:
    """Older than a week, or loaded before the clock was set back: it is not called very fast, and nobody waits."""
    client = create_app(make_sqlite_installation(form_min_seconds=2)).test_client()
    token = token_of(client)
    clock.turn(timedelta(days=days))
    answer = client.post(page_of(), data={**FILLED_IN, "csrf_token": token}, headers=headers)
    if not told:
        assert answer.status_code == 303
        return
    page = read(answer)
    assert answer.status_code == 422
    problems = [entry.text for entry in page.all("li") if entry.text in {TOO_OLD, CLOCK_CHANGED, FAST, NOT_CHECKED}]
    assert problems == [told]
    again = page.filled_in()
    assert {name: again.get(name) for name in FILLED_IN} == FILLED_IN
    assert client.post(page_of(), data=again, headers=headers).status_code == 303


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
    client = create_app(make_installation(form_min_seconds=5)).test_client()
    token = token_of(client)
    clock.turn(timedelta(seconds=seconds))
    status, told = send(client, FROM_HERE, csrf_token=token)
    assert (status, FAST in told) == ((303, False) if accepted else (422, True))


@pytest.mark.parametrize(
    ("wrong", "pressed"),
    [
        ({"email": "bea@gmial.com"}, {"meant": "bea@gmail.com"}),
        ({"email": "bea@gmial.com"}, {}),
        ({"email": "bea"}, {"email": "bea@example.org"}),
        ({"name": ""}, {"name": "Bea"}),
        ({"consent": ""}, {"consent": "y"}),
    ],
    ids=["the offered address", "the typed address", "a corrected address", "a corrected name", "a tick"],
)
def test_who_corrects_the_form_at_once_is_not_too_fast(
    make_sqlite_installation: MakeInstallation, clock: Clock, wrong: dict[str, str], pressed: dict[str, str]
) -> None:
    """The time counts from the first showing of the form, however often it comes back."""
    client = create_app(make_sqlite_installation(form_min_seconds=5)).test_client()
    token = token_of(client)
    clock.turn(timedelta(seconds=6))
    page = read(client.post(page_of(), data={**FILLED_IN, "csrf_token": token, **wrong}, headers=FROM_HERE))
    assert FAST not in page.text
    assert page.filled_in()["csrf_token"] == token
    assert client.post(page_of(), data={**page.filled_in(), **pressed}, headers=FROM_HERE).status_code == 303


def test_whoever_was_too_fast_waits_for_the_rest_of_the_time(
    make_sqlite_installation: MakeInstallation, clock: Clock
) -> None:
    client = create_app(make_sqlite_installation(form_min_seconds=5)).test_client()
    sent = {**FILLED_IN, "csrf_token": token_of(client)}
    for wait, status in ((3, 422), (1, 422), (2, 303)):
        clock.turn(timedelta(seconds=wait))
        answer = client.post(page_of(), data=sent, headers=FROM_HERE)
        assert answer.status_code == status
        if status == 422:
            sent = read(answer).filled_in()


def test_without_the_token_nobody_knows_how_long_the_page_was_read(
    make_sqlite_installation: MakeInstallation,
) -> None:
    client = create_app(make_sqlite_installation(form_min_seconds=5)).test_client()
    answer = client.post(page_of(), data=FILLED_IN, headers=FROM_HERE)
    assert answer.status_code == 422
    told = read(answer).one("div", role="alert").text
    assert NOT_CHECKED in told
    assert FAST not in told
    assert client.post(page_of(), data=read(answer).filled_in(), headers=FROM_HERE).status_code == 303


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
