"""Failed sign-ins in a row: who waits how long, who does not, and that no address is given away by it."""

from collections import Counter
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from campaign.installation.wiring import Installation
from campaign.models import Role
from campaign.periods import FREE_FAILURES, LONGEST_SIGN_IN_WAIT
from campaign.services.organizers.sign_in import TooSoon, begin_attempt, wait_after
from campaign.web.app import create_app
from tests.conftest import Clock
from tests.scenes.organizing import EMAIL, HOME, PASSWORD, enroll, find_organizer, list_trail, send_form, sign_in
from tests.scenes.second_factors import ACCOUNT, SECOND, code_of, set_up_app
from tests.scenes.spellings import KEPT, SPELLINGS
from tests.scenes.visiting import read

NOBODY = "nobody@example.org"


def fail(client: FlaskClient, times: int = FREE_FAILURES, email: str = EMAIL) -> list[int]:
    return [sign_in(client, email, "not the password").status_code for _ in range(times)]


def told(answer: TestResponse) -> tuple[int, str | None, str]:
    """What a page says of an attempt, whoever's address it was."""
    return answer.status_code, answer.headers.get("Retry-After"), read(answer).by_id("content").text


def test_the_wait_doubles_up_to_a_quarter_of_an_hour() -> None:
    waits = [wait_after(failures).total_seconds() for failures in range(18)]
    assert waits == [0, 0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]
    assert wait_after(10**9) == LONGEST_SIGN_IN_WAIT


@pytest.mark.parametrize("email", [EMAIL, EMAIL.upper(), NOBODY])
def test_after_five_failures_each_further_attempt_waits(
    app: Flask, owner: FlaskClient, clock: Clock, email: str
) -> None:
    """In whichever browser, and with the right password too."""
    assert fail(app.test_client(), email=email) == [422] * FREE_FAILURES
    answer = sign_in(app.test_client(), email)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
    assert "Please try again in 2 seconds." in read(answer).text
    for wait in (2, 4, 8):
        clock.turn(timedelta(seconds=wait - 1))
        assert sign_in(app.test_client(), email, "wrong").status_code == 429
        clock.turn(timedelta(seconds=1))
        assert sign_in(app.test_client(), email, "wrong").status_code == 422
    assert "Please try again in 16 seconds." in read(sign_in(app.test_client(), email)).text


@pytest.mark.parametrize("somebody", [True, False])
def test_each_spelling_of_an_address_counts_as_the_same(app: Flask, installation: Installation, somebody: bool) -> None:
    """Also of an address that nobody has: else the second spelling would tell which addresses are organizers'."""
    if somebody:
        enroll(app, installation, Role.VIEWER, KEPT)
    for number, spelled in enumerate(SPELLINGS):
        expected = 422 if number < FREE_FAILURES else 429
        assert sign_in(app.test_client(), spelled, "wrong").status_code == expected, spelled


