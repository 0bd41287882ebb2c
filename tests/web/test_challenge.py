"""The challenge before a signature: solved by the browser or answered by a person, accepted once, never in the way."""

import base64
import json
import threading
from datetime import timedelta
from html import unescape

import pytest
from altcha.v1 import Challenge, solve_challenge
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from campaign.models import SpentChallenge
from campaign.services.challenging import LASTS, check_puzzle, forget_spent, make_puzzle, read_question, spend
from campaign.services.petitions import get_petition
from campaign.web import create_app
from campaign.web.questions import Question, plain, question_of
from campaign.wiring import Campaign
from tests.conftest import SLUG, Clock, MakeCampaign
from tests.services.people import list_deliveries
from tests.web.page import Page
from tests.web.visiting import dump, page_of, post, read


@pytest.fixture
def campaign(sqlite_campaign: Campaign) -> Campaign:
    return sqlite_campaign


@pytest.fixture
def app(campaign: Campaign) -> Flask:
    with campaign.database.sessions.begin() as session:
        get_petition(session, SLUG).challenge = True
    return create_app(campaign)


def solve(puzzle: str) -> str:
    """What the script sends."""
    made = json.loads(puzzle)
    solution = solve_challenge(made["challenge"], made["salt"], "SHA-256", made["maxNumber"])
    assert solution is not None
    told = {key: made[key] for key in ("algorithm", "challenge", "salt", "signature")}
    return base64.b64encode(json.dumps({**told, "number": solution.number}).encode()).decode()


def asked(page: Page) -> tuple[str, str]:
    """The puzzle of a page and the token of its question."""
    return unescape(page.by_id("puzzle")["data-puzzle"]), page.one("input", name="question")["value"]


def answer_of(app: Flask, campaign: Campaign, token: str, lang: str = "en") -> str:
    kept = read_question(campaign.vault, token, now=campaign.now())
    assert kept is not None
    with app.test_request_context(page_of(lang)):
        app.preprocess_request()
        return min(question_of(kept[0]).answers)


def test_without_an_answer_nothing_is_signed_and_the_form_is_kept(app: Flask, campaign: Campaign) -> None:
    before = dump(campaign)
    answer = post(app.test_client())
    assert answer.status_code == 422
    page = read(answer)
    assert page.filled_in()["name"] == "Aigerim Serikova"
    assert "answer the question" in page.described("answer")
    assert dump(campaign) == before


def test_a_solved_puzzle_signs_once(app: Flask, campaign: Campaign) -> None:
    client = app.test_client()
    puzzle, token = asked(read(client.get(page_of())))
    solved = solve(puzzle)
    assert post(client, puzzle=solved, question=token).status_code == 303
    again = post(client, email="second@example.org", puzzle=solved, question=token)
    assert again.status_code == 422
    assert asked(read(again))[1] != token
    assert len(list_deliveries(campaign)) == 1


@pytest.mark.parametrize("lang", ["en", "ru", "kk"])
def test_a_plain_answer_signs_once(app: Flask, campaign: Campaign, lang: str) -> None:
    client = app.test_client()
    _, token = asked(read(client.get(page_of(lang))))
    right = f" {answer_of(app, campaign, token, lang).upper()}. "
    assert post(client, lang=lang, question=token, answer=right).status_code == 303
    assert post(client, lang=lang, email="second@example.org", question=token, answer=right).status_code == 422
    assert len(list_deliveries(campaign)) == 1


def test_a_question_has_three_tries(app: Flask, campaign: Campaign) -> None:
    client = app.test_client()
    _, token = asked(read(client.get(page_of())))
    tokens = [asked(read(post(client, question=token, answer="nonsense")))[1] for _ in range(3)]
    assert tokens[:2] == [token, token]
    assert tokens[2] != token
    right = answer_of(app, campaign, token)
    assert post(client, question=token, answer=right).status_code == 422


def test_what_is_too_old_or_not_ours_is_refused(app: Flask, campaign: Campaign, clock: Clock) -> None:
    client = app.test_client()
    puzzle, token = asked(read(client.get(page_of())))
    solved, right = solve(puzzle), answer_of(app, campaign, token)
    told = json.loads(base64.b64decode(solved))
    for change in ({"signature": "0" * 64}, {"salt": "x"}, {"number": "1"}, {"algorithm": "SHA-1"}, {"challenge": 1}):
        forged = base64.b64encode(json.dumps({**told, **change}).encode()).decode()
        assert check_puzzle(campaign.vault, forged, now=campaign.now()) is None
    for odd in ("", "é", "e30=", "W10=", base64.b64encode(b"[" * 1000).decode(), "MQ==", "x" * 5000):
        assert check_puzzle(campaign.vault, odd, now=campaign.now()) is None
        assert post(client, puzzle=odd, question=odd, answer=right).status_code == 422
    clock.turn(LASTS)
    assert post(client, puzzle=solved, question=token, answer=right).status_code == 422
    assert list_deliveries(campaign) == []


def test_of_two_at_once_one_is_accepted(make_campaign: MakeCampaign) -> None:
    installation = make_campaign()
    ready = threading.Barrier(2)
    accepted: list[bool] = []

    def use() -> None:
        ready.wait()
        with installation.database.sessions.begin() as session:
            accepted.append(spend(session, b"m" * 32, installation.now() + LASTS))

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(accepted) == [False, True]
    with installation.database.sessions.begin() as session:
        forget_spent(session, now=installation.now() + LASTS - timedelta(seconds=1))
        assert len(session.scalars(select(SpentChallenge)).all()) == 1
        forget_spent(session, now=installation.now() + LASTS)
        assert session.scalars(select(SpentChallenge)).all() == []


def test_only_a_page_with_a_challenge_may_run_our_script(app: Flask, campaign: Campaign) -> None:
    def policy(answer: TestResponse) -> str:
        return answer.headers["Content-Security-Policy"]

    client = app.test_client()
    assert "script-src 'self'" in policy(client.get(page_of()))
    assert "script-src" not in policy(client.get(page_of() + "/updates"))
    with campaign.database.sessions.begin() as session:
        get_petition(session, SLUG).challenge = False
    plain = client.get(page_of())
    assert "script-src" not in policy(plain)
    assert b"<script" not in plain.data
    assert b'name="answer"' not in plain.data


def test_a_puzzle_is_what_altcha_clients_read(campaign: Campaign) -> None:
    made = json.loads(make_puzzle(campaign.vault, now=campaign.now()))
    assert set(made) == {"algorithm", "challenge", "maxNumber", "salt", "signature"}
    again = Challenge(made["algorithm"], made["challenge"], made["maxNumber"], made["salt"], made["signature"])
    assert again.to_dict() == made


@pytest.mark.parametrize(
    ("right", "typed"), [("чёрный", " Черный. "), ("жёлтый", "ЖЕЛТЫЙ"), ("қызыл", "кызыл"), ("бүркіт", "буркит")]
)
def test_a_word_is_taken_as_a_keyboard_without_its_letters_writes_it(right: str, typed: str) -> None:
    assert Question("", frozenset({plain(right)})).is_answered_by(typed)
