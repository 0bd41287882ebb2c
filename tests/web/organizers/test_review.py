"""The pages on which organizers review signatures: see, choose, decide, take back."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from campaign.crypto.organizer_keys import OrganizerKey
from campaign.errors import NotPossible
from campaign.installation.wiring import Installation
from campaign.models import ReviewAction, Role, SignatureState, SuspicionKind
from campaign.services.moderation.decisions import take_back
from campaign.services.moderation.review_queue import Criteria
from campaign.services.privacy.burn import burn
from tests.scenes.organizer_keys import seal_petition
from tests.scenes.organizing import enroll, list_audit, send_form
from tests.scenes.people import count, find_petition, get_signature
from tests.scenes.reviewing import CHOICE, NUMBERS, REVIEW, press
from tests.scenes.suspects import check_counts, count_in, quarantine, review, suspect
from tests.scenes.visiting import dump, own_path, read

GROUP = f"{CHOICE}?state=quarantined&kind=source&group=g1"
TROLLS = [f"troll{number}@example.org" for number in range(3)]


def test_where_nothing_is_suspicious_the_page_says_what_would_stand_here(owner: FlaskClient) -> None:
    page = read(owner.get(REVIEW))
    assert "Nothing looks suspicious. Groups of signatures would be listed here" in page.text
    assert "Nothing has been decided yet. Each decision will be listed here" in page.text
    assert "No signature waits for a review." in read(owner.get(NUMBERS)).text
    assert "No signature matches." in read(owner.get(CHOICE)).text


def test_only_owners_are_shown_the_way_to_it(app: Flask, installation: Installation) -> None:
    for role in Role:
        client = enroll(app, installation, role, f"{role}@example.org")
        links = {link["href"] for link in read(client.get(NUMBERS)).all("a")}
        assert (REVIEW in links) is (role is Role.OWNER)


def test_a_group_is_seen_looked_at_and_invalidated_and_all_is_as_before_when_it_is_taken_back(
    installation: Installation, owner: FlaskClient
) -> None:
    count_in(installation, "early@example.org", "real@example.org")
    suspect(installation, "early@example.org")
    quarantine(installation, *TROLLS, name="Troll Trollson", comment="<b>Down</b> with it")
    numbers = read(owner.get(NUMBERS)).text
    assert "3 signatures wait for a review and do not count yet. 1 counted signature looks suspicious." in numbers

    page = read(owner.get(REVIEW))
    assert "Many from one network" in page.text
    assert "3 wait, 1 is counted." in page.text
    assert "Troll Trollson: “<b>Down</b> with it”" in page.text
    assert "23 November 2026" in page.text
    buttons = {link.text: link["href"] for link in page.all("a", role="button")}
    before = dump(installation)
    counted = owner.get(buttons["Look at the counted signatures"])
    assert read(counted).one("h1").text == "1 signature"
    waiting = owner.get(buttons["Look at the waiting signatures"])
    assert read(waiting).one("h1").text == "3 signatures"
    assert read(waiting).text.count("Troll Trollson") == 3
    assert dump(installation) == before

    assert "1 signature is invalid now." in read(press(owner, counted, "invalidate")).text
    assert check_counts(installation) == 1
    done = read(press(owner, waiting, "invalidate"))
    assert "3 signatures are invalid now." in done.text
    assert "Nothing looks suspicious." in done.text
    assert "troll0@example.org" not in done.text

    for number in (1, 2):
        undone = send_form(owner, REVIEW, f"{REVIEW}/undo", number=number)
        assert "is taken back" in read(owner.get(undone.location)).text
    assert check_counts(installation) == 2
    again = send_form(owner, REVIEW, f"{REVIEW}/undo", number=2)
    assert again.status_code == 409
    assert "was taken back already" in read(again).text
    assert [action for _, action, _ in list_audit(installation)][-4:] == [
        *["signatures invalidated"] * 2,
        *["review taken back"] * 2,
    ]
    assert "declared signatures invalid" in read(owner.get(NUMBERS)).text


def test_accepting_counts_them(installation: Installation, owner: FlaskClient) -> None:
    quarantine(installation, *TROLLS, updates=True)
    assert "3 signatures are accepted." in read(press(owner, owner.get(GROUP), "accept")).text
    assert check_counts(installation) == 3


def test_whoever_saw_other_signatures_is_told_and_looks_again(installation: Installation, owner: FlaskClient) -> None:
    quarantine(installation, *TROLLS)
    shown = owner.get(GROUP)
    quarantine(installation, "late@example.org")
    before = dump(installation)
    answer = press(owner, shown, "accept")
    assert answer.status_code == 409
    again = read(answer)
    assert "Nothing was done: signatures were added" in again.text
    assert again.one("h1").text == "4 signatures"
    assert dump(installation) == before
    assert "4 signatures are accepted." in read(press(owner, answer, "accept")).text


def test_a_button_that_is_pressed_twice_decides_once(installation: Installation, owner: FlaskClient) -> None:
    quarantine(installation, *TROLLS)
    page = owner.get(GROUP)
    for _ in range(2):
        assert "3 signatures are accepted." in read(press(owner, page, "accept")).text
    assert check_counts(installation) == 3
    assert len(read(owner.get(REVIEW)).all("form", action=f"{REVIEW}/undo")) == 1


def test_criteria_narrow_the_choice(installation: Installation, owner: FlaskClient) -> None:
    quarantine(installation, "a@example.org", language="ru", country="KZ")
    quarantine(installation, "b@example.org", kind=SuspicionKind.WORDS, country="DE")
    count_in(installation, "c@example.org", country="KZ")
    chosen = {
        "": 2,
        "?state=confirmed": 1,
        "?state=confirmed&kind=source": 0,
        "?language=ru": 1,
        "?country=DE": 1,
        "?kind=words": 1,
        "?kind=source&group=g2": 0,
        "?first=2026-11-23&last=2026-11-23": 2,
        "?first=2026-11-24": 0,
        "?last=2026-11-22": 0,
    }
    for query, wanted in chosen.items():
        heading = read(owner.get(CHOICE + query)).one("h1").text
        assert heading.split()[0] == str(wanted), query


def test_counted_ones_that_nobody_suspects_can_only_be_invalidated(
    installation: Installation, owner: FlaskClient
) -> None:
    count_in(installation, "a@example.org")
    shown = owner.get(f"{CHOICE}?state=confirmed")
    page = read(shown)
    assert [button.text for button in page.all("button") if "signature" in button.text] == [
        "Declare 1 signature invalid",
        "Show these signatures",
    ]
    token = page.all("input", name="csrf_token")[0]["value"]
    forged = {"csrf_token": token, "state": "confirmed", "seen": "x", "action": "accept"}
    assert owner.post(REVIEW, data=forged).status_code == 400


@pytest.mark.parametrize(
    ("query", "field", "sentence"),
    [
        ("state=pending", "state", "Please choose which signatures."),
        ("kind=ugly", "kind", "Please choose a reason from the list."),
        ("first=yesterday", "first", "Please write the day like 2026-11-25."),
        ("first=2026-11-24&last=2026-11-23", "last", "The last day is before the first one."),
        ("language=xx", "language", "Please choose a language of this petition."),
        ("country=Atlantis", "country", "Please choose a country from the list."),
        ("kind=source&group=%00", "group", "There is no such group."),
        ("group=g1", "group", "There is no such group."),
    ],
)
def test_criteria_that_cannot_be_used_are_told(owner: FlaskClient, query: str, field: str, sentence: str) -> None:
    answer = owner.get(f"{CHOICE}?{query}")
    assert answer.status_code == 422
    page = read(answer)
    assert sentence in page.one("div", role="alert").text
    assert page.all("table", id="matching") == []
    if field != "group":
        assert page.by_id(field)["aria-invalid"] == "true"


def test_of_a_sealed_petition_there_are_no_examples(installation: Installation, owner: FlaskClient) -> None:
    seal_petition(installation, OrganizerKey.fresh())
    quarantine(installation, *TROLLS, name="Troll Trollson")
    page = read(owner.get(REVIEW))
    assert "sealed to the organizers’ keys, so this server has no examples to show" in page.text
    assert "Troll Trollson" not in page.text
    chosen = owner.get(GROUP)
    assert read(chosen).one("h1").text == "3 signatures"
    assert "this server cannot show them" in read(chosen).text
    assert "3 signatures are accepted." in read(press(owner, chosen, "accept")).text


def test_of_an_erased_name_only_that_it_is_erased_is_shown(installation: Installation, owner: FlaskClient) -> None:
    quarantine(installation, "a@example.org")
    with installation.database.sessions.begin() as session:
        session.merge(get_signature(installation, "a@example.org")).sealed_person = None
    assert "erased" in read(owner.get(GROUP)).by_id("matching").text


def test_the_signer_is_not_told_that_the_signature_waits(app: Flask, installation: Installation) -> None:
    count_in(installation, "counted@example.org")
    quarantine(installation, "waits@example.org")
    pages: dict[str, list[str]] = {}
    for email in ("counted@example.org", "waits@example.org"):
        path = own_path(installation, email)
        for page in (path, f"{path}/withdraw", f"{path}/data.json"):
            answer = app.test_client().get(page)
            assert answer.status_code == 200
            token = path.rpartition("/")[2]
            told = answer.get_data(as_text=True).replace(token, "TOKEN")
            pages.setdefault(page.replace(path, ""), []).append(re.sub(r'"asked_(?:on|at)": "[^"]*"', "", told))
    assert all(counted == waiting for counted, waiting in pages.values())
    review(installation, ReviewAction.INVALIDATE)
    assert get_signature(installation, "waits@example.org").state is SignatureState.INVALIDATED
    assert count(installation) == 1


def test_of_a_decision_about_a_burned_petition_it_is_said_that_nothing_else_is_left(
    installation: Installation, owner: FlaskClient
) -> None:
    quarantine(installation, *TROLLS)
    decision = review(installation, ReviewAction.INVALIDATE, Criteria(SignatureState.QUARANTINED))
    petition = find_petition(installation)
    list(burn(installation.database.sessions, petition.id, actor="x", now=installation.now()))
    page = owner.get(REVIEW)
    assert "the petition was burned" in [cell.text for cell in read(page).all("td")]
    assert "Take it back" not in page.get_data(as_text=True)
    with pytest.raises(NotPossible, match="burned"):
        take_back(installation.database.sessions, petition.id, decision.id, actor="x", now=installation.now())
