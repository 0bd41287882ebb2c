"""A mail scanner, which opens every link of a mail and presses every button, signs and erases nothing."""

from collections import Counter
from itertools import product
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from campaign.installation.wiring import Installation
from campaign.models import Signature, SignatureState
from tests.scenes.page import Page
from tests.scenes.people import add_readers, get_signature, make_digest
from tests.scenes.visiting import ADDRESS, code_in, dump, links_in, mails, post


def scan(app: Flask, mail: str, typed: list[str]) -> list[str]:
    """Follow every link of the mail and of the pages behind them, and send every form there with every button.

    Without a cookie, as scanners are other machines; ``typed`` goes into the code field. Which buttons were pressed.
    """
    client = app.test_client(use_cookies=False)
    pressed, seen, waiting = [], set[str](), links_in(mail)
    while waiting:
        at = urlsplit(waiting.pop()).path
        if at in seen or at.startswith(("/static", "/organize", "/outbox")):
            continue
        seen.add(at)
        answer = client.get(at, buffered=True)
        client.head(at)
        client.post(at)
        if answer.location:
            waiting.append(urljoin(at, answer.location))
            continue
        if answer.mimetype != "text/html":
            continue
        page = Page(answer.get_data(as_text=True))
        waiting += [urljoin(at, link["href"]) for link in page.all("a") if not urlsplit(link["href"]).netloc]
        if at.startswith("/confirm/"):
            for button in page.all("button"):
                for code in typed:
                    client.post(at, data={button["name"]: button["value"], "code": code})
                    pressed.append(button["value"])
        if at.startswith("/me/"):
            pressed += _press_all(client, at, page, typed)
    return pressed


def _press_all(client: FlaskClient, at: str, page: Page, typed: list[str]) -> list[str]:
    """Send the forms of a person's own page, as they are filled in."""
    actions = [urljoin(at, urlsplit(form["action"]).path) for form in page.all("form", method="post")]
    for action, code in product(actions, typed):
        client.post(action, data={**page.filled_in(), "code": code})
    return [action.rpartition("/")[2] for action in actions]


PREFETCHES = ({"Purpose": "prefetch"}, {"Sec-Purpose": "prefetch;prerender"}, {"X-Moz": "prefetch"})


def press_everything(app: Flask, mail: str) -> Counter[str]:
    """A scanner of the thorough kind: it asks for each link in every way, follows redirects, and sends each form that
    it sees twice, as it is filled in and with something in every field. How often it sent forms of each kind of page.

    It leaves out one thing, the page to unsubscribe: a POST to it is the one click of RFC 8058, which mail programs
    send without any proof, so whoever posts it unsubscribes.
    """
    client = app.test_client(use_cookies=False)
    sent, seen, waiting = Counter[str](), set[str](), links_in(mail)
    while waiting:
        at = urlsplit(waiting.pop()).path
        if at in seen or at.startswith(("/static", "/organize", "/outbox", "/unsubscribe")):
            continue
        seen.add(at)
        client.head(at)
        client.options(at)
        for headers in PREFETCHES:
            client.get(at, headers=headers, buffered=True)
        answer = client.get(at, buffered=True, follow_redirects=True)
        if answer.mimetype != "text/html":
            continue
        page = Page(answer.get_data(as_text=True))
        waiting += [urljoin(at, link["href"]) for link in page.all("a") if not urlsplit(link["href"]).netloc]
        for form in page.all("form", method="post"):
            action = urljoin(at, form["action"])
            as_it_is = page.filled_in()
            for data in ({}, as_it_is, {name: value or "test" for name, value in as_it_is.items()}):
                client.post(action, data=data, follow_redirects=True)
                sent[urlsplit(action).path.split("/")[1]] += 1
    return sent


