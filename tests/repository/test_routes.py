"""Every route: it says who may enter, answers HEAD like GET, and asking it changes nothing."""

from collections.abc import Iterator

import pytest
from flask import Flask, url_for
from werkzeug.routing import Rule

from campaign.services.auditing import COMMAND_LINE, record
from campaign.wiring import Campaign
from campaign.web.security import Entry, entry_of
from tests.conftest import SLUG
from tests.services.people import add_readers, find_petition, make_digest, sign
from tests.web.visiting import confirm_path, dump, mails, unsubscribe_path

SIGNER, READER = "signer@example.org", "reader@example.org"


@pytest.fixture
def visited(campaign: Campaign) -> Campaign:
    """An installation in which there is something to see at every address."""
    add_readers(campaign, READER)
    sign(campaign, SIGNER)
    mails(campaign)
    make_digest(campaign)
    with campaign.database.sessions.begin() as session:
        record(session, COMMAND_LINE, "export", find_petition(campaign).id, now=campaign.now())
    return campaign


def _values(campaign: Campaign, rule: Rule) -> dict[str, object]:
    """Something real for every argument of the route."""
    known: dict[str, object] = {"lang": "ru", "slug": SLUG, "number": 1, "filename": "campaign.css"}
    if rule.endpoint.startswith("confirm."):
        known["token"] = confirm_path(campaign, SIGNER).rpartition("/")[2]
    if rule.endpoint.startswith("unsubscribe."):
        known["token"] = unsubscribe_path(campaign, READER).rpartition("/")[2]
    assert rule.arguments <= set(known), f"say in this test what {rule} is asked with"
    return {name: known[name] for name in rule.arguments}


def _addresses(app: Flask, campaign: Campaign) -> Iterator[tuple[str, str]]:
    """Every address that answers GET, with its endpoint."""
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if "GET" in (rule.methods or ()):
                yield rule.endpoint, url_for(rule.endpoint, **_values(campaign, rule))  # type: ignore[arg-type]


def test_every_route_says_who_may_enter(app: Flask) -> None:
    """Static files are public by nature; everything else declares an Entry."""
    undeclared = {
        str(rule): rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and not isinstance(entry_of(app.view_functions[rule.endpoint]), Entry)
    }
    assert undeclared == {}


def test_a_route_without_an_entry_would_be_found(app: Flask) -> None:
    app.add_url_rule("/forgotten", view_func=lambda: "")
    assert entry_of(app.view_functions[next(app.url_map.iter_rules("<lambda>")).endpoint]) is None


def test_every_public_address_is_there_to_be_asked(app: Flask, visited: Campaign) -> None:
    """Otherwise the tests below would compare nothing but error pages."""
    client = app.test_client()
    open_to_us = {
        address
        for endpoint, address in _addresses(app, visited)
        if endpoint == "static" or entry_of(app.view_functions[endpoint]) is not Entry.ORGANIZER
    }
    statuses = {address: client.get(address, buffered=True).status_code for address in open_to_us}
    assert {address: status for address, status in statuses.items() if status not in (200, 302)} == {}
    assert len(statuses) >= 12


def test_asking_any_address_leaves_every_table_as_it_is(app: Flask, visited: Campaign) -> None:
    addresses = list(_addresses(app, visited))
    before = dump(visited)
    changed = {}
    for method in ("GET", "HEAD", "OPTIONS"):
        for _, address in addresses:
            status = app.test_client().open(address, method=method, buffered=True).status_code
            assert status < 500
            if (after := dump(visited)) != before:
                changed[method, address] = {table for table in after if after[table] != before[table]}
                before = after
    assert changed == {}


def test_asking_any_address_leaves_every_file_as_it_is(app: Flask, visited: Campaign) -> None:
    def files() -> dict[str, bytes]:
        folder = visited.settings.data_dir
        kept = (path for path in folder.rglob("*") if path.is_file() and "sqlite" not in path.name)
        return {str(path): path.read_bytes() for path in kept}

    before = files()
    for _, address in _addresses(app, visited):
        app.test_client().get(address, buffered=True)
    assert files() == before
    assert any(name.endswith(".eml") for name in before)


def test_head_answers_like_get_without_a_body(app: Flask, visited: Campaign) -> None:
    different = {}
    for _, address in _addresses(app, visited):
        asked, headed = (app.test_client().open(address, method=method, buffered=True) for method in ("GET", "HEAD"))
        assert headed.data == b""
        if (asked.status_code, asked.mimetype) != (headed.status_code, headed.mimetype):
            different[address] = (asked.status, headed.status)
    assert different == {}


def test_what_changes_something_is_posted(app: Flask) -> None:
    """No other method than POST writes, so no page has a link that does."""
    methods = {method for rule in app.url_map.iter_rules() for method in rule.methods or ()}
    assert methods == {"GET", "HEAD", "OPTIONS", "POST"}
