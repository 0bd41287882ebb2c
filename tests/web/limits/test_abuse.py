"""Forms that machines send: nothing of them counts, nobody is bombed with mail, and the answers tell nothing."""

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from campaign.errors import InvalidSettings
from campaign.installation.wiring import Installation
from campaign.models import PetitionCounter, SignatureState, Suspicion, SuspicionKind
from campaign.text.email_address import parse_email_address
from campaign.web.app import create_app
from campaign.web.limits.disposable_domains import DisposableDomains
from tests.conftest import Clock, MakeInstallation
from tests.scenes.people import confirm, count, get_signature, list_deliveries
from tests.scenes.visiting import ADDRESS, FILLED_IN, FROM_HERE, confirm_path, dump, other_browser, page_of, post, read

RUNS = int(os.environ.get("ABUSE_RUNS", "300"))  # noqa: TID251 (the tests' own setting)
LONG = "We stand with the workers of Zhanaozen."


def send(client: FlaskClient, source: str, **fields: str) -> TestResponse:
    """A whole form from an address of the network."""
    return client.post(page_of(), data={**FILLED_IN, **fields}, headers=FROM_HERE, environ_base={"REMOTE_ADDR": source})


def kinds(installation: Installation) -> dict[SuspicionKind, int]:
    with installation.database.snapshots() as session:
        found = session.scalars(select(Suspicion)).all()
        return {kind: sum(row.kind is kind for row in found) for kind in {row.kind for row in found}}


def posts(installation: Installation) -> int:
    with installation.database.snapshots() as session:
        return session.scalars(select(PetitionCounter.posts)).one()


def _whole(answer: TestResponse) -> tuple[str, bytes, list[tuple[str, str]]]:
    """Every byte of an answer but the second of the clock that the cookies' end is counted from, and what is sealed."""
    headers = [(name, re.sub("Expires=[^;]+|(?<=typed=)[^;]+", "", value)) for name, value in answer.headers]
    return answer.status, answer.data, headers


def test_who_fills_in_the_hidden_field_is_answered_like_everybody_and_nothing_happens(
    make_sqlite_installation: MakeInstallation,
) -> None:
    installation = make_sqlite_installation()
    client = create_app(installation).test_client()
    page = read(client.get(page_of()))
    field = page.one("input", name="reference")
    assert (field["tabindex"], field["autocomplete"]) == ("-1", "off")
    machine, person = post(other_browser(client.application), reference="x"), post(client)
    assert _whole(machine) == _whole(person)
    assert len(list_deliveries(installation)) == 1
    assert posts(installation) == 2


def test_new_pending_and_confirmed_addresses_are_answered_alike(make_installation: MakeInstallation) -> None:
    installation = make_installation()
    app = create_app(installation)
    answers = [post(other_browser(app)), post(other_browser(app))]
    confirm(installation, ADDRESS)
    answers.append(post(other_browser(app)))
    first = answers[0]
    for answer in answers:
        # The cookie follows from the address alone.
        assert _whole(answer) == _whole(first)
    assert posts(installation) == 3
    assert len(list_deliveries(installation)) == 1


def test_a_signed_address_keeps_its_rows_when_it_is_posted_again(make_installation: MakeInstallation) -> None:
    """The work that is done for the clock's sake is taken back: only the count of forms moves."""
    installation = make_installation()
    app = create_app(installation)
    post(other_browser(app))
    confirm(installation, ADDRESS)
    before = dump(installation)
    post(other_browser(app), name="Somebody Else", comment="Another word")
    after = dump(installation)
    assert {table for table in after if after[table] != before[table]} == {
        next(table for table in after if table.endswith(".petition_counter"))
    }


def test_many_posts_of_one_address_send_one_mail(make_sqlite_installation: MakeInstallation) -> None:
    """Also where nothing else is in their way: a flood would bring the challenge."""
    installation = make_sqlite_installation(source_limit="60/hour", total_limit=0)
    client = create_app(installation).test_client()
    statuses = {send(client, f"10.{number // 256}.{number % 256}.1").status_code for number in range(RUNS)}
    assert statuses == {303}
    assert len(list_deliveries(installation)) == 1
    assert posts(installation) == RUNS


def test_bots_from_many_networks_move_the_count_by_nothing(make_sqlite_installation: MakeInstallation) -> None:
    installation = make_sqlite_installation(source_limit="60/hour", total_limit=0)
    client = create_app(installation).test_client()
    for number in range(RUNS):
        send(client, f"10.{number // 256}.{number % 256}.1", email=f"bot{number}@example.org")
    assert count(installation) == 0
    assert posts(installation) == RUNS
    assert kinds(installation) == {SuspicionKind.BURST: RUNS - 100}


