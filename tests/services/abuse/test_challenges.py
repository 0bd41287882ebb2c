"""Puzzles: ours, for one petition and an hour, not to be forged, and used up once."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import select

from campaign.crypto.keyring import Keyring
from campaign.crypto.vault import Vault
from campaign.errors import NotOpen
from campaign.installation.wiring import Installation
from campaign.models import Petition, Signature, SpentChallenge
from campaign.periods import CHALLENGE_LASTS
from campaign.services.abuse.challenges import (
    NUMBERS,
    check_puzzle,
    make_puzzle,
    make_question,
    miss,
    read_question,
    spend,
)
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.petitions.lifecycle import close_petition
from campaign.services.petitions.store import get_petition
from campaign.worker import work_once
from tests.conftest import SLUG, START, Clock
from tests.scenes.challenges import solve
from tests.scenes.people import sign_within

MARK = b"m" * 32


@pytest.fixture(scope="module")
def vault() -> Vault:
    return Vault(Keyring.fresh())


@pytest.fixture(scope="module")
def here() -> Petition:
    return Petition(id=1, slug="kazakhstan")


@pytest.fixture(scope="module")
def solved(vault: Vault, here: Petition) -> str:
    return solve(make_puzzle(vault, here, now=START))


def test_a_solved_puzzle_is_accepted_for_an_hour(vault: Vault, here: Petition, solved: str) -> None:
    met = check_puzzle(vault, here, solved, now=START)
    assert met is not None
    assert met[1] == START + CHALLENGE_LASTS
    assert check_puzzle(vault, here, solved, now=START + CHALLENGE_LASTS - timedelta(seconds=1)) == met
    assert check_puzzle(vault, here, solved, now=START + CHALLENGE_LASTS) is None


def test_a_puzzle_is_good_for_its_petition_alone(vault: Vault, solved: str) -> None:
    assert check_puzzle(vault, Petition(id=1, slug="other"), solved, now=START) is None


def test_a_puzzle_of_another_server_is_refused(here: Petition, solved: str) -> None:
    assert check_puzzle(Vault(Keyring.fresh()), here, solved, now=START) is None


def _changed(solved: str, change: Callable[[dict[str, Any]], None]) -> str:
    told = json.loads(base64.b64decode(solved))
    change(told)
    return base64.b64encode(json.dumps(told).encode()).decode()


FORGED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "cheaper": lambda told: told["challenge"]["parameters"].update(cost=1),
    "shorter": lambda told: told["challenge"]["parameters"].update(keyPrefix=""),
    "no mark of the solution": lambda told: told["challenge"]["parameters"].pop("keySignature"),
    "longer": lambda told: told["challenge"]["parameters"]["data"].update(until=2**40),
    "of another petition": lambda told: told["challenge"]["parameters"]["data"].update(petition="other"),
    "without data": lambda told: told["challenge"]["parameters"].pop("data"),
    "not signed": lambda told: told["challenge"].update(signature=None),
    "signed otherwise": lambda told: told["challenge"].update(signature="0" * 64),
    "signed by letters that are none": lambda told: told["challenge"].update(signature="\ud800"),
    "of letters that are none": lambda told: told["challenge"]["parameters"].update(nonce="\ud800"),
    "a wrong number": lambda told: told["solution"].update(derivedKey="00" * 32),
    "no number": lambda told: told["solution"].update(derivedKey=7),
    "no solution": lambda told: told.pop("solution"),
    "no parameters": lambda told: told["challenge"].update(parameters=[]),
}


@pytest.mark.parametrize("forged", FORGED)
def test_a_forged_puzzle_is_refused(vault: Vault, here: Petition, solved: str, forged: str) -> None:
    assert check_puzzle(vault, here, _changed(solved, FORGED[forged]), now=START) is None


@pytest.mark.parametrize("sent", ["", "x", "é", "\ud800", "bnVsbA==", "W10=", "MQ==", "e30=", "A" * 2001, "[" * 1500])
def test_what_is_no_puzzle_is_refused(vault: Vault, here: Petition, sent: str) -> None:
    assert check_puzzle(vault, here, sent, now=START) is None
    assert check_puzzle(vault, here, base64.b64encode(sent.encode(errors="replace")).decode(), now=START) is None


def test_a_puzzle_cannot_be_cheap(vault: Vault, here: Petition) -> None:
    """What it asks for: four thousand rounds for a number, of which there are a thousand."""
    parameters = make_puzzle(vault, here, now=START)["parameters"]
    assert (parameters["algorithm"], parameters["cost"], len(parameters["keyPrefix"])) == ("PBKDF2/SHA-256", 4000, 32)
    assert NUMBERS == 1000


def test_a_question_is_good_for_its_petition_and_an_hour(vault: Vault, here: Petition) -> None:
    token = make_question(vault, here, now=START)
    read = read_question(vault, here, token, now=START + CHALLENGE_LASTS - timedelta(seconds=1))
    assert read is not None
    assert read[1] == START + CHALLENGE_LASTS
    assert read_question(vault, here, token, now=START + CHALLENGE_LASTS) is None
    assert read_question(vault, Petition(id=2, slug="other"), token, now=START) is None
    assert read_question(Vault(Keyring.fresh()), here, token, now=START) is None


@pytest.mark.parametrize("token", ["", "x", ".", "..", "\x00", "é" * 32, "A" * 5000])
def test_a_forged_question_is_refused(vault: Vault, here: Petition, token: str) -> None:
    assert read_question(vault, here, token, now=START) is None


def test_of_two_who_use_one_challenge_at_once_one_signs(installation: Installation) -> None:
    begin, outcomes = Barrier(2), list[bool]()

    def sign(address: str) -> None:
        begin.wait()
        with installation.database.sessions.begin() as session:
            if accepted := spend(session, MARK, installation.now() + CHALLENGE_LASTS):
                sign_within(session, installation, address)
        outcomes.append(accepted)

    threads = [Thread(target=sign, args=(f"{number}@example.org",)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False, True]
    with installation.database.snapshots() as session:
        assert len(session.scalars(select(Signature)).all()) == 1


def test_what_was_not_signed_uses_nothing_up(sqlite_installation: Installation) -> None:
    with sqlite_installation.database.sessions.begin() as session:
        close_petition(session, get_petition(session, SLUG), actor=COMMAND_LINE, now=START)

    def sign() -> None:
        with sqlite_installation.database.sessions.begin() as session:
            assert spend(session, MARK, START + CHALLENGE_LASTS)
            sign_within(session, sqlite_installation, "a@example.org")

    with pytest.raises(NotOpen):
        sign()
    with sqlite_installation.database.sessions.begin() as session:
        assert spend(session, MARK, START + CHALLENGE_LASTS)


def test_the_worker_forgets_what_has_run_out(sqlite_installation: Installation, clock: Clock) -> None:
    def kept() -> int:
        with sqlite_installation.database.snapshots() as session:
            return len(session.scalars(select(SpentChallenge)).all())

    with sqlite_installation.database.sessions.begin() as session:
        assert miss(session, MARK, clock.moment + CHALLENGE_LASTS)
    work_once(sqlite_installation)
    assert kept() == 1
    clock.turn(CHALLENGE_LASTS)
    work_once(sqlite_installation)
    assert kept() == 0
