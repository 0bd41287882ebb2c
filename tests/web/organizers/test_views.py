"""The organizers' pages: who sees what, numbers that are those of the services, exports and digests sent once."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select
from werkzeug.routing import Rule

from campaign.i18n import Language
from campaign.installation.wiring import Installation
from campaign.models import AuditEntry, Delivery, DeliveryKind, Membership, Role, SignatureState
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.delivery.claims import Batch
from campaign.services.exports import rows as export_rows
from campaign.services.exports.rows import Format
from campaign.services.organizers.permissions import PERMISSIONS, Permission
from campaign.services.petitions.counts import list_days
from campaign.services.petitions.lifecycle import close_petition, hand_over
from campaign.services.petitions.store import get_petition
from campaign.web.core.daily_counts import SHOWN
from campaign.web.core.security import Entry, entry_of
from tests.conftest import SLUG, STAGE, START, Clock
from tests.scenes.organizing import (
    EMAIL,
    HOME,
    OTHER,
    OTHER_TITLE,
    SIGN_IN,
    enroll,
    list_audit,
    list_made,
    read_table,
    send_form,
    token_of,
)
from tests.scenes.page import Page
from tests.scenes.people import add_readers, confirm_all, find_petition, list_deliveries, make_digest, send, sign
from tests.scenes.visiting import dump, mails, read

NUMBERS = f"/organize/p/{SLUG}"
DIGEST = f"{NUMBERS}/digest"
SENT = {
    "challenge": "on",
    "seen": "nothing",
    "action": "invalidate",
    "list": "signatures",
    "format": "csv",
    "reason": "To hand it over",
    "after": 0,
    "to": "open",
    "number": 1,
    "which": "offered",
}


def petition_rules(app: Flask) -> list[Rule]:
    """Every route of the organizers' pages that is about one petition."""
    return [
        rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("organize.") and "slug" in rule.arguments
    ]


def asked(app: Flask, client: FlaskClient, slug: str, **sent: Any) -> Iterator[tuple[Rule, int, str]]:
    """Ask every such route for one petition, with each method it has: route, status, body."""
    for rule in petition_rules(app):
        with app.test_request_context():
            values: dict[str, Any] = {"slug": slug, "lang": "en"}
            path = app.url_map.bind("localhost").build(rule.endpoint, {name: values[name] for name in rule.arguments})
        answer = client.post(path, data=sent) if "POST" in (rule.methods or ()) else client.get(path)
        yield rule, answer.status_code, answer.get_data(as_text=True)


def permission_of(app: Flask, rule: Rule) -> Permission:
    permission = getattr(app.view_functions[rule.endpoint], "permission", None)
    assert isinstance(permission, Permission)
    return permission


def test_every_route_of_a_petition_says_which_permission_it_needs(app: Flask) -> None:
    rules = petition_rules(app)
    assert len(rules) == 27
    assert {permission_of(app, rule) for rule in rules} == set(Permission)
    organizers = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("organize.")]
    assert {entry_of(app.view_functions[rule.endpoint]) for rule in organizers} == {Entry.ORGANIZER}


@pytest.mark.parametrize("role", list(Role))
def test_a_role_opens_what_it_permits_and_nothing_more(
    app: Flask, installation: Installation, other_petition: str, role: Role
) -> None:
    """Role × route × petition. Where there is no role, nothing tells the petition from one that does not exist."""
    add_readers(installation, "reader@example.org")
    client = enroll(app, installation, role)
    sent = {**SENT, "csrf_token": token_of(client, HOME)}
    for rule, status, body in asked(app, client, SLUG, **sent):
        permitted = permission_of(app, rule) in PERMISSIONS[role]
        assert status in ({200, 303, 409, 422} if permitted else {403}), rule  # no edition is there to be paused
        if not permitted:
            assert "reader@example.org" not in body
            assert "Aigerim" not in body
    before = dump(installation)
    theirs, nobodys = list(asked(app, client, other_petition, **sent)), list(asked(app, client, "nothing", **sent))
    assert {status for _, status, _ in theirs} == {404}
    assert theirs == nobodys
    assert dump(installation) == before
    assert OTHER_TITLE not in client.get(HOME).get_data(as_text=True)