def test_the_thirty_first_from_a_network_has_all_of_them_looked_at(make_sqlite_installation: MakeInstallation) -> None:
    installation = make_sqlite_installation(source_limit="60/hour")
    client = create_app(installation).test_client()
    for number in range(30):
        send(client, "192.0.2.1", email=f"signer{number}@example.org")
    assert kinds(installation) == {}
    confirm(installation, "signer0@example.org")
    send(client, "192.0.2.1", email="signer30@example.org")
    assert kinds(installation) == {SuspicionKind.SOURCE: 31}
    assert get_signature(installation, "signer0@example.org").state is SignatureState.CONFIRMED
    confirm(installation, "signer30@example.org")
    assert get_signature(installation, "signer30@example.org").state is SignatureState.QUARANTINED
    assert count(installation) == 1
    assert "192.0.2" not in str(dump(installation))


def test_the_same_comment_five_times_is_suspicious_and_a_short_one_is_not(
    make_sqlite_installation: MakeInstallation,
) -> None:
    installation = make_sqlite_installation(source_limit="60/hour")
    client = create_app(installation).test_client()
    for number in range(6):
        send(client, f"10.0.{number}.1", email=f"short{number}@example.org", comment="Solidarity!")
    for number in range(4):
        send(client, f"10.1.{number}.1", email=f"same{number}@example.org", comment=LONG)
    assert kinds(installation) == {}
    send(client, "10.2.0.1", email="fifth@example.org", comment=LONG.upper().replace(" ", " – "))
    assert kinds(installation) == {SuspicionKind.WORDS: 5}


def test_a_quarantined_signer_sees_what_others_see(make_sqlite_installation: MakeInstallation, tmp_path: Path) -> None:
    listed = tmp_path / "domains"
    listed.write_text("# throw-away\nexample.org  # ours\n", encoding="utf-8")
    pages = []
    for folder, domains in (("plain", None), ("suspected", listed)):
        installation = make_sqlite_installation(disposable_domains=domains)
        client = create_app(installation).test_client()
        email = f"{folder}@mail.example.org"
        post(client, email=email, updates="y")
        path = confirm_path(installation, email)
        before = count(installation)
        pages.append([client.post(path, data={"action": "confirm"}), client.get(path)])
        assert count(installation) - before == (domains is None)
    plain, suspected = pages
    for one, other in zip(plain, suspected, strict=True):
        # The second installation stands on the first one's database, so its number is one more.
        assert (
            one.get_data(as_text=True).replace('value="1"', 'value="2"').split("<main")[0]
            == (other.get_data(as_text=True).split("<main")[0])
        )
        assert read(one).one("h1").text == read(other).one("h1").text == "Thank you. Your signature counts."
        assert (one.status, [*one.headers.keys()]) == (other.status, [*other.headers.keys()])
        assert (read(one).one("progress")["value"], read(other).one("progress")["value"]) == ("1", "2")


def test_a_flood_costs_everybody_a_challenge_and_silences_no_network(
    make_sqlite_installation: MakeInstallation, clock: Clock
) -> None:
    installation = make_sqlite_installation(source_limit="60/hour", total_limit=2)
    app: Flask = create_app(installation)
    client = app.test_client()
    for number in range(3):
        assert send(client, "10.0.0.1", email=f"bot{number}@example.org").status_code == 303
    challenged = send(client, "10.9.0.1", email="person@example.org")
    assert challenged.status_code == 422
    assert read(challenged).filled_in()["name"] == FILLED_IN["name"]
    for _ in range(10):
        app.extensions["watch"].look(1, None, network="n", comment=None, domain="example.org", now=clock.moment)
    assert send(client, "10.0.0.1", email="bot9@example.org").status_code == 429
    # It is asked for a challenge, not sent away.
    assert send(client, "10.9.0.1", email="person@example.org").status_code == 422
    clock.turn(timedelta(hours=1, minutes=1))
    assert send(client, "10.9.0.1", email="person@example.org").status_code == 303


def test_the_list_of_domains_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "domains"
    path.write_text("Mail.example\n\n# none\n", encoding="utf-8")
    domains = DisposableDomains(path)
    assert [domains.find(name) for name in ("mail.example", "a.MAIL.example", "email.example", "example")] == [
        "mail.example", "mail.example", None, None,
    ]  # fmt: skip
    path.write_text("other.example\n", encoding="utf-8")
    assert [domains.find(name) for name in ("mail.example", "other.example")] == [None, "other.example"]
    path.unlink()
    assert domains.find("other.example") == "other.example"


def test_a_listed_domain_in_another_script_is_found_as_addresses_carry_it(tmp_path: Path) -> None:
    path = tmp_path / "domains"
    path.write_text("Bücher.example\nпошта.қаз # a comment\n", encoding="utf-8")
    domains = DisposableDomains(path)
    for typed in ("a@bücher.example", "a@mail.BÜCHER.example", "a@пошта.қаз"):
        assert domains.find(parse_email_address(typed).domain) is not None, typed
    assert domains.find("example") is None


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"somebody@example.org\n"])
def test_a_list_that_is_none_is_one_sentence_at_the_start(
    make_sqlite_installation: MakeInstallation, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "domains"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidSettings, match=r"^CAMPAIGN_DISPOSABLE_DOMAINS"):
        create_app(make_sqlite_installation(disposable_domains=path))
