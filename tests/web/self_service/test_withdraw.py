"""Withdrawing: asked once more, counted back, all of it erased, and a receipt that can be checked later."""

import pytest
from flask import Flask
from sqlalchemy import select

from campaign.installation.wiring import Installation
from campaign.models import Erased, Subscription, SubscriptionState, Tombstone
from campaign.services.privacy.receipts import Receipt, read_receipt
from tests.scenes.people import (
    add_readers,
    count,
    find_petition,
    get_signature,
    get_signature_by_id,
    list_personal,
)
from tests.scenes.visiting import ADDRESS, code_in, dump, mails, me_path, other_browser, own_path, page_of, post, read

OTHER = "other@example.org"


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough for pages: the services are tested on both."""
    return sqlite_installation


@pytest.fixture
def code(installation: Installation) -> str:
    """The code of a reader of the digest, one of two signers."""
    add_readers(installation, ADDRESS, OTHER)
    return installation.vault.code(get_signature(installation, ADDRESS).id)


@pytest.mark.parametrize("link", [own_path, me_path], ids=["the signer's link", "the link of a digest"])
def test_it_is_asked_once_more_then_all_is_erased_and_counted_back(
    app: Flask, installation: Installation, code: str, link: object
) -> None:
    assert callable(link)
    client, path, row = other_browser(app), link(installation), get_signature(installation, ADDRESS).id
    before = dump(installation)
    question = read(client.get(f"{path}/withdraw"))
    assert dump(installation) == before
    assert [button.text for button in question.all("button")] == ["Withdraw my signature and erase everything"]
    answer = client.post(f"{path}/withdraw", data={"code": code})
    assert answer.status_code == 303
    assert list_personal(get_signature_by_id(installation, row)) == [None] * 5
    assert count(installation) == 1
    with installation.database.snapshots() as session:
        states = session.scalars(select(Subscription.state).order_by(Subscription.state)).all()
        graves = {(grave.kind, grave.erased_on) for grave in session.scalars(select(Tombstone))}
    assert states == [SubscriptionState.ACTIVE, SubscriptionState.ENDED]
    today = installation.now().date()
    assert graves == {(Erased.SIGNATURE, today), (Erased.SUBSCRIPTION, today)}
    assert answer.location.endswith("/receipt")
    assert "Your signature is withdrawn and erased" in read(client.get(answer.location)).one("h1").text


def test_the_receipt_is_a_page_and_a_file_and_says_nothing_of_the_person(
    app: Flask, installation: Installation, code: str
) -> None:
    client, path = other_browser(app), own_path(installation)
    client.post(f"{path}/withdraw", data={"code": code})
    page, file = client.get(f"{path}/receipt"), client.get(f"{path}/receipt.txt")
    assert file.headers["Content-Disposition"] == 'attachment; filename="kazakhstan-receipt.txt"'
    told = read(page).one("code").text
    assert told in file.get_data(as_text=True)
    petition = find_petition(installation)
    assert read_receipt(installation.vault, told) == Receipt(petition.id, installation.now().date())
    for answer in (page, file):
        assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
        words = answer.get_data(as_text=True)
        assert ADDRESS not in words
        assert "Aigerim" not in words


def test_what_was_withdrawn_is_shown_as_gone_and_a_second_press_changes_nothing(
    app: Flask, installation: Installation, code: str
) -> None:
    client, path = other_browser(app), own_path(installation)
    client.post(f"{path}/withdraw", data={"code": code})
    before = dump(installation)
    assert client.post(f"{path}/withdraw").location == f"{path}/receipt"
    page = read(client.get(path))
    assert "Everything that was stored about you is erased" in page.text
    assert not page.all("form")
    for action in ("details", "updates", ""):
        assert client.post(f"{path}/{action}".rstrip("/"), data={"code": code, "email": ADDRESS}).status_code == 410
    assert dump(installation) == before


def test_who_withdrew_may_sign_again(app: Flask, installation: Installation, code: str) -> None:
    other_browser(app).post(f"{own_path(installation)}/withdraw", data={"code": code})
    browser = app.test_client()
    post(browser)
    assert code_in(mails(installation)[-1]) != code
    assert browser.post(own_path(installation)).status_code == 303
    assert count(installation) == 1


def test_without_anything_erased_there_is_no_receipt(app: Flask, installation: Installation, code: str) -> None:
    assert code
    answer = other_browser(app).get(f"{own_path(installation)}/receipt")
    assert answer.status_code == 410
    assert f"{page_of()}/my-link" in [element["href"] for element in read(answer).all("a")], "the way to a lost link"