def test_a_visitor_is_asked_to_sign_in_and_told_nothing(
    app: Flask, installation: Installation, other_petition: str
) -> None:
    before = dump(installation)
    for slug in (SLUG, other_petition, "nothing"):
        client = app.test_client()
        for rule, status, _ in asked(app, client, slug, **SENT):
            assert status == 302, rule
    assert dump(installation) == before
    answer = app.test_client().get(NUMBERS)
    assert urlsplit(answer.location).path == SIGN_IN
    assert urlsplit(app.test_client().post(f"{NUMBERS}/export").location).query == ""


def test_a_role_that_was_taken_away_ends_at_once(app: Flask, installation: Installation, owner: FlaskClient) -> None:
    assert owner.get(NUMBERS).status_code == 200
    with installation.database.sessions.begin() as session:
        session.execute(delete(Membership))
    assert owner.get(NUMBERS).status_code == 404
    assert "campaign organizer add" in read(owner.get(HOME)).text


@pytest.mark.parametrize("path", [f"{NUMBERS}/export", f"{DIGEST}/send", "/organize/sign-out"])
@pytest.mark.parametrize("token", [None, "wrong"])
def test_a_form_of_another_website_changes_nothing(
    installation: Installation, owner: FlaskClient, path: str, token: str | None
) -> None:
    add_readers(installation, "reader@example.org")
    before = dump(installation)
    data = SENT if token is None else {**SENT, "csrf_token": token}
    assert owner.post(path, data=data).status_code == 400
    assert dump(installation) == before
    assert owner.get(HOME).status_code == 200


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        (f"{NUMBERS}/export", {"list": "keys", "format": "csv"}),
        (f"{NUMBERS}/export", {"list": "signatures", "format": "exe", "reason": "A reason"}),
        (f"{NUMBERS}/export", {"list": "signatures", "format": "age", "reason": "A petition without keys"}),
        (f"{NUMBERS}/export/take", {"number": "10000000000000000000"}),
        (f"{NUMBERS}/export", {}),
        (f"{DIGEST}/send", {}),
        (f"{DIGEST}/send", {"after": "many"}),
    ],
)
def test_a_form_that_our_page_does_not_send_is_refused(
    installation: Installation, owner: FlaskClient, path: str, sent: dict[str, str]
) -> None:
    before = dump(installation)
    assert send_form(owner, NUMBERS, path, **sent).status_code == 400
    assert dump(installation) == before


def test_looking_changes_nothing(app: Flask, installation: Installation, owner: FlaskClient) -> None:
    add_readers(installation, "reader@example.org")
    make_digest(installation)
    before = dump(installation)
    paths = [HOME, SIGN_IN, NUMBERS, f"{NUMBERS}/export", DIGEST]
    paths += [f"{DIGEST}?made=1", f"{DIGEST}?skipped=1", f"{DIGEST}/ru/html"]
    assert {path: owner.get(path).status_code for path in paths} == dict.fromkeys(paths, 200)
    for path in (f"{NUMBERS}/export/take", f"{DIGEST}/send", "/organize/sign-out"):
        assert owner.get(path).status_code == 405
    assert dump(installation) == before


def test_the_list_has_each_petition_with_count_and_role(
    app: Flask, installation: Installation, owner: FlaskClient, other_petition: str
) -> None:
    add_readers(installation, "a@example.org", "b@example.org")
    enroll(app, installation, Role.VIEWER, slug=other_petition)
    assert owner.get(HOME).status_code == 302  # the new link has ended the session
    client = enroll(app, installation, Role.VIEWER, slug=other_petition)
    text = read(client.get(HOME)).text
    assert OTHER_TITLE in text
    assert "open 2 owner" in text
    assert "open 0 viewer" in text