def test_a_thorough_scanner_that_fills_in_every_form_confirms_and_signs_nothing(
    app: Flask, installation: Installation
) -> None:
    post(app.test_client(), updates="y")
    (mail,) = mails(installation)
    before = dump(installation)
    sent = press_everything(app, mail)
    assert sent["confirm"] >= 3
    assert sum(sent.values()) > sent["confirm"], "the petition's own form was not sent"
    assert get_signature(installation, ADDRESS).state is SignatureState.PENDING
    forget_wrong_codes(installation)
    assert dump(installation) == before


def test_a_scanner_of_a_digest_that_only_looks_changes_nothing(app: Flask, installation: Installation) -> None:
    """The links of a digest lead to choices and to unsubscribing: both change something by POST alone."""
    add_readers(installation, ADDRESS)
    make_digest(installation)
    (mail,) = mails(installation)
    before = dump(installation)
    client = app.test_client(use_cookies=False)
    kinds = set()
    for link in links_in(mail):
        for headers in ({}, *PREFETCHES):
            for method in ("HEAD", "GET", "OPTIONS"):
                assert (
                    client.open(link, method=method, headers=headers, buffered=True, follow_redirects=True).status_code
                    < 400
                )
        kinds.add(link.split("/")[1])
    assert {"me", "unsubscribe"} < kinds
    assert dump(installation) == before


def without_signatures(rows: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: found for name, found in rows.items() if not name.endswith(".signature")}


def forget_wrong_codes(installation: Installation) -> None:
    with installation.database.sessions.begin() as session:
        session.execute(update(Signature).values(wrong_codes=0))


@pytest.mark.parametrize(
    ("typed", "wrong_codes"),
    [([""], 0), (["link"], 2), (["", "000000", "confirm", "<script>", "%s"], 8)],
    ids=["no code", "a wrong code", "many wrong codes"],
)
def test_a_scanner_changes_nothing_but_the_counter_of_wrong_codes(
    app: Flask, installation: Installation, typed: list[str], wrong_codes: int
) -> None:
    post(app.test_client(), updates="y")
    (mail,) = mails(installation)
    before = dump(installation)
    assert set(scan(app, mail, typed)) == {"confirm", "not-me"}
    kept = get_signature(installation, ADDRESS)
    assert (kept.state, kept.wrong_codes) == (SignatureState.PENDING, wrong_codes)
    forget_wrong_codes(installation)
    assert dump(installation) == before


@pytest.mark.parametrize(("typed", "wrong_codes"), [([""], 0), (["000000"], 2)], ids=["no code", "a wrong code"])
def test_a_scanner_of_a_confirmed_signers_mail_changes_nothing_either(
    app: Flask, installation: Installation, typed: list[str], wrong_codes: int
) -> None:
    """It reaches the signer's own page, with all that can be changed or ended there."""
    post(app.test_client())
    (mail,) = mails(installation)
    app.test_client().post(links_in(mail)[0], data={"code": code_in(mail)})
    before = dump(installation)
    assert {"details", "updates", "withdraw"} <= set(scan(app, mail, typed))
    kept = get_signature(installation, ADDRESS)
    assert (kept.state, kept.wrong_codes > 0) == (SignatureState.CONFIRMED, wrong_codes > 0)
    forget_wrong_codes(installation)
    assert dump(installation) == before


def test_a_scanner_that_tried_many_codes_does_not_keep_the_signer_out(app: Flask, installation: Installation) -> None:
    browser = app.test_client()
    post(browser)
    (mail,) = mails(installation)
    scan(app, mail, [f"{number:06}" for number in range(10)])
    assert browser.post(links_in(mail)[0]).status_code == 200
    assert get_signature(installation, ADDRESS).state is SignatureState.CONFIRMED


def test_a_scanner_that_read_the_code_would_be_seen(app: Flask, installation: Installation) -> None:
    """The control of the tests above: with the right code its presses do change something."""
    post(app.test_client())
    (mail,) = mails(installation)
    before = dump(installation)
    scan(app, mail, [code_in(mail)])
    assert without_signatures(dump(installation)) != without_signatures(before)
