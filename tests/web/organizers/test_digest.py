"""The digest's page while an edition is under way: who may do what with it, and how far it has come."""

from datetime import time

import pytest
from flask import Flask
from flask.testing import FlaskClient

from campaign.installation.wiring import Installation
from campaign.models import DeliveryKind, DeliveryState, EditionState, Role, Schedule
from campaign.services.delivery.claims import Batch
from campaign.services.delivery.send import send_waiting
from campaign.services.digests.editions import make_edition
from campaign.services.petitions.store import get_petition
from campaign.worker import work_once
from tests.conftest import SLUG, Clock
from tests.scenes.deliveries import digests
from tests.scenes.organizing import EMAIL, enroll, list_audit, list_made, send_form
from tests.scenes.page import Page
from tests.scenes.people import add_readers, find_petition, list_deliveries, unsubscribe, without_jobs
from tests.scenes.visiting import dump, mails, read

DIGEST = f"/organize/p/{SLUG}/digest"
SECOND = "second@example.org"


@pytest.fixture
def second(app: Flask, installation: Installation) -> FlaskClient:
    """The browser of another organizer who may send."""
    return enroll(app, installation, Role.EDITOR, SECOND)


def plan(installation: Installation, **columns: object) -> None:
    with installation.database.sessions.begin() as session:
        schedule = session.get_one(Schedule, find_petition(installation).id)
        for name, value in columns.items():
            setattr(schedule, name, value)


def press(client: FlaskClient, name: str, number: int = 1, **fields: str) -> int:
    return send_form(client, DIGEST, f"{DIGEST}/edition/{name}", number=number, **fields).status_code


def steps(page: Page) -> set[str]:
    """What can be pressed on the page."""
    return {form["action"].removeprefix(f"{DIGEST}/") for form in page.all("form") if form["action"].startswith(DIGEST)}


def state(installation: Installation) -> EditionState:
    return list_made(installation)[-1].state


def test_a_reason_with_percent_signs_and_tags_is_shown_as_text(installation: Installation, owner: FlaskClient) -> None:
    """It may quote an address from an update, like those with Cyrillic letters."""
    add_readers(installation, "a@example.org")
    reason = "The link https://example.org/%D0%B0?<b>bold</b> is in the text alone"
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        edition = make_edition(
            session, petition, installation.links, without_jobs(installation), period="by hand", now=installation.now()
        )
        edition.state, edition.reason = EditionState.PAUSED, reason
    page = read(owner.get(DIGEST))
    assert reason in [element.text for element in page.all("p", **{"class": "error"})]
    assert f"paused: {reason}" in [element.text for element in read(owner.get(f"/organize/p/{SLUG}")).all("td")]


def test_a_draft_is_read_by_a_second_organizer_who_lets_it_go(
    installation: Installation, owner: FlaskClient, second: FlaskClient
) -> None:
    add_readers(installation, "a@example.org", "b@example.org")
    plan(installation, needs_approval=True)
    assert "a second organizer has approved it" in read(owner.get(DIGEST)).text
    answer = send_form(owner, DIGEST, f"{DIGEST}/send", after=0)
    page = read(owner.get(answer.location))
    assert "Edition 1 is made. It waits" in page.one("p", role="status").text
    assert page.by_id("edition-1").text == "Edition 1: waits for approval"
    assert steps(page) == {"edition/cancel", "edition/test"}
    add_readers(installation, "c@example.org")
    seen = read(second.get(DIGEST))
    assert steps(seen) == {"edition/approve", "edition/cancel", "edition/test"}
    # What is approved is what was frozen: two had signed then.
    assert "2 people have signed" in second.get(f"{DIGEST}/en/html").get_data(as_text=True)
    before = dump(installation)
    assert press(owner, "approve") == 409
    assert dump(installation) == before
    assert press(second, "approve") == 303
    assert press(second, "approve") == 409
    assert [(made.state, made.made_by, made.approved_by) for made in list_made(installation)] == [
        (EditionState.SENDING, EMAIL, SECOND)
    ]
    assert [(actor, action) for actor, action, _ in list_audit(installation)] == [
        (EMAIL, "digest made"),
        (SECOND, "edition approved"),
    ]
    work_once(installation)
    assert state(installation) is EditionState.SENT
    assert not read(owner.get(DIGEST)).all("progress")


def test_an_edition_that_is_sent_shows_how_far_it_is_and_is_paused_and_resumed(
    installation: Installation, owner: FlaskClient
) -> None:
    add_readers(installation, *(f"reader{number}@example.org" for number in range(4)))
    unsubscribed = "reader0@example.org"
    send_form(owner, DIGEST, f"{DIGEST}/send", after=0)
    unsubscribe(installation, unsubscribed)
    sender = installation.sender("mails")
    while sum(item.state is DeliveryState.ACCEPTED for item in digests(installation)) < 2:
        send_waiting(sender, Batch(DeliveryKind.DIGEST), most=1)
    page = read(owner.get(DIGEST))
    assert "2 of 4 mails were accepted" in page.text
    settled = sum(item.state is not DeliveryState.QUEUED for item in digests(installation))
    bar = page.one("progress")
    assert (bar["value"], bar["max"]) == (str(settled), "4")
    assert steps(page) == {"edition/pause", "edition/cancel"}
    assert press(owner, "pause") == 303
    page = read(owner.get(DIGEST))
    assert page.by_id("edition-1").text == "Edition 1: paused"
    assert steps(page) == {"edition/resume", "edition/cancel", "edition/test"}
    work_once(installation)
    assert "2 of 4 mails were accepted" in read(owner.get(DIGEST)).text
    assert press(owner, "pause") == 409
    assert press(owner, "resume") == 303
    work_once(installation)
    assert state(installation) is EditionState.SENT
    assert sum(item.state is DeliveryState.ACCEPTED for item in digests(installation)) == 3


