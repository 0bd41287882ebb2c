"""Nobody learns from an answer whether an address has signed, or whether an organizer exists: all of it is the same."""

import re
from dataclasses import dataclass

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from campaign.installation.wiring import Installation
from campaign.models import Role, SignatureState, SuppressionReason
from campaign.services.subscribers.suppressions import suppress
from campaign.text.email_address import parse_email_address
from tests.scenes.organizing import EMAIL, SIGN_IN, enroll, send_form
from tests.scenes.people import add_readers, get_signature, sign, withdraw
from tests.scenes.suspects import sign_suspiciously
from tests.scenes.visiting import FROM_HERE, ask_for_link, page_of, post


@dataclass(frozen=True)
class Seen:
    """Everything of an answer that reaches the browser, but for what is random in each."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


# A form's token and a session bear the second in which they were made, as does a cookie's end; the mark follows from
# the address, and a passkey's challenge is random.
_OWN_EACH_TIME = re.compile(
    rb'(?<=name="csrf_token" value=")[^"]*|(?<=signing=)[0-9a-f]{32}|(?<=typed=)[\w=-]+|(?<=organizer=)[\w.-]+'
    rb"|(?<=Expires=)[^;]+"
    rb'|(?<=name="challenge" value=")[^"]*|(?<=&#34;challenge&#34;: &#34;)[\w-]*'
)


def seen(answer: TestResponse, address: str) -> Seen:
    headers = [(name, _OWN_EACH_TIME.sub(b"*", value.encode()).decode()) for name, value in answer.headers]
    headers = [(name, "*" if name in {"Date", "Content-Length"} else value) for name, value in headers]
    body = _OWN_EACH_TIME.sub(b"*", answer.get_data()).replace(address.encode(), b"(as typed)")
    return Seen(answer.status, headers, body)


@pytest.fixture
def known(installation: Installation) -> list[str]:
    """An address in each of the states in which one can be, all of one length."""
    add_readers(installation, "reading@example.org", "goneone@example.org", "bounced@example.org")
    withdraw(installation, "goneone@example.org")
    sign_suspiciously(installation, "waiting@example.org", updates=True)
    assert get_signature(installation, "waiting@example.org").state is SignatureState.QUARANTINED
    sign(installation, "pending@example.org")
    sign(installation, "refused@example.org")
    ended = {"refused@example.org": SuppressionReason.NOT_ME, "bounced@example.org": SuppressionReason.BOUNCED}
    with installation.database.sessions.begin() as session:
        for address, reason in ended.items():
            fingerprint = installation.vault.fingerprint(parse_email_address(address))
            suppress(session, fingerprint, reason, now=installation.now())
    states = ("nobody0", "pending", "reading", "goneone", "waiting", "refused", "bounced")
    return [f"{state}@example.org" for state in states]


def test_signing_answers_the_same_for_every_address(app: Flask, known: list[str]) -> None:
    """At the first post, the second, on the page behind it, and when the mail is asked for again, in whatever state."""
    answers: dict[str, list[Seen]] = {}
    for address in known:
        browser = app.test_client()
        posts = [post(browser, email=address) for _ in range(2)]
        after = browser.get(posts[-1].headers["Location"])
        again = browser.post(f"{page_of()}/check-your-mail", headers=FROM_HERE)
        told = browser.get(again.headers["Location"])
        answers[address] = [seen(answer, address) for answer in (*posts, after, again, told)]
    first = answers[known[0]]
    assert first[0].status.startswith("303")
    assert {address: found for address, found in answers.items() if found != first} == {}


def test_asking_for_a_lost_link_answers_the_same_for_every_address(app: Flask, known: list[str]) -> None:
    answers = {address: seen(ask_for_link(app, address), address) for address in known}
    assert {found.status for found in answers.values()} == {"303 SEE OTHER"}
    assert len({repr(found) for found in answers.values()}) == 1


def test_a_form_with_a_mistake_is_shown_again_in_the_same_way(app: Flask, known: list[str]) -> None:
    answers = {address: seen(post(app.test_client(), email=address, without="consent"), address) for address in known}
    assert {found.status for found in answers.values()} == {"422 UNPROCESSABLE ENTITY"}
    assert len({repr(found) for found in answers.values()}) == 1


def test_signing_in_answers_the_same_for_organizers_and_strangers(app: Flask, installation: Installation) -> None:
    """A wrong password of an organizer, of one who has chosen none, and of nobody; one length of all addresses."""
    enroll(app, installation, Role.OWNER)
    for password in ("not the password", "", "x" * 2000):
        answers = {
            address: seen(send_form(app.test_client(), SIGN_IN, email=address, password=password), address)
            for address in (EMAIL, "nobd@example.org", "anna@example.org")
        }
        assert len({repr(found) for found in answers.values()}) == 1, password