def test_the_numbers_are_those_of_the_services(app: Flask, installation: Installation, owner: FlaskClient) -> None:
    add_readers(installation, "a@example.org", "b@example.org")
    sign(installation, "waiting@example.org")
    edition = make_digest(installation)
    text = read(owner.get(NUMBERS)).text
    assert "2 people have signed" in text
    assert f"of a goal of {Language('en').number(find_petition(installation).goal)}" in text
    assert "Readers of the digest 2" in text
    assert "Confirmation mails waiting 3" in text
    # The petition's clock, not the server's: noon in Almaty.
    assert f"Last edition No. {edition.number}, 23 November 2026, 12:00" in text
    assert "(Asia/Almaty)" in text


def test_a_confirmation_mail_that_has_left_waits_no_more(installation: Installation, owner: FlaskClient) -> None:
    sign(installation, "one@example.org")
    sign(installation, "two@example.org")
    send(installation, Batch(DeliveryKind.CONFIRMATION))
    sign(installation, "three@example.org")
    assert "Confirmation mails waiting 1" in read(owner.get(NUMBERS)).text
    assert read_table(owner, NUMBERS, "ledger")[0][1] == "3"


def test_the_chart_shows_each_day_and_the_table_its_numbers(
    app: Flask, installation: Installation, owner: FlaskClient, clock: Clock
) -> None:
    """One signature before the window, some days inside it, the days between them 0."""
    for days_ago, people in ((SHOWN + 5, 4), (SHOWN - 1, 1), (30, 3), (29, 2), (0, 2)):
        clock.moment = START - timedelta(days=days_ago)
        for number in range(people):
            sign(installation, f"person{days_ago}-{number}@example.org")
        confirm_all(installation)
    page = read(owner.get(NUMBERS))
    with installation.database.snapshots() as session:
        stored = dict(list_days(session, find_petition(installation).id))
    rows = [[int(cell) for cell in row[1:]] for row in read_table(owner, NUMBERS, "days")]
    today = START.date()
    wanted, total = [], 0
    for ago in range(SHOWN + 10, -1, -1):
        confirmed = stored.get(today - timedelta(days=ago), 0)
        total += confirmed
        if ago < SHOWN:
            wanted.append([confirmed, total])
    assert rows == wanted[::-1]
    shown = [date.fromisoformat(time["datetime"]) for time in page.all("time")]
    assert shown == [today - timedelta(days=ago) for ago in range(SHOWN)]
    assert rows[0] == [2, 12]
    picture = page.one("svg")
    assert picture["role"] == "img"
    assert [page.by_id(part).tag for part in picture["aria-labelledby"].split()] == ["title", "desc"]
    assert [float(bar["height"]) for bar in page.all("rect")] == [33.3, 100.0, 66.7, 66.7]
    assert "at most 3 on one day, 24 October 2026" in page.by_id("chart-description").text


def test_before_the_first_signature_there_is_no_empty_chart(owner: FlaskClient, installation: Installation) -> None:
    with installation.database.sessions.begin() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.actor == STAGE))  # that the owner has the role
    page = read(owner.get(NUMBERS))
    assert not page.all("svg")
    assert f"Nobody has signed in the last {SHOWN} days." in page.text
    assert "No digest has been made yet." in page.text
    assert "Nothing is recorded yet." in page.text


def test_the_ledger_says_whether_it_balances(installation: Installation, owner: FlaskClient) -> None:
    add_readers(installation, "a@example.org", "b@example.org")
    make_digest(installation)
    mails(installation)
    rows = read_table(owner, NUMBERS, "ledger")
    # Who confirmed before the mail was sent needs it no more.
    assert rows == [
        ["Confirmations", "2", "0", "0", "0", "0", "0", "2", "0", "2", "balances"],
        ["Edition 1", "2", "0", "0", "2", "0", "0", "0", "0", "2", "balances"],
    ]
    assert "The ledger balances" in read(owner.get(NUMBERS)).text
    with installation.database.sessions.begin() as session:
        lost = session.scalars(select(Delivery).where(Delivery.kind == DeliveryKind.DIGEST)).first()
        session.delete(lost)
    assert read_table(owner, NUMBERS, "ledger")[1][-2:] == ["1", "does not balance"]
    assert "does not balance" in read(owner.get(NUMBERS)).one("p", role="alert").text


