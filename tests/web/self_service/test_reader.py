"""A reader's own page: it shows what they get and why, keeps what they choose, and changes nothing when looked at."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from campaign.crypto.link_purposes import LinkPurpose
from campaign.installation.wiring import Installation
from campaign.models import Delivery, DeliveryKind, DeliveryState, ReaderFrequency
from tests.conftest import SLUG
from tests.scenes.page import Page
from tests.scenes.people import add_readers, get_subscription, make_digest, unsubscribe
from tests.scenes.readers import SECOND, add_second_petition, choose, follow, subscription_of
from tests.scenes.visiting import ADDRESS, dump, links_in, mails, me_path, read, unsubscribe_path

OTHER = "other@example.org"


@pytest.fixture
def path(installation: Installation) -> str:
    """The page of one of two readers."""
    add_readers(installation, ADDRESS, language="ru")
    add_readers(installation, OTHER)
    return me_path(installation)


def fill_in(installation: Installation, **columns: object) -> None:
    """Write what became of them into every row of the digest."""
    with installation.database.sessions.begin() as session:
        session.execute(update(Delivery).where(Delivery.kind == DeliveryKind.DIGEST).values(columns))


def chosen(page: Page) -> dict[str, str]:
    """What the form with the digest's choices would send; the page has others beside it."""
    names = {"frequency", "language", "paused", "merged"}
    return {name: value for name, value in page.filled_in().items() if name in names}


def test_the_page_shows_the_choices_as_they_are(app: Flask, installation: Installation, path: str) -> None:
    choose(installation, ADDRESS, ReaderFrequency.MILESTONES, language="kk", paused=True)
    page = read(app.test_client().get(path))
    assert page.one("html")["lang"] == "kk"
    assert chosen(page) == {"frequency": "milestones", "language": "kk", "paused": "y"}
    assert {element["value"] for element in page.all("input", name="language")} == {"en", "ru", "kk"}
    assert page.one("form", action=unsubscribe_path(installation))["method"] == ""
    assert len(page.all("fieldset")) == len(page.all("legend")) == 3, "two of the choices, one of what is shown"


def test_looking_and_posting_nothing_change_nothing(app: Flask, installation: Installation, path: str) -> None:
    """Mail scanners open links, and some press what they find."""
    choose(installation, ADDRESS, ReaderFrequency.MONTHLY, language="ru")
    make_digest(installation)
    client = app.test_client()
    before = dump(installation)
    page = read(client.get(path))
    client.head(path)
    assert client.post(path).status_code == 422
    assert client.post(path, data={"paused": "y"}).status_code == 422
    assert client.post(path, data=chosen(page)).status_code == 303
    assert dump(installation) == before