def test_an_address_that_nobody_has_is_answered_like_one_that_somebody_has(
    app: Flask, owner: FlaskClient, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same words, statuses and headers, and the same work: one argon2 hash, or none while one waits."""
    argon2, work = app.extensions["security"].pwd_context, Counter[str]()
    for name in ("hash", "verify"):
        real = getattr(argon2, name)

        def counted(*arguments: object, real: object = real, **options: object) -> object:
            work["argon2"] += 1
            return real(*arguments, **options)  # type: ignore[operator]

        monkeypatch.setattr(argon2, name, counted)
    for number in range(10):
        seen = []
        for email in (EMAIL, NOBODY, "nobody"):
            work.clear()
            seen.append((*told(sign_in(app.test_client(), email, "wrong")), work["argon2"]))
        assert len(set(seen)) == 1, number
        assert (seen[0][0], seen[0][3]) in {(422, 1), (429, 0)}
        clock.turn(timedelta(seconds=number))


def test_the_failures_outlive_a_restart_and_end_with_a_success(
    app: Flask, installation: Installation, owner: FlaskClient, clock: Clock
) -> None:
    fail(app.test_client())
    again = create_app(installation)
    assert sign_in(again.test_client()).status_code == 429
    clock.turn(timedelta(seconds=2))
    assert sign_in(again.test_client()).status_code == 303
    assert fail(again.test_client(), 4) == [422] * 4


def test_a_stranger_makes_only_strangers_wait(app: Flask, installation: Installation, owner: FlaskClient) -> None:
    """A browser in which the organizer has signed in before is let in, and told the same as ever where it is wrong."""
    send_form(owner, HOME, "/organize/sign-out")
    fail(app.test_client())
    assert sign_in(app.test_client()).status_code == 429
    assert sign_in(owner, password="a slip of the finger").status_code == 422
    assert sign_in(owner).status_code == 303
    assert [action for _, action, _ in list_trail(installation)].count("sign-in slowed") == 2


def test_a_known_browser_in_other_hands_is_a_strangers_after_five_failures(app: Flask, owner: FlaskClient) -> None:
    send_form(owner, HOME, "/organize/sign-out")
    fail(app.test_client())
    assert fail(owner) == [422] * FREE_FAILURES
    assert sign_in(owner).status_code == 429


def test_the_mark_of_a_browser_ends_with_the_sessions(
    app: Flask, installation: Installation, owner: FlaskClient
) -> None:
    send_form(owner, ACCOUNT, f"{ACCOUNT}/sign-out")
    fail(app.test_client())
    assert sign_in(owner).status_code == 429


def test_a_mark_of_another_organizer_or_of_ones_own_making_helps_nobody(app: Flask, owner: FlaskClient) -> None:
    client = app.test_client()
    client.set_cookie("organizer-browser", "bm9ib2R5.aaaa.bbbb", path="/organize")
    fail(client)
    assert sign_in(client).status_code == 429


def test_many_attempts_at_once_are_not_all_the_first(installation: Installation, owner: FlaskClient) -> None:
    """Each is counted before its password is compared, not after."""
    with installation.database.snapshots() as reading:
        organizer_id = find_organizer(reading).id

    def begin() -> None:
        with installation.database.sessions.begin() as session:
            begin_attempt(session, organizer_id, known_browser=False, now=installation.now())

    for _ in range(FREE_FAILURES):
        begin()
    with pytest.raises(TooSoon):
        begin()


def test_codes_are_no_easier_to_guess_than_passwords(
    app: Flask, installation: Installation, owner: FlaskClient, clock: Clock
) -> None:
    """Typing the right password in between starts nothing anew."""
    secret, _ = set_up_app(owner, clock)
    clock.turn(timedelta(minutes=1))
    for _ in range(FREE_FAILURES):
        client = app.test_client()
        assert sign_in(client).status_code == 303
        assert send_form(client, SECOND, code="000000").status_code == 422
    assert send_form(client, SECOND, code=code_of(secret, clock)).status_code == 429
    assert sign_in(app.test_client()).status_code == 429


def test_guessing_at_a_session_left_open_is_slowed_too(owner: FlaskClient) -> None:
    answers = [send_form(owner, "/organize/prove", password="wrong").status_code for _ in range(7)]
    assert answers == [422] * FREE_FAILURES + [429] * 2
    fields = {"old": PASSWORD, "password": "another four quiet words", "again": "another four quiet words"}
    assert send_form(owner, ACCOUNT, f"{ACCOUNT}/password", **fields).status_code == 429


def test_the_account_tells_of_sign_ins_and_of_attempts_beyond_the_fifth(
    app: Flask, installation: Installation, owner: FlaskClient, clock: Clock
) -> None:
    fail(app.test_client())
    clock.turn(timedelta(seconds=2))
    sign_in(app.test_client(), password="wrong")
    sign_in(owner)
    assert list_trail(installation) == [
        (EMAIL, "password changed", {}),
        (EMAIL, "signed in", {"way": "link"}),
        ("somebody", "sign-in slowed", {"failures": 5}),
        ("somebody", "sign-in slowed", {"failures": 6}),
        (EMAIL, "signed in", {"way": "password"}),
    ]
    text = read(owner.get(ACCOUNT)).text
    assert "somebody tried to sign in after five failures in a row or more failures: 6" in text
    assert "signed in with: one-time link" in text