@pytest.mark.parametrize("kind", list(Format))
@pytest.mark.parametrize("chosen", ["signatures", "subscribers"])
def test_an_export_is_what_the_service_writes_and_is_recorded(
    installation: Installation, owner: FlaskClient, kind: Format, chosen: str
) -> None:
    add_readers(installation, "a@example.org", "b@example.org")
    sign(installation, "waiting@example.org", name="Not counted yet")
    sent = {"list": chosen, "format": kind.value, "reason": " To hand\r\nit over"}
    answer = send_form(owner, NUMBERS, f"{NUMBERS}/export", **sent)
    petition, vault = find_petition(installation), installation.vault
    with installation.database.snapshots() as session:
        if chosen == "signatures":
            rows = export_rows.list_signatures(session, vault, petition, SignatureState.CONFIRMED)
            written = b"".join(export_rows.write_rows(rows, export_rows.SIGNATURE_COLUMNS, kind))
        else:
            rows = export_rows.list_subscribers(session, vault, petition)
            written = b"".join(export_rows.write_rows(rows, export_rows.SUBSCRIBER_COLUMNS, kind))
    assert answer.status_code == 200
    assert answer.data == written
    assert b"example.org" in written if chosen == "subscribers" else b"Aigerim Serikova" in written
    assert answer.headers["Content-Type"] == (
        "text/csv; charset=utf-8" if kind is Format.CSV else "application/x-ndjson"
    )
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{SLUG}-{chosen}-2026-11-23.{kind.value}"'
    assert answer.headers["Cache-Control"] == "no-store"
    state = {"state": "confirmed"} if chosen == "signatures" else {}
    assert list_audit(installation) == [
        (EMAIL, "export", {"list": chosen, "format": kind.value, **state, "reason": "To hand it over"})
    ]


def test_an_export_is_recorded_before_its_first_byte(installation: Installation, owner: FlaskClient) -> None:
    """Breaking the download off does not take the record away; every organizer sees it."""
    add_readers(installation, "a@example.org")
    data = {**SENT, "csrf_token": token_of(owner, NUMBERS), "list": "subscribers", "format": "jsonl"}
    answer = owner.post(f"{NUMBERS}/export", data=data, buffered=False)
    assert [action for _, action, _ in list_audit(installation)] == ["export"]
    answer.close()
    assert read_table(owner, NUMBERS, "audit")[0][1:] == [
        EMAIL,
        "exported a list",
        "list: the digest’s readers; format: jsonl; reason: To hand it over",
    ]


def test_an_export_is_streamed_from_one_moment(installation: Installation, owner: FlaskClient) -> None:
    add_readers(installation, *(f"reader{number}@example.org" for number in range(30)))
    data = {**SENT, "csrf_token": token_of(owner, NUMBERS), "format": "jsonl"}
    answer = owner.post(f"{NUMBERS}/export", data=data, buffered=False)
    pieces = answer.iter_encoded()
    first = json.loads(next(pieces))
    add_readers(installation, "late@example.org")
    assert (first["number"], len(list(pieces))) == (1, 29)
    answer.close()


def test_the_preview_is_what_readers_will_get(installation: Installation, owner: FlaskClient) -> None:
    add_readers(installation, "a@example.org", "b@example.org")
    page = read(owner.get(DIGEST))
    frames = page.all("iframe")
    assert [frame["src"] for frame in frames] == [f"{DIGEST}/{code}/html?frequency=each" for code in ("en", "ru", "kk")]
    assert {frame["sandbox"] for frame in frames} == {"allow-top-navigation-by-user-activation"}
    assert "sent to 2 readers" in page.text
    edition = make_digest(installation)
    assert {text.subject for text in edition.texts} == {subject.text for subject in page.all("strong")}


