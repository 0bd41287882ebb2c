"""What a flooded petition asks before a signature: on the page, in the form that is sent, on the organizers' page."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from campaign.i18n import Language
from campaign.installation.wiring import Installation
from campaign.models import Signature, SpentChallenge
from campaign.periods import CHALLENGE_LASTS
from campaign.run.supervisor import BUILT_IN
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.petitions.file_reader import read_petition_file
from campaign.services.petitions.lifecycle import close_petition, open_petition
from campaign.services.petitions.store import get_petition, load_petition
from campaign.web.app import create_app
from campaign.web.public.challenge import ANOTHER, UNSOLVED, USED_UP, WRONG
from campaign.web.public.questions import Question, plain
from tests.conftest import SLUG, START, Clock, MakeInstallation
from tests.scenes.challenges import right, solve, token_in, turn
from tests.scenes.commands import Command
from tests.scenes.organizing import EMAIL, list_audit, send_form, token_of
from tests.scenes.page import Page
from tests.scenes.people import find_petition
from tests.scenes.visiting import FILLED_IN, page_of, post, read

PUZZLE = f"/p/{SLUG}/challenge.json"
NUMBERS = f"/organize/p/{SLUG}"
REVIEW = f"{NUMBERS}/review"
SWITCH = f"{NUMBERS}/challenge"


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough for pages: the services are tested on both."""
    return sqlite_installation


@pytest.fixture
def client(app: Flask, installation: Installation) -> FlaskClient:
    """A visitor of a petition that asks."""
    turn(installation, on=True)
    return app.test_client()


def signed(installation: Installation) -> int:
    with installation.database.snapshots() as session:
        return len(session.scalars(select(Signature)).all())


def spent(installation: Installation) -> int:
    with installation.database.snapshots() as session:
        return len(session.scalars(select(SpentChallenge)).all())


def refused(answer: TestResponse, sentence: str, lang: str = "en") -> Page:
    """The page says what is wrong with the answer, beside it and on top, and has kept everything typed."""
    assert answer.status_code == 422
    page = read(answer)
    told = Language(lang).gettext(sentence)
    assert page.by_id("answer-error").text == told
    assert told in page.one("div", role="alert").text
    assert page.one("a", href="#answer").text == told
    assert {name: page.filled_in().get(name) for name in FILLED_IN} == FILLED_IN
    return page


def test_while_it_is_off_the_form_is_as_it_was(app: Flask) -> None:
    answer = app.test_client().get(page_of())
    page = read(answer)
    assert answer.cache_control.public
    assert [urlsplit(script["src"]).path for script in page.all("script")] == ["/static/count.js", "/static/share.js"]
    assert not {"question", "answer", "puzzle"} & set(page.filled_in())
    assert post(app.test_client()).status_code == 303


def test_while_it_is_off_whatever_is_sent_along_is_left_alone(app: Flask, installation: Installation) -> None:
    assert post(app.test_client(), puzzle="x", question="y", answer="z").status_code == 303
    assert spent(installation) == 0


@pytest.mark.parametrize("lang", ["en", "ru", "kk"])
def test_the_page_asks_a_question_that_a_screen_reader_reads_out(client: FlaskClient, lang: str) -> None:
    answer = client.get(page_of(lang))
    page = read(answer)
    assert page.one("label", **{"for": "answer"}).text
    assert page.described("answer")
    assert "hidden" not in page.by_id("question").attributes
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Content-Security-Policy"].endswith("; script-src 'self'; connect-src 'self'")
    assert [urlsplit(script["src"]).path for script in page.all("script")] == [
        "/static/count.js",
        "/static/challenge.js",
        "/static/share.js",
    ]


@pytest.mark.parametrize("lang", ["en", "ru", "kk"])
def test_who_answers_signs(client: FlaskClient, installation: Installation, lang: str) -> None:
    token = token_in(read(client.get(page_of(lang))))
    answered = right(installation, token, lang).upper()
    assert post(client, lang=lang, question=token, answer=answered).status_code == 303
    assert (signed(installation), spent(installation)) == (1, 1)


