"""The puzzle and the question that a form may ask, and their right answers."""

from typing import Any

from altcha import Challenge, Payload, solve_challenge

from campaign.installation.wiring import Installation
from campaign.services.abuse.challenges import read_question
from campaign.services.petitions.lifecycle import switch_challenge
from campaign.web.app import create_app
from campaign.web.public.questions import question_of
from tests.conftest import STAGE, START
from tests.scenes.page import Page
from tests.scenes.people import find_petition
from tests.scenes.visiting import page_of


def solve(puzzle: dict[str, Any]) -> str:
    """What a client of ALTCHA sends back."""
    challenge = Challenge.from_dict(puzzle)
    solution = solve_challenge(challenge)
    assert solution is not None
    return Payload(challenge, solution).to_base64()


def turn(installation: Installation, *, on: bool) -> None:
    with installation.database.sessions.begin() as session:
        switch_challenge(session, find_petition(installation).id, on=on, actor=STAGE, now=installation.now())


def token_in(page: Page) -> str:
    return page.one("input", name="question")["value"]


def right(installation: Installation, token: str, lang: str = "en") -> str:
    """The answer, in a word where there is one, which a person reads out of the question."""
    read = read_question(installation.vault, find_petition(installation), token, now=START)
    assert read is not None
    app = create_app(installation)
    with app.test_request_context(page_of(lang)):
        app.preprocess_request()
        return max(question_of(read[0]).answers, key=len)