def test_the_preview_is_for_the_reader_who_is_asked_for(installation: Installation, owner: FlaskClient) -> None:
    """By a form that changes nothing."""
    add_readers(installation, "a@example.org")
    before = dump(installation)
    form = read(owner.get(DIGEST)).one("form", method="get")
    assert "action" not in form.attributes
    page = read(owner.get(f"{DIGEST}?language=kk&frequency=monthly"))
    assert [frame["src"] for frame in page.all("iframe")] == [f"{DIGEST}/kk/html?frequency=monthly"]
    chosen = {option["value"] for option in page.all("option") if "selected" in option.attributes}
    assert chosen == {"kk", "monthly"}
    assert {page.by_id(label["for"]).tag for label in page.all("label")} == {"select"}
    assert owner.get(f"{DIGEST}?language=xx").status_code == 404
    assert len(read(owner.get(f"{DIGEST}?frequency=hourly")).all("iframe")) == 3
    assert dump(installation) == before


def test_the_preview_says_where_a_reader_of_milestones_gets_nothing(
    installation: Installation, owner: FlaskClient
) -> None:
    add_readers(installation, "a@example.org")
    page = read(owner.get(f"{DIGEST}?frequency=milestones"))
    assert "passes no milestone" in page.text
    assert not page.all("iframe")
    with installation.database.sessions.begin() as session:
        get_petition(session, SLUG).milestones = [1]
    page = read(owner.get(f"{DIGEST}?frequency=milestones"))
    assert "passes no milestone" not in page.text
    assert len(page.all("iframe")) == 3


@pytest.mark.parametrize("code", ["en", "ru", "kk"])
def test_the_preview_has_the_footer_of_the_mail_with_links_that_lead_nowhere(
    installation: Installation, owner: FlaskClient, code: str
) -> None:
    add_readers(installation, "a@example.org")
    answer = owner.get(f"{DIGEST}/{code}/html")
    links = [element for element in Page(answer.get_data(as_text=True)).all("a") if "href" not in element.attributes]
    assert len(links) == 3
    assert all(link.text for link in links)
    text = read(owner.get(f"{DIGEST}?language={code}")).one("pre").text
    for shown in ("/unsubscribe/…", "/me/…", f"/{code}/p/{SLUG}/digest/1"):
        assert installation.settings.base_url + shown in text


@pytest.mark.parametrize("code", ["en", "ru", "kk"])
def test_a_mail_in_the_preview_runs_and_loads_nothing(
    installation: Installation, owner: FlaskClient, code: str
) -> None:
    add_readers(installation, "a@example.org")
    answer = owner.get(f"{DIGEST}/{code}/html")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline';")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "@@" not in answer.get_data(as_text=True)
    assert owner.get(f"{DIGEST}/xx/html").status_code == 404


def test_sending_by_hand_makes_one_edition_and_sends_it(installation: Installation, owner: FlaskClient) -> None:
    add_readers(installation, "a@example.org", "b@example.org")
    page = read(owner.get(DIGEST))
    answer = owner.post(f"{DIGEST}/send", data=page.filled_in())
    assert (answer.status_code, answer.location) == (303, f"{DIGEST}?made=1")
    after = read(owner.get(answer.location))
    assert "Edition 1 is made" in after.one("p", role="status").text
    assert "there is nothing to send" in after.text
    assert not after.all("form", action=f"{DIGEST}/send")
    assert list_audit(installation) == [(EMAIL, "digest sent", {"edition": 1, "readers": 2})]
    digests = [mail for mail in mails(installation) if "/unsubscribe/" in mail]
    assert len(digests) == 2