def test_when_an_edition_has_gone_out_the_page_says_how_it_went(installation: Installation, owner: FlaskClient) -> None:
    add_readers(installation, "a@example.org", "b@example.org", "c@example.org")
    send_form(owner, DIGEST, f"{DIGEST}/send", after=0)
    unsubscribe(installation, "a@example.org")
    assert "has been sent" not in read(owner.get(DIGEST)).text
    work_once(installation)
    page = read(owner.get(DIGEST))
    assert "Edition 1 has been sent: 2 of 3 mails were accepted." in page.text
    links = {link.text: link["href"] for link in page.all("a")}
    assert links["View this mail in the browser"] == f"/en/p/{SLUG}/digest/1"
    assert owner.get(links["View this mail in the browser"]).status_code == 200
    assert links["Ledger of mails"] == f"/organize/p/{SLUG}#ledger"


def test_cancelling_takes_a_tick(installation: Installation, owner: FlaskClient) -> None:
    add_readers(installation, "a@example.org")
    send_form(owner, DIGEST, f"{DIGEST}/send", after=0)
    before = dump(installation)
    answer = send_form(owner, DIGEST, f"{DIGEST}/edition/cancel", number=1)
    assert answer.status_code == 422
    assert "please tick" in read(answer).one("p", role="alert").text
    assert dump(installation) == before
    assert press(owner, "cancel", sure="y") == 303
    assert [item.state for item in digests(installation)] == [DeliveryState.SUPPRESSED]
    # Its news is still to tell, under the next number.
    assert "edition 2 keeps the numbers of that moment and is sent" in read(owner.get(DIGEST)).text
    answer = send_form(owner, DIGEST, f"{DIGEST}/edition/pause", number=1)
    assert answer.status_code == 409
    assert "could not be done" in read(answer).one("p", role="alert").text
    assert [made.state for made in list_made(installation)] == [EditionState.CANCELLED]


def test_a_scheduled_edition_says_when_it_goes(installation: Installation, owner: FlaskClient, clock: Clock) -> None:
    """It is noon in Almaty."""
    add_readers(installation, "a@example.org")
    plan(installation, cool_down_minutes=30, window_from=time(14), window_until=time(20))
    page = read(owner.get(DIGEST))
    assert "cancelled for 30 minutes. Mails are sent between 14:00 and 20:00 only (Asia/Almaty)." in page.text
    send_form(owner, DIGEST, f"{DIGEST}/send", after=0)
    page = read(owner.get(DIGEST))
    assert "Sending starts at: 23 November 2026, 14:00." in page.text
    assert steps(page) == {"edition/pause", "edition/cancel", "edition/test"}
    assert digests(installation) == []


def test_a_test_goes_to_the_organizer_who_asks(installation: Installation, owner: FlaskClient) -> None:
    add_readers(installation, "a@example.org")
    work_once(installation)
    assert send_form(owner, DIGEST, f"{DIGEST}/edition/test").status_code == 303
    assert "Your last test, of 23 November 2026, 12:00: waiting." in read(owner.get(DIGEST)).text
    assert len(mails(installation)) == 3
    assert "Your last test, of 23 November 2026, 12:00: accepted." in read(owner.get(DIGEST)).text
    tests = [item for item in list_deliveries(installation) if item.kind is DeliveryKind.TEST]
    assert [item.language for item in tests] == ["en", "ru", "kk"]
    assert list_audit(installation) == [(EMAIL, "digest tested", {"mails": 3})]


def test_where_nothing_is_new_there_is_nothing_to_test(installation: Installation, owner: FlaskClient) -> None:
    add_readers(installation, "a@example.org")
    send_form(owner, DIGEST, f"{DIGEST}/send", after=0)
    work_once(installation)
    assert steps(read(owner.get(DIGEST))) == set()
    assert send_form(owner, DIGEST, f"{DIGEST}/edition/test").status_code == 409


@pytest.mark.parametrize("name", ["approve", "pause", "resume", "cancel", "test"])
def test_a_form_of_another_website_steers_nothing(installation: Installation, owner: FlaskClient, name: str) -> None:
    add_readers(installation, "a@example.org")
    send_form(owner, DIGEST, f"{DIGEST}/send", after=0)
    before = dump(installation)
    assert owner.post(f"{DIGEST}/edition/{name}", data={"number": 1, "sure": "y"}).status_code == 400
    assert owner.get(f"{DIGEST}/edition/{name}").status_code == 405
    assert dump(installation) == before


@pytest.mark.parametrize("number", [10**30, -1, 2**31])
def test_a_number_that_no_edition_has_is_refused(installation: Installation, owner: FlaskClient, number: int) -> None:
    add_readers(installation, "a@example.org")
    before = dump(installation)
    for step in ("approve", "pause", "resume", "cancel"):
        sent = send_form(owner, DIGEST, f"{DIGEST}/edition/{step}", number=number, sure="y")
        assert sent.status_code == 400, step
    assert send_form(owner, DIGEST, f"{DIGEST}/send", after=number).status_code == 400
    assert dump(installation) == before