def test_without_an_answer_nobody_signs_and_nothing_typed_is_lost(
    client: FlaskClient, installation: Installation
) -> None:
    """Also who opened the page before it was switched on."""
    page = refused(post(client), UNSOLVED)
    token = token_in(page)
    assert (signed(installation), spent(installation)) == (0, 0)
    assert post(client, question=token, answer=right(installation, token)).status_code == 303


def test_a_wrong_answer_can_be_corrected(client: FlaskClient, installation: Installation) -> None:
    page = read(client.get(page_of()))
    again = refused(post(client, question=token_in(page), answer="wrong"), WRONG)
    assert token_in(again) == token_in(page)
    assert again.one("label", **{"for": "answer"}).text == page.one("label", **{"for": "answer"}).text
    assert again.by_id("answer")["value"] == "wrong"
    assert again.by_id("answer")["aria-invalid"] == "true"
    assert "data-by-hand" in again.by_id("challenge").attributes
    token = token_in(again)
    assert post(client, question=token, answer=right(installation, token)).status_code == 303


def test_after_three_wrong_answers_there_is_another_question(client: FlaskClient, installation: Installation) -> None:
    token = token_in(read(client.get(page_of())))
    for sentence in (WRONG, WRONG):
        assert token_in(refused(post(client, question=token, answer="wrong"), sentence)) == token
    page = refused(post(client, question=token, answer="wrong"), ANOTHER)
    assert token_in(page) != token
    assert page.by_id("answer")["value"] == ""
    refused(post(client, question=token, answer=right(installation, token)), USED_UP)
    assert signed(installation) == 0


def test_an_answer_is_taken_once(client: FlaskClient, installation: Installation) -> None:
    token = token_in(read(client.get(page_of())))
    answered = right(installation, token)
    assert post(client, question=token, answer=answered).status_code == 303
    page = refused(post(client, question=token, answer=answered), USED_UP)
    assert token_in(page) != token
    assert signed(installation) == 1


def test_an_answer_that_is_too_old_is_asked_for_again(
    client: FlaskClient, installation: Installation, clock: Clock
) -> None:
    token = token_in(read(client.get(page_of())))
    clock.turn(CHALLENGE_LASTS)
    refused(post(client, question=token, answer=right(installation, token)), USED_UP)


def test_a_mistake_elsewhere_costs_no_answer(client: FlaskClient, installation: Installation) -> None:
    """Neither a right one nor a wrong one, and it need not be typed again."""
    token = token_in(read(client.get(page_of())))
    for typed in (right(installation, token), "wrong", "wrong", "wrong", "wrong", right(installation, token)):
        page = read(post(client, question=token, answer=typed, email="nobody"))
        sent = page.filled_in()
        assert (sent["question"], sent["answer"]) == (token, typed)
        assert "answer-error" not in {element["id"] for element in page.elements}
    assert spent(installation) == 0
    assert post(client, question=token, answer=right(installation, token)).status_code == 303


def test_a_solved_puzzle_signs_once(client: FlaskClient, installation: Installation, clock: Clock) -> None:
    """As a script sends it; a mistake elsewhere does not use it up, nor does it have to be solved again."""
    page = read(client.get(page_of()))
    answer = client.get(page.by_id("challenge")["data-puzzle"])
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in answer.headers
    solved = solve(answer.get_json())
    again = read(post(client, puzzle=solved, email="nobody"))
    assert again.by_id("puzzle")["value"] == solved
    assert "data-by-hand" not in again.by_id("challenge").attributes
    assert spent(installation) == 0
    assert post(client, puzzle=solved).status_code == 303
    used = refused(post(client, puzzle=solved), USED_UP)
    assert used.by_id("puzzle")["value"] == ""
    assert "data-by-hand" in used.by_id("challenge").attributes
    assert signed(installation) == 1


def test_a_puzzle_that_is_not_right_leaves_the_question(
    client: FlaskClient, installation: Installation, clock: Clock
) -> None:
    solved = solve(client.get(PUZZLE).get_json())
    clock.turn(CHALLENGE_LASTS)
    page = refused(post(client, puzzle=solved), UNSOLVED)
    assert page.by_id("puzzle")["value"] == ""
    token = token_in(page)
    assert post(client, puzzle=solved, question=token, answer=right(installation, token)).status_code == 303