def test_an_impatient_second_click_makes_no_second_edition(
    installation: Installation, owner: FlaskClient, clock: Clock
) -> None:
    """Nor, with a clock that stands still, a second mail."""
    add_readers(installation, "a@example.org", "b@example.org")
    form = read(owner.get(DIGEST)).filled_in()
    assert owner.post(f"{DIGEST}/send", data=form).status_code == 303
    add_readers(installation, "c@example.org")
    assert owner.post(f"{DIGEST}/send", data=form).location == f"{DIGEST}?made=1"
    clock.turn(timedelta(milliseconds=1))
    before = dump(installation)
    answer = owner.post(f"{DIGEST}/send", data=form)
    assert answer.status_code == 409
    assert "Edition 1 was made in the meantime" in read(answer).one("p", role="alert").text
    assert dump(installation) == before
    assert [edition.number for edition in list_made(installation)] == [1]
    assert len([delivery for delivery in list_deliveries(installation) if delivery.kind is DeliveryKind.DIGEST]) == 2


def test_where_nothing_is_new_there_is_no_button(installation: Installation, owner: FlaskClient) -> None:
    """And whoever presses it all the same, on an old page, makes a record and no edition."""
    add_readers(installation, "a@example.org")
    make_digest(installation)
    page = read(owner.get(DIGEST))
    assert "There is no news since the last edition" in page.text
    assert not page.all("form", action=f"{DIGEST}/send")
    answer = send_form(owner, DIGEST, f"{DIGEST}/send", after=1)
    assert (answer.status_code, answer.location) == (303, f"{DIGEST}?skipped=1")
    assert "nothing to send" in read(owner.get(answer.location)).one("p", role="status").text
    assert read_table(owner, NUMBERS, "editions")[0][2] == "skipped: nothing new since the last edition"
    assert [action for _, action, _ in list_audit(installation)] == ["digest skipped"]


def test_where_nobody_reads_there_is_no_button(installation: Installation, owner: FlaskClient) -> None:
    sign(installation, "a@example.org")
    confirm_all(installation)
    page = read(owner.get(DIGEST))
    assert "Nobody is subscribed yet" in page.text
    assert not page.all("form", action=f"{DIGEST}/send")


@pytest.mark.parametrize("query", ["made=7", "made=<script>", "made=-1", "skipped=<b>", "made=1"])
def test_a_made_up_message_is_not_shown(installation: Installation, owner: FlaskClient, query: str) -> None:
    page = read(owner.get(f"{DIGEST}?{query}"))
    assert not page.all("p", role="status")


def test_pages_take_nothing_from_elsewhere_and_run_nothing(installation: Installation, owner: FlaskClient) -> None:
    add_readers(installation, "a@example.org")
    make_digest(installation)
    add_readers(installation, "b@example.org")
    # The pages that ask for a passkey have a script of ours: tests/repository/test_headers.py.
    for path in (HOME, NUMBERS, f"{NUMBERS}/export", DIGEST):
        page = read(owner.get(path))
        assert not [element for element in page.elements if element.tag in {"script", "style"}]
        assert not [element for element in page.elements if "style" in element.attributes]
        assert {urlsplit(address).netloc for _, address in page.addresses()} == {""}
        assert {scroll["tabindex"] for scroll in page.all("div", role="region")} <= {"0"}
        assert all(cell["scope"] for cell in page.all("th"))
        assert len(page.all("caption")) == len(page.all("table"))
    assert OTHER not in owner.get(HOME).get_data(as_text=True)


def test_the_numbers_say_when_names_and_addresses_are_erased_by_schedule(
    owner: FlaskClient, installation: Installation
) -> None:
    """Nobody is to learn from an empty list that it was time."""
    add_readers(installation, "reader@example.org")
    assert "names of the first signers" in read(owner.get(NUMBERS)).text
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        hand_over(session, petition, actor=COMMAND_LINE, now=installation.now())
        close_petition(session, petition, actor=COMMAND_LINE, now=installation.now())
    told = read(owner.get(NUMBERS)).text
    assert "Readers’ addresses are erased on 23 December 2026" in told
    assert "Names are erased on 23 December 2026" in told
