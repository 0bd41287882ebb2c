"""The digest's page while an edition is under way: who may do what with it, and how far it has come."""

from datetime import time

import pytest
from flask import Flask
from flask.testing import FlaskClient

from campaign.installation.wiring import Campaign
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
def second(app: Flask, campaign: Campaign) -> FlaskClient:
    """The browser of another organizer who may send."""
    return enroll(app, campaign, Role.EDITOR, SECOND)


def plan(campaign: Campaign, **columns: object) -> None:
    with campaign.database.sessions.begin() as session:
        schedule = session.get_one(Schedule, find_petition(campaign).id)
        for name, value in columns.items():
            setattr(schedule, name, value)


def press(client: FlaskClient, name: str, number: int = 1, **fields: str) -> int:
    return send_form(client, DIGEST, f"{DIGEST}/edition/{name}", number=number, **fields).status_code


def steps(page: Page) -> set[str]:
    """What can be pressed on the page."""
    return {form["action"].removeprefix(f"{DIGEST}/") for form in page.all("form") if form["action"].startswith(DIGEST)}


def state(campaign: Campaign) -> EditionState:
    return list_made(campaign)[-1].state


def test_a_reason_with_percent_signs_and_tags_is_shown_as_text(campaign: Campaign, owner: FlaskClient) -> None:
    """It may quote an address from an update, like those with Cyrillic letters."""
    add_readers(campaign, "a@example.org")
    reason = "The link https://example.org/%D0%B0?<b>bold</b> is in the text alone"
    with campaign.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        edition = make_edition(
            session, petition, campaign.links, without_jobs(campaign), period="by hand", now=campaign.now()
        )
        edition.state, edition.reason = EditionState.PAUSED, reason
    page = read(owner.get(DIGEST))
    assert reason in [element.text for element in page.all("p", **{"class": "error"})]
    assert f"paused: {reason}" in [element.text for element in read(owner.get(f"/organize/p/{SLUG}")).all("td")]


def test_a_draft_is_read_by_a_second_organizer_who_lets_it_go(
    campaign: Campaign, owner: FlaskClient, second: FlaskClient
) -> None:
    add_readers(campaign, "a@example.org", "b@example.org")
    plan(campaign, needs_approval=True)
    assert "a second organizer has approved it" in read(owner.get(DIGEST)).text
    answer = send_form(owner, DIGEST, f"{DIGEST}/send", after=0)
    page = read(owner.get(answer.location))
    assert "Edition 1 is made. It waits" in page.one("p", role="status").text
    assert page.by_id("edition-1").text == "Edition 1: waits for approval"
    assert steps(page) == {"edition/cancel", "edition/test"}
    add_readers(campaign, "c@example.org")
    seen = read(second.get(DIGEST))
    assert steps(seen) == {"edition/approve", "edition/cancel", "edition/test"}
    # What is approved is what was frozen: two had signed then.
    assert "2 people have signed" in second.get(f"{DIGEST}/en/html").get_data(as_text=True)
    before = dump(campaign)
    assert press(owner, "approve") == 409
    assert dump(campaign) == before
    assert press(second, "approve") == 303
    assert press(second, "approve") == 409
    assert [(made.state, made.made_by, made.approved_by) for made in list_made(campaign)] == [
        (EditionState.SENDING, EMAIL, SECOND)
    ]
    assert [(actor, action) for actor, action, _ in list_audit(campaign)] == [
        (EMAIL, "digest made"),
        (SECOND, "edition approved"),
    ]
    work_once(campaign)
    assert state(campaign) is EditionState.SENT
    assert not read(owner.get(DIGEST)).all("progress")


def test_an_edition_that_is_sent_shows_how_far_it_is_and_is_paused_and_resumed(
    campaign: Campaign, owner: FlaskClient
) -> None:
    add_readers(campaign, *(f"reader{number}@example.org" for number in range(4)))
    unsubscribed = "reader0@example.org"
    send_form(owner, DIGEST, f"{DIGEST}/send", after=0)
    unsubscribe(campaign, unsubscribed)
    sender = campaign.sender("mails")
    while sum(item.state is DeliveryState.ACCEPTED for item in digests(campaign)) < 2:
        send_waiting(sender, Batch(DeliveryKind.DIGEST), most=1)
    page = read(owner.get(DIGEST))
    assert "2 of 4 mails were accepted" in page.text
    settled = sum(item.state is not DeliveryState.QUEUED for item in digests(campaign))
    bar = page.one("progress")
    assert (bar["value"], bar["max"]) == (str(settled), "4")
    assert steps(page) == {"edition/pause", "edition/cancel"}
    assert press(owner, "pause") == 303
    page = read(owner.get(DIGEST))
    assert page.by_id("edition-1").text == "Edition 1: paused"
    assert steps(page) == {"edition/resume", "edition/cancel", "edition/test"}
    work_once(campaign)
    assert "2 of 4 mails were accepted" in read(owner.get(DIGEST)).text
    assert press(owner, "pause") == 409
    assert press(owner, "resume") == 303
    work_once(campaign)
    assert state(campaign) is EditionState.SENT
    assert sum(item.state is DeliveryState.ACCEPTED for item in digests(campaign)) == 3