def test_what_is_chosen_is_kept_and_said(app: Flask, installation: Installation, path: str) -> None:
    client = app.test_client(use_cookies=False)
    sent = {"frequency": "monthly", "language": "en", "paused": "y", "merged": "y"}
    answer = client.post(path, data=sent, headers={"Origin": "null"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{path}?saved=1")
    assert "Set-Cookie" not in answer.headers
    page = read(client.get(answer.headers["Location"]))
    assert page.one("html")["lang"] == "en"
    assert page.one("p", role="status").text == "Your choices are saved."
    assert not read(client.get(path)).all("p", role="status")
    kept = get_subscription(installation, ADDRESS)
    assert (kept.frequency, kept.language, kept.paused) == (ReaderFrequency.MONTHLY, "en", True)
    assert not kept.merged, "who follows one petition was not asked"
    other = get_subscription(installation, OTHER)
    assert (other.frequency, other.paused) == (ReaderFrequency.EACH, False)


@pytest.mark.parametrize(
    ("field", "value"),
    [("frequency", "hourly"), ("frequency", ""), ("language", "fr"), ("language", "\x00"), ("language", "")],
)
def test_what_cannot_be_chosen_comes_back_with_a_sentence(
    app: Flask, installation: Installation, path: str, field: str, value: str
) -> None:
    choose(installation, ADDRESS, language="en")
    before = dump(installation)
    answer = app.test_client().post(
        path, data={"frequency": "milestones", "language": "kk", "paused": "y", field: value}
    )
    assert answer.status_code == 422
    page = read(answer)
    assert page.by_id(f"{field}-error").text.startswith("Please choose")
    assert page.described(field) == page.by_id(f"{field}-error").text
    assert "paused" in chosen(page)
    kept = {"frequency": "milestones", "language": "kk"}
    assert {name: chosen(page)[name] for name in kept if name != field} == {
        name: kept[name] for name in kept if name != field
    }
    assert dump(installation) == before


def test_who_follows_two_petitions_may_have_one_mail_for_both(
    app: Flask, installation: Installation, folder: Path
) -> None:
    add_second_petition(installation, folder)
    follow(installation, ADDRESS, SLUG, SECOND)
    client = app.test_client()
    ids = [subscription_of(installation, ADDRESS, slug).id for slug in (SLUG, SECOND)]
    paths = [f"/me/{installation.vault.token(LinkPurpose.READER, row_id)}" for row_id in ids]
    (tick,) = read(client.get(paths[0])).all("input", name="merged")
    assert "checked" not in tick.attributes
    client.post(paths[0], data={"frequency": "monthly", "language": "en", "merged": "y"})
    assert chosen(read(client.get(paths[1]))) == {"frequency": "each", "language": "en", "merged": "y"}
    client.post(paths[1], data={"frequency": "each", "language": "en"})
    assert chosen(read(client.get(paths[0]))) == {"frequency": "monthly", "language": "en"}


def test_the_history_says_why(app: Flask, installation: Installation, path: str) -> None:
    choose(installation, ADDRESS, language="en")
    make_digest(installation, "first")
    mails(installation)
    choose(installation, ADDRESS, language="en", paused=True)
    add_readers(installation, "third@example.org")
    make_digest(installation, "second")
    page = read(app.test_client().get(path))
    assert page.all("ul", **{"class": "history"})
    # The demands that were signed stand above them.
    second, first, confirmation = [element.text for element in page.all("li")][-3:]
    assert second.startswith("Edition 2 ")
    assert second.endswith("not sent: you paused the digest")
    assert first.startswith("Edition 1 23 November 2026 ")
    assert first.endswith("sent: the mail server took it")
    assert confirmation.startswith("Mail to confirm your signature")


@pytest.mark.parametrize("said", ["552 mailbox 100% full", "550 <script>alert(1)</script> %(what)s"])
def test_what_a_mail_server_said_is_shown_as_text_and_nothing_else(
    app: Flask, installation: Installation, path: str, said: str
) -> None:
    """Anybody's mail server may answer anything: neither a tag nor a percent sign is ours."""
    choose(installation, ADDRESS, language="en")
    make_digest(installation)
    fill_in(installation, state=DeliveryState.REJECTED, reason=said)
    answer = app.test_client().get(path)
    assert "<script>alert" not in answer.get_data(as_text=True)
    assert f"not sent: the mail server refused it: {said}" in [element.text for element in read(answer).all("span")]


@pytest.mark.parametrize(
    ("came", "words"),
    [
        (("permanent 5.1.1", "en"), "It came back later: the address does not take mail"),
        (("temporary", "ru"), "Позже пришёл ответ: почтовый ящик в этот раз не принял письмо"),
        (("complaint", "kk"), "Кейін жауап келді: хат спам деп белгіленді"),
    ],
)
def test_what_came_back_is_told_in_the_readers_words(
    app: Flask, installation: Installation, path: str, came: tuple[str, str], words: str
) -> None:
    returned, language = came
    choose(installation, ADDRESS, language=language)
    make_digest(installation)
    fill_in(installation, state=DeliveryState.ACCEPTED, returned=returned)
    assert words in [element.text for element in read(app.test_client().get(path)).all("span")]


def test_after_the_end_the_page_is_about_the_past(app: Flask, installation: Installation, path: str) -> None:
    choose(installation, ADDRESS, language="en")
    make_digest(installation)
    mails(installation)
    unsubscribe(installation, ADDRESS)
    before = dump(installation)
    page = read(app.test_client().get(path))
    assert not page.all("form")
    assert "until they were stopped" in page.text
    assert "sent: the mail server took it" in page.text
    answer = app.test_client().post(path, data={"frequency": "each", "language": "en"})
    assert answer.status_code == 410
    assert dump(installation) == before


def test_the_link_is_in_the_digest(app: Flask, installation: Installation, path: str) -> None:
    make_digest(installation)
    (digest,) = [mail for mail in mails(installation) if path in links_in(mail)]
    assert unsubscribe_path(installation) in digest
    assert app.test_client().get(path).status_code == 200


def test_one_kind_of_link_does_not_open_the_other(app: Flask, installation: Installation, path: str) -> None:
    client = app.test_client()
    token = path.removeprefix("/me/")
    assert client.get(f"/unsubscribe/{token}").status_code == 404
    assert client.get(unsubscribe_path(installation).replace("/unsubscribe/", "/me/")).status_code == 404
    assert client.post(f"/me/{token[:-3]}", data={"frequency": "each", "language": "en"}).status_code == 404
    for broken in (f"{token}.", ".", f".{token}"):
        assert client.post(f"/unsubscribe/{broken}").status_code == 404
