"""Second factors of organizers: an app's codes, recovery codes, and what happens to sessions when they change."""

import re
from datetime import timedelta
from io import BytesIO
from itertools import product

import pytest
import segno
from flask import Flask
from flask.testing import FlaskClient

from campaign.crypto.totp import STEP
from campaign.installation.wiring import Installation
from campaign.models import Passkey, Role
from campaign.services.organizers.second_factors import open_secret
from tests.conftest import SLUG, START, Clock
from tests.scenes.organizing import (
    EMAIL,
    HOME,
    PASSWORD,
    SIGN_IN,
    enroll,
    find_organizer,
    invite,
    list_trail,
    send_form,
    sign_in,
    token_of,
)
from tests.scenes.second_factors import ACCOUNT, APP, SECOND, code_of, set_up_app, shown_secret
from tests.scenes.visiting import dump, read


def squares(path: str) -> list[list[int]]:
    """The dark squares of a QR code that is drawn row by row."""
    x, y, dark = 0, 0, set[tuple[int, int]]()
    for how, first, second in re.findall(r"([Mmh])(-?[\d.]+) ?(-?[\d.]+)?", path):
        if how == "h":
            dark |= {(y, column) for column in range(x, x + int(first))}
        if how == "M":
            x = y = 0
        x += int(first)
        y += int(float(second or 0))
    side = max(column for _, column in dark) + 1
    return [[int((row, column) in dark) for column in range(side)] for row in range(side)]


def is_in(client: FlaskClient) -> bool:
    return client.get(HOME).status_code == 200


def second_step(client: FlaskClient, code: str) -> int:
    return send_form(client, SECOND, code=code).status_code


def test_an_app_is_set_up_with_the_key_that_the_page_shows(
    installation: Installation, owner: FlaskClient, clock: Clock
) -> None:
    page = read(owner.get(APP))
    secret = shown_secret(page)
    link = next(at for tag, at in page.addresses() if at.startswith("otpauth:"))
    assert link == (
        f"otpauth://totp/127.0.0.1:{EMAIL.replace('@', '%40')}?digits=6&secret="
        f"{page.by_id('secret').text.replace(' ', '')}&algorithm=SHA1&issuer=127.0.0.1&period=30"
    )
    (picture,) = page.all("path", **{"class": "qrline"})
    assert squares(picture["d"]) == [list(row) for row in segno.make(link, error="m", micro=False).matrix]
    before = dump(installation)
    wrong = owner.post(APP, data={**page.filled_in(), "code": "000000"})
    assert wrong.status_code == 422
    assert shown_secret(read(wrong)) == secret  # the app need not be set up anew
    assert dump(installation) == before
    secret, codes = set_up_app(owner, clock)
    assert len(set(codes)) == 10
    assert is_in(owner)
    with installation.database.snapshots() as session:
        organizer = find_organizer(session)
        assert organizer.sealed_totp is not None
        assert secret not in organizer.sealed_totp
        assert open_secret(organizer.id, installation.vault, organizer.sealed_totp) == secret
        assert not {code for code in codes if code in str(organizer.recovery_codes)}
    assert list_trail(installation)[-1][:2] == (EMAIL, "app added")
    assert "10 / 10" in read(owner.get(ACCOUNT)).text


def test_a_key_of_another_account_is_refused(
    app: Flask, installation: Installation, owner: FlaskClient, clock: Clock
) -> None:
    """Nor is one of one's own making, of which others could know."""
    other = enroll(app, installation, Role.VIEWER, "other@example.org")
    page = read(other.get(APP))
    sealed, code = page.filled_in()["secret"], code_of(shown_secret(page), clock)
    for secret in (sealed, "", "AAAA", "%%%", "ключ"):
        assert send_form(owner, APP, secret=secret, code=code).status_code == 400
    assert len(list_trail(installation)) == 2


def test_the_password_alone_is_half_the_way(app: Flask, owner: FlaskClient, clock: Clock) -> None:
    secret, _ = set_up_app(owner, clock)
    client = app.test_client()
    answer = sign_in(client, next=f"/organize/p/{SLUG}")
    assert (answer.status_code, answer.location) == (303, SECOND)
    assert not is_in(client)
    assert send_form(client, SECOND, code="123456").status_code == 422
    assert not is_in(client)
    clock.turn(timedelta(seconds=STEP))
    answer = send_form(client, SECOND, code=code_of(secret, clock))
    assert (answer.status_code, answer.location) == (303, f"/organize/p/{SLUG}")
    assert is_in(client)


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_clock_may_be_half_a_minute_off(app: Flask, owner: FlaskClient, clock: Clock, steps: int) -> None:
    secret, _ = set_up_app(owner, clock)
    clock.turn(timedelta(minutes=5))
    client = app.test_client()
    sign_in(client)
    assert second_step(client, code_of(secret, clock, steps=2 * steps) if steps else "000000") == 422
    assert second_step(client, code_of(secret, clock, steps=steps)) == 303