def test_when_an_edition_has_gone_out_the_page_says_how_it_went(campaign: Campaign, owner: FlaskClient) -> None:
    add_readers(campaign, "a@example.org", "b@example.org", "c@example.org")
    send_form(owner, DIGEST, f"{DIGEST}/send", after=0)
    unsubscribe(campaign, "a@example.org")
    assert "has been sent" not in read(owner.get(DIGEST)).text
    work_once(campaign)
    page = read(owner.get(DIGEST))
    assert "Edition 1 has been sent: 2 of 3 mails were accepted." in page.text
    links = {link.text: link["href"] for link in page.all("a")}
    assert links["View this mail in the browser"] == f"/en/p/{SLUG}/digest/1"
    assert owner.get(links["View this mail in the browser"]).status_code == 200
    assert links["Ledger of mails"] == f"/organize/p/{SLUG}#ledger"


def test_cancelling_takes_a_tick(campaign: Campaign, owner: FlaskClient) -> None:
    add_readers(campaign, "a@example.org")
    send_form(owner, DIGEST, f"{DIGEST}/send", after=0)
    before = dump(campaign)
    answer = send_form(owner, DIGEST, f"{DIGEST}/edition/cancel", number=1)
    assert answer.status_code == 422
    assert "please tick" in read(answer).one("p", role="alert").text
    assert dump(campaign) == before
    assert press(owner, "cancel", sure="y") == 303
    assert [item.state for item in digests(campaign)] == [DeliveryState.SUPPRESSED]
    # Its news is still to tell, under the next number.
    assert "edition 2 keeps the numbers of that moment and is sent" in read(owner.get(DIGEST)).text
    answer = send_form(owner, DIGEST, f"{DIGEST}/edition/pause", number=1)
    assert answer.status_code == 409
    assert "could not be done" in read(answer).one("p", role="alert").text
    assert [made.state for made in list_made(campaign)] == [EditionState.CANCELLED]


def test_a_scheduled_edition_says_when_it_goes(campaign: Campaign, owner: FlaskClient, clock: Clock) -> None:
    """It is noon in Almaty."""
    add_readers(campaign, "a@example.org")
    plan(campaign, cool_down_minutes=30, window_from=time(14), window_until=time(20))
    page = read(owner.get(DIGEST))
    assert "cancelled for 30 minutes. Mails are sent between 14:00 and 20:00 only (Asia/Almaty)." in page.text
    send_form(owner, DIGEST, f"{DIGEST}/send", after=0)
    page = read(owner.get(DIGEST))
    assert "Sending starts at: 23 November 2026, 14:00." in page.text
    assert steps(page) == {"edition/pause", "edition/cancel", "edition/test"}
    assert digests(campaign) == []


def test_a_test_goes_to_the_organizer_who_asks(campaign: Campaign, owner: FlaskClient) -> None:
    add_readers(campaign, "a@example.org")
    work_once(campaign)
    assert send_form(owner, DIGEST, f"{DIGEST}/edition/test").status_code == 303
    assert "Your last test, of 23 November 2026, 12:00: waiting." in read(owner.get(DIGEST)).text
    assert len(mails(campaign)) == 3
    assert "Your last test, of 23 November 2026, 12:00: accepted." in read(owner.get(DIGEST)).text
    tests = [item for item in list_deliveries(campaign) if item.kind is DeliveryKind.TEST]
    assert [item.language for item in tests] == ["en", "ru", "kk"]
    assert list_audit(campaign) == [(EMAIL, "digest tested", {"mails": 3})]


def test_where_nothing_is_new_there_is_nothing_to_test(campaign: Campaign, owner: FlaskClient) -> None:
    add_readers(campaign, "a@example.org")
    send_form(owner, DIGEST, f"{DIGEST}/send", after=0)
    work_once(campaign)
    assert steps(read(owner.get(DIGEST))) == set()
    assert send_form(owner, DIGEST, f"{DIGEST}/edition/test").status_code == 409


@pytest.mark.parametrize("name", ["approve", "pause", "resume", "cancel", "test"])
def test_a_form_of_another_website_steers_nothing(campaign: Campaign, owner: FlaskClient, name: str) -> None:
    add_readers(campaign, "a@example.org")
    send_form(owner, DIGEST, f"{DIGEST}/send", after=0)
    before = dump(campaign)
    assert owner.post(f"{DIGEST}/edition/{name}", data={"number": 1, "sure": "y"}).status_code == 400
    assert owner.get(f"{DIGEST}/edition/{name}").status_code == 405
    assert dump(campaign) == before


@pytest.mark.parametrize("number", [10**30, -1, 2**31])
def test_a_number_that_no_edition_has_is_refused(campaign: Campaign, owner: FlaskClient, number: int) -> None:
    add_readers(campaign, "a@example.org")
    before = dump(campaign)
    for step in ("approve", "pause", "resume", "cancel"):
        sent = send_form(owner, DIGEST, f"{DIGEST}/edition/{step}", number=number, sure="y")
        assert sent.status_code == 400, step
    assert send_form(owner, DIGEST, f"{DIGEST}/send", after=number).status_code == 400
    assert dump(campaign) == before
