"""The lost link: asked for by typing the address, answered the same way for everybody, sent to whom it belongs."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from campaign.installation.wiring import Installation
from campaign.models import DeliveryKind, DeliveryState, LinkRequest, SuppressionReason
from campaign.services.delivery.ledger_audit import audit_ledger
from campaign.services.signatures.link_requests import answer_requests
from campaign.services.subscribers.suppressions import suppress
from campaign.web.app import create_app
from campaign.worker import LINKS, work_once
from tests.conftest import Clock, MakeInstallation
from tests.scenes.people import (
    add_readers,
    find_petition,
    get_signature,
    list_deliveries,
    send,
    sign,
    withdraw,
)
from tests.scenes.visiting import (
    ADDRESS,
    FROM_HERE,
    ask_for_link,
    code_in,
    dump,
    links_in,
    mails,
    other_browser,
    own_path,
    page_of,
    read,
)
from tests.servers.smtp import Mailbox

STRANGER, PENDING = "stranger@example.org", "pending@example.org"
PATH = f"{page_of()}/my-link"


def requests(installation: Installation) -> list[LinkRequest]:
    with installation.database.snapshots() as session:
        return list(session.scalars(select(LinkRequest)))


def links(installation: Installation) -> list[DeliveryState]:
    return [item.state for item in list_deliveries(installation) if item.kind is DeliveryKind.LINK]


@pytest.fixture
def signed(installation: Installation) -> Installation:
    add_readers(installation, ADDRESS)
    sign(installation, PENDING)
    work_once(installation)
    return installation


def test_the_answer_is_the_same_whoever_asks_and_so_is_what_is_kept_first(app: Flask, signed: Installation) -> None:
    answers = [ask_for_link(app, email) for email in (ADDRESS, PENDING, STRANGER, ADDRESS, STRANGER)]
    assert {answer.status_code for answer in answers} == {303}
    assert len({(answer.get_data(), str(answer.headers)) for answer in answers}) == 1
    kept = requests(signed)
    assert len(kept) == 3
    assert all(request.sealed_address and ADDRESS.encode() not in request.sealed_address for request in kept)
    assert "a mail with the link is on its way" in read(other_browser(app).get(answers[0].location)).text


def test_the_mail_goes_to_whom_it_belongs_and_every_address_is_erased(app: Flask, signed: Installation) -> None:
    for email in (ADDRESS, PENDING, STRANGER):
        ask_for_link(app, email, "ru")
    before = len(mails(signed))
    work_once(signed)
    assert links(signed) == [DeliveryState.ACCEPTED]
    assert [request.sealed_address for request in requests(signed)] == [None] * 3
    mail = mails(signed)[before - 1]
    assert links_in(mail) == [own_path(signed)]
    assert code_in(mail) == signed.vault.code(get_signature(signed, ADDRESS).id)
    with signed.database.snapshots() as session:
        accounts = audit_ledger(session, find_petition(signed))
    assert [(account.kind, account.owed) for account in accounts] == [("confirmation", 2), ("link", 1)]
    assert all(account.balances for account in accounts)


def test_a_second_request_at_once_changes_nothing(app: Flask, signed: Installation, clock: Clock) -> None:
    """A double click, or a form that is sent twice, is one wish."""
    ask_for_link(app, ADDRESS)
    before = dump(signed)
    clock.turn(timedelta(seconds=1))
    assert ask_for_link(app, ADDRESS).status_code == 303
    assert dump(signed) == before
    work_once(signed)
    clock.turn(timedelta(days=2))
    work_once(signed)
    assert links(signed) == [DeliveryState.ACCEPTED]


def test_whoever_asks_too_early_gets_the_mail_after_ten_minutes(app: Flask, signed: Installation, clock: Clock) -> None:
    for _ in range(5):
        ask_for_link(app, ADDRESS)
        work_once(signed)
        clock.turn(timedelta(minutes=1))
    assert links(signed) == [DeliveryState.ACCEPTED]
    clock.turn(timedelta(minutes=5))
    work_once(signed)
    assert links(signed) == [DeliveryState.ACCEPTED] * 2


def test_later_requests_are_answered_with_a_delay_and_not_dropped(
    app: Flask, signed: Installation, clock: Clock
) -> None:
    """The second mail ten minutes after the first, each later one a day after the last."""
    sent, seen = [], 0
    for minutes in range(0, 60 * 49, 10):
        if minutes <= 60:
            assert ask_for_link(app, ADDRESS).status_code == 303
        work_once(signed)
        found = links(signed).count(DeliveryState.ACCEPTED)
        sent += [minutes] * (found - seen)
        seen = found
        clock.turn(timedelta(minutes=10))
    assert sent == [0, 10, 10 + 24 * 60]
    assert [request.sealed_address for request in requests(signed)] == [None]


def test_the_address_of_who_has_not_signed_is_erased_at_once_also_if_the_turn_is_later(
    app: Flask, signed: Installation, clock: Clock
) -> None:
    for _ in range(3):
        ask_for_link(app, STRANGER)
        work_once(signed)
        assert [request.sealed_address for request in requests(signed)] == [None]
        clock.turn(timedelta(minutes=11))


def test_an_address_that_gets_no_mail_gets_none(app: Flask, signed: Installation) -> None:
    fingerprint = get_signature(signed, ADDRESS).fingerprint
    assert fingerprint is not None
    with signed.database.sessions.begin() as session:
        suppress(session, fingerprint, SuppressionReason.BOUNCED, now=signed.now())
    ask_for_link(app, ADDRESS)
    work_once(signed)
    assert links(signed) == [DeliveryState.SUPPRESSED]
    assert [request.sealed_address for request in requests(signed)] == [None]


def test_who_withdrew_in_between_gets_none(app: Flask, signed: Installation) -> None:
    ask_for_link(app, ADDRESS)
    with signed.database.sessions.begin() as session:
        assert answer_requests(session, now=signed.now()) == 1
    withdraw(signed, ADDRESS)
    assert requests(signed) == [], "nothing is kept of who withdrew"
    work_once(signed)
    assert links(signed) == [DeliveryState.SUPPRESSED]


@pytest.mark.parametrize(("sent", "status"), [({"email": "no address"}, 422), ({}, 422)])
def test_what_is_no_address_comes_back_with_a_sentence(
    app: Flask, installation: Installation, sent: dict[str, str], status: int
) -> None:
    answer = other_browser(app).post(PATH, data=sent, headers=FROM_HERE)
    assert answer.status_code == status
    assert read(answer).by_id("email-error").text
    assert (
        other_browser(app).post(PATH, data={"email": ADDRESS}, headers={"Origin": "https://a.example"}).status_code
        == 422
    )
    assert requests(installation) == []


def test_the_petition_leads_to_it(app: Flask) -> None:
    page = read(app.test_client().get(page_of("kk")))
    assert f"{page_of('kk')}/my-link" in [element["href"] for element in page.all("a")]


def test_it_arrives_over_smtp_after_the_confirmations_and_again_after_a_crash(
    make_sqlite_installation: MakeInstallation,
) -> None:
    """What a killed sender had begun is sent again under the same Message-ID: it is a person's way in."""
    with Mailbox() as mailbox:
        installation = make_sqlite_installation(smtp_url=mailbox.url)
        add_readers(installation, ADDRESS)
        ask_for_link(create_app(installation), ADDRESS)
        with installation.database.sessions.begin() as session:
            answer_requests(session, now=installation.now())
        send(installation, LINKS)
        with installation.database.sessions.begin() as session:
            (found,) = [item for item in list_deliveries(installation) if item.kind is DeliveryKind.LINK]
            found = session.merge(found)
            found.state, found.claimed_by, found.claimed_at = (
                DeliveryState.SENDING,
                "worker-1/mails",
                installation.now(),
            )
        send(installation, LINKS)
        first, second = (received.parsed for received in mailbox.wait_for(2))
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Subject"] == "The link to your own page"
    assert first["To"] == ADDRESS
    assert first["List-Unsubscribe"] is None
    for kind in ("plain", "html"):
        part = first.get_body((kind,))
        assert part is not None
        assert installation.links.own_page(get_signature(installation, ADDRESS).id) in part.get_content()