def test_no_code_works_twice(app: Flask, owner: FlaskClient, clock: Clock) -> None:
    """Nor one that is older than the last; nor the one with which the app was set up."""
    secret, _ = set_up_app(owner, clock)
    first, second, third = app.test_client(), app.test_client(), app.test_client()
    sign_in(first)
    assert second_step(first, code_of(secret, clock)) == 422
    clock.turn(timedelta(minutes=1))
    assert second_step(first, code_of(secret, clock)) == 303
    for client, steps in ((second, 0), (third, -1)):
        sign_in(client)
        assert second_step(client, code_of(secret, clock, steps=steps)) == 422
        assert not is_in(client)


def test_each_recovery_code_works_once(
    app: Flask, installation: Installation, owner: FlaskClient, clock: Clock
) -> None:
    """However it is typed; the account says how many are left."""
    _, codes = set_up_app(owner, clock)
    typed = codes[3].upper().replace("-", " ").replace("0", "O")
    client, again = app.test_client(), app.test_client()
    sign_in(client)
    assert second_step(client, typed) == 303
    assert "9 / 10" in read(client.get(ACCOUNT)).text
    assert list_trail(installation)[-1] == (EMAIL, "signed in", {"way": "password + recovery code"})
    sign_in(again)
    assert second_step(again, typed) == 422
    assert not is_in(again)


def test_new_recovery_codes_end_the_old_ones(app: Flask, owner: FlaskClient, clock: Clock) -> None:
    _, old = set_up_app(owner, clock)
    new = [code.text for code in read(send_form(owner, ACCOUNT, f"{APP}/codes")).all("code")]
    assert not set(old) & set(new)
    client = app.test_client()
    sign_in(client)
    assert second_step(client, old[0]) == 422
    assert second_step(client, new[0]) == 303


def test_half_the_way_is_open_for_ten_minutes(app: Flask, owner: FlaskClient, clock: Clock) -> None:
    secret, _ = set_up_app(owner, clock)
    client = app.test_client()
    sign_in(client)
    token = token_of(client, SECOND)
    clock.turn(timedelta(minutes=10))
    answer = client.post(SECOND, data={"csrf_token": token, "code": code_of(secret, clock)})
    assert (answer.status_code, answer.location) == (303, SIGN_IN)
    assert not is_in(client)


def test_a_new_link_does_not_go_round_the_second_factor(
    app: Flask, installation: Installation, owner: FlaskClient, clock: Clock
) -> None:
    secret, _ = set_up_app(owner, clock)
    client = app.test_client()
    answer = send_form(client, invite(installation, Role.OWNER), password=PASSWORD, again=PASSWORD)
    assert answer.location == SECOND
    assert not is_in(client)
    clock.turn(timedelta(minutes=1))
    assert second_step(client, code_of(secret, clock)) == 303


def test_changing_what_one_signs_in_with_ends_every_other_session(app: Flask, owner: FlaskClient, clock: Clock) -> None:
    others = [app.test_client() for _ in range(3)]
    sign_in(others[0])
    set_up_app(owner, clock)
    assert (is_in(others[0]), is_in(owner)) == (False, True)
    assert send_form(owner, ACCOUNT, f"{APP}/remove").status_code == 303
    sign_in(others[1])
    fields = {"old": PASSWORD, "password": "another four quiet words", "again": "another four quiet words"}
    assert send_form(owner, ACCOUNT, f"{ACCOUNT}/password", **fields).status_code == 303
    assert (is_in(others[1]), is_in(owner)) == (False, True)
    sign_in(others[2], password="another four quiet words")
    assert send_form(owner, ACCOUNT, f"{ACCOUNT}/sign-out").location == SIGN_IN
    assert (is_in(others[2]), is_in(owner)) == (False, False)