def test_who_asks_for_a_puzzle_leaves_no_trace(client: FlaskClient, installation: Installation) -> None:
    first, second = (client.get(PUZZLE).get_json() for _ in range(2))
    assert first["signature"] != second["signature"]
    assert spent(installation) == 0


def test_there_is_no_puzzle_where_none_is_asked_for(app: Flask, installation: Installation) -> None:
    client = app.test_client()
    assert client.get(PUZZLE).get_json() == {}
    assert client.get("/p/unknown/challenge.json").status_code == 404
    turn(installation, on=True)
    with installation.database.sessions.begin() as session:
        close_petition(session, get_petition(session, SLUG), actor=COMMAND_LINE, now=START)
    assert client.get(PUZZLE).get_json() == {}
    scripts = [urlsplit(script["src"]).path for script in read(client.get(page_of())).all("script")]
    assert scripts == ["/static/share.js"]


def test_too_many_from_one_place_are_told_so_before_an_answer_is_looked_at(
    make_sqlite_installation: MakeInstallation,
) -> None:
    installation = make_sqlite_installation(source_limit="1/hour")
    turn(installation, on=True)
    client = create_app(installation).test_client()
    token = token_in(read(client.get(page_of())))
    refused(post(client, question=token, answer="wrong"), WRONG)
    assert post(client, question=token, answer="wrong").status_code == 429
    assert spent(installation) == 1


def test_an_owner_switches_it_and_each_change_is_recorded_once(installation: Installation, owner: FlaskClient) -> None:
    assert "Switch it on" in read(owner.get(REVIEW)).text
    answer = send_form(owner, REVIEW, SWITCH, challenge="on")
    assert (answer.status_code, answer.location) == (303, f"{REVIEW}#challenge")
    assert find_petition(installation).challenge
    send_form(owner, REVIEW, SWITCH, challenge="on")
    assert list_audit(installation) == [(EMAIL, "challenge switched on", {})]
    assert "Switch it off" in read(owner.get(REVIEW)).text
    send_form(owner, REVIEW, SWITCH, challenge="off")
    assert not find_petition(installation).challenge
    assert [action for _, action, _ in list_audit(installation)] == ["challenge switched on", "challenge switched off"]


@pytest.mark.parametrize("wanted", ["", "yes", "ON"])
def test_a_switch_knows_two_ways(installation: Installation, owner: FlaskClient, wanted: str) -> None:
    turn(installation, on=True)
    fields = {"csrf_token": token_of(owner, REVIEW), "challenge": wanted}
    assert owner.post(SWITCH, data=fields).status_code == 400
    assert find_petition(installation).challenge


@pytest.mark.parametrize("told", [True, False, None])
def test_the_file_says_how_a_new_petition_begins(installation: Installation, told: bool | None) -> None:
    file = read_petition_file(BUILT_IN).model_copy(update={"slug": "new", "challenge": told})
    with installation.database.sessions.begin() as session:
        open_petition(
            session, load_petition(session, file, actor=COMMAND_LINE, now=START), actor=COMMAND_LINE, now=START
        )
    assert find_petition(installation, "new").challenge is bool(told)


def test_loading_a_file_again_does_not_undo_what_an_owner_switched(
    installed: Installation, command: Command, tmp_path: Path
) -> None:
    mine, words = tmp_path / "mine.toml", BUILT_IN.read_text(encoding="utf-8")
    asks = words.replace('slug = "kazakhstan"', 'slug = "mine"\nchallenge = true')
    mine.write_text(asks, encoding="utf-8")
    assert "challenge" not in command("petition", "load", str(mine)).out
    assert find_petition(installed, "mine").challenge
    mine.write_text(asks.replace("challenge = true", "challenge = false"), encoding="utf-8")
    again = command("petition", "load", str(mine))
    assert (again.status, again.err) == (0, "")
    assert "The challenge before signing stays on: only an owner can switch it" in again.out
    assert find_petition(installed, "mine").challenge


@pytest.mark.parametrize(
    ("right", "typed"), [("чёрный", " Черный. "), ("жёлтый", "ЖЕЛТЫЙ"), ("қызыл", "кызыл"), ("бүркіт", "буркит")]
)
def test_a_word_is_taken_as_a_keyboard_without_its_letters_writes_it(right: str, typed: str) -> None:
    assert Question("", frozenset({plain(right)})).is_answered_by(typed)
