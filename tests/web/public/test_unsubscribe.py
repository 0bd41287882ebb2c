"""The unsubscribe link: one click of any mail program ends the updates, and looking at it changes nothing."""

import pytest
from flask import Flask
from sqlalchemy import select

from campaign.installation.wiring import Installation
from campaign.models import SignatureState, Subscription, SubscriptionState
from tests.scenes.people import add_readers, get_signature, make_digest
from tests.scenes.visiting import ADDRESS, dump, links_in, mails, read, unsubscribe_path

OTHER = "other@example.org"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def path(installation: Installation) -> str:
    """The link of one of two readers."""
    add_readers(installation, ADDRESS, language="ru")
    add_readers(installation, OTHER)
    return unsubscribe_path(installation)


def readers(installation: Installation) -> list[SubscriptionState]:
    with installation.database.snapshots() as session:
        return sorted(session.scalars(select(Subscription.state)))


def test_the_link_shows_a_button_and_changes_nothing(app: Flask, installation: Installation, path: str) -> None:
    before = dump(installation)
    for _ in range(2):
        page = read(app.test_client().get(path))
        assert page.one("form")["method"] == "post"
        assert page.one("html")["lang"] == "ru"
    assert dump(installation) == before


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_one_click_of_a_mail_program_ends_the_updates(
    app: Flask, installation: Installation, path: str, content_type: str
) -> None:
    """RFC 8058: either encoding, no cookie, no redirect; the signature stays, the address is gone."""
    client = app.test_client(use_cookies=False)
    answer = client.post(path, data=ONE_CLICK, content_type=content_type)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert readers(installation) == [SubscriptionState.ACTIVE, SubscriptionState.ENDED]
    with installation.database.snapshots() as session:
        ended = session.scalars(select(Subscription).where(Subscription.state == SubscriptionState.ENDED)).one()
        assert (ended.fingerprint, ended.sealed_address) == (None, None)
    assert get_signature(installation, ADDRESS).state is SignatureState.CONFIRMED


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"", None),
        (b"List-Unsubscribe=One-Click", "text/plain"),
        (b"\xff\xfe\x00", "application/x-www-form-urlencoded"),
        (b"no boundary here", "multipart/form-data"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"{}", "application/json"),
    ],
)
def test_the_body_does_not_matter(
    app: Flask, installation: Installation, path: str, body: bytes, content_type: str | None
) -> None:
    assert app.test_client().post(path, data=body, content_type=content_type).status_code == 200
    assert SubscriptionState.ENDED in readers(installation)


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://webmail.example"}, {"Origin": "null"}, {}]
)
def test_a_webmail_program_may_click_too(
    app: Flask, installation: Installation, path: str, headers: dict[str, str]
) -> None:
    assert app.test_client().post(path, data=ONE_CLICK, headers=headers).status_code == 200
    assert SubscriptionState.ENDED in readers(installation)


def test_a_second_click_is_answered_like_the_first(app: Flask, installation: Installation, path: str) -> None:
    client = app.test_client(use_cookies=False)
    first = client.post(path, data=ONE_CLICK)
    after = dump(installation)
    second, looked = client.post(path, data=ONE_CLICK), client.get(path)
    assert (first.status_code, first.data) == (second.status_code, second.data) == (looked.status_code, looked.data)
    assert dump(installation) == after
    assert readers(installation) == [SubscriptionState.ACTIVE, SubscriptionState.ENDED]


def test_the_link_is_the_one_in_the_digest(app: Flask, installation: Installation, path: str) -> None:
    make_digest(installation)
    digests = [mail for mail in mails(installation) if path in links_in(mail)]
    assert len(digests) == 1
    assert app.test_client().post(path).status_code == 200


def test_who_stopped_the_updates_gets_no_digest_that_was_made_before(
    app: Flask, installation: Installation, path: str
) -> None:
    make_digest(installation)
    assert app.test_client().post(path).status_code == 200
    written = mails(installation)
    assert not [mail for mail in written if path in mail]
    assert [mail for mail in written if unsubscribe_path(installation, OTHER) in mail]