def test_without_a_second_factor_no_recovery_code_is_left(
    installation: Installation, owner: FlaskClient, clock: Clock
) -> None:
    set_up_app(owner, clock)
    assert send_form(owner, ACCOUNT, f"{APP}/remove").status_code == 303
    with installation.database.snapshots() as session:
        organizer = find_organizer(session)
        assert (organizer.sealed_totp, organizer.totp_step, organizer.recovery_codes) == (None, None, [])
    assert read(send_form(owner, ACCOUNT, f"{ACCOUNT}/password")).by_id("password")["aria-invalid"] == "true"
    assert [action for _, action, _ in list_trail(installation)][-2:] == ["app added", "app removed"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("wrong", "another four quiet words", "old"),
        (PASSWORD, "short", "password"),
        (PASSWORD, "dana@example.org", "password"),
        (PASSWORD, "dana@example.org2026!", "password"),
        (PASSWORD, "password12345", "password"),
        (PASSWORD, "P@ssw0rd!2026", "password"),
        (PASSWORD, "aaaaaaaaaaaaaaa", "password"),
        (PASSWORD, "qwertyuiop123456", "password"),
        (PASSWORD, "correct horse battery staple", "password"),
        (PASSWORD, "йцукенгшщзхъ", "password"),
    ],
)
def test_the_old_password_is_asked_for_and_what_everybody_tries_is_refused(
    installation: Installation, owner: FlaskClient, old: str, new: str, told: str
) -> None:
    with installation.database.snapshots() as session:
        before = find_organizer(session).password_hash
    answer = send_form(owner, ACCOUNT, f"{ACCOUNT}/password", old=old, password=new, again=new)
    assert answer.status_code == 422
    assert read(answer).by_id(told)["aria-invalid"] == "true"
    with installation.database.snapshots() as session:
        assert find_organizer(session).password_hash == before


def test_what_no_browser_answers_for_a_passkey_is_refused(installation: Installation, owner: FlaskClient) -> None:
    asked = {**read(owner.get(f"{ACCOUNT}/passkeys")).filled_in(), "name": "my phone"}
    answers = ["", "{}", "[]", "null", "{", "[" * 5000, '{"id": "AAAA", "rawId": "AAAA"}', "\0"]
    before = dump(installation)
    for answer, challenge in product(answers, (asked["challenge"], "", "e30.x.y")):
        refused = owner.post(f"{ACCOUNT}/passkeys", data={**asked, "passkey": answer, "challenge": challenge})
        assert refused.status_code == 422, answer
        assert "The passkey was not kept" in read(refused).text
    assert dump(installation) == before


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\0b", "\u202e\u200b"])
def test_a_passkey_has_a_name(owner: FlaskClient, name: str) -> None:
    page = read(owner.get(f"{ACCOUNT}/passkeys"))
    refused = owner.post(f"{ACCOUNT}/passkeys", data={**page.filled_in(), "name": name})
    assert refused.status_code == 422
    assert read(refused).by_id("name")["aria-invalid"] == "true"


def test_a_file_is_no_name(owner: FlaskClient) -> None:
    page = read(owner.get(f"{ACCOUNT}/passkeys"))
    fields = {**page.filled_in(), "name": (BytesIO(b"key"), "key.txt")}
    refused = owner.post(f"{ACCOUNT}/passkeys", data=fields, content_type="multipart/form-data")
    assert refused.status_code == 422
    assert read(refused).by_id("name")["aria-invalid"] == "true"


def test_nobody_renames_or_removes_a_passkey_of_others(
    app: Flask, installation: Installation, owner: FlaskClient
) -> None:
    with installation.database.sessions.begin() as session:
        kept = Passkey(
            credential_id=b"1", public_key=b"1", sign_count=0, name="hers", transports=[], added_on=START.date()
        )
        organizer = find_organizer(session)
        organizer.passkeys.append(kept)
    other = enroll(app, installation, Role.OWNER, "other@example.org")
    for step in ("name", "remove"):
        assert send_form(other, ACCOUNT, f"{ACCOUNT}/passkeys/{kept.id}/{step}", name="mine").status_code == 404
    with installation.database.snapshots() as session:
        assert [each.name for each in find_organizer(session).passkeys] == ["hers"]
    assert send_form(owner, ACCOUNT, f"{ACCOUNT}/passkeys/{kept.id}/name", name=" my  key ").status_code == 303
    with installation.database.snapshots() as session:
        assert [each.name for each in find_organizer(session).passkeys] == ["my key"]
