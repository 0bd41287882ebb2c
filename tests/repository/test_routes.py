"""Every route: it says who may enter, answers HEAD like GET, and asking it changes nothing."""

import re
from itertools import product

from flask import Flask, template_rendered
from flask.testing import FlaskClient

from campaign.i18n import TEMPLATES
from campaign.installation.wiring import Installation
from campaign.web.core.security import Entry, entry_of
from tests.browser.states import ANSWERS, MAILS_IN_FRAMES, PAGES, REDIRECTS
from tests.scenes.addresses import list_addresses
from tests.scenes.visiting import dump

WEB = TEMPLATES / "web"


def _entry(app: Flask, endpoint: str) -> Entry | None:
    return Entry.PUBLIC if endpoint == "static" else entry_of(app.view_functions[endpoint])


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


def test_every_address_is_there_to_be_asked(
    app: Flask, visited: Installation, visitors: dict[str, FlaskClient]
) -> None:
    """Otherwise the tests below would compare nothing but error pages.

    Strangers are sent to sign in, and so is who comes to the second step without the first; a preview leads to the
    page that is public meanwhile, and an address without a language to the reader's own.
    """
    found, wanted = {}, {}
    for endpoint, address in list_addresses(app, visited):
        organizers = _entry(app, endpoint) is Entry.ORGANIZER
        for who, client in visitors.items():
            found[who, address] = client.get(address, buffered=True).status_code
            leads = endpoint in {"second_factor.show", "petition.preview", "petition.choose_language"}
            wanted[who, address] = 302 if leads or (organizers and who == "stranger") else 200
    assert found == wanted
    assert {200, 302} == set(found.values())


def test_every_page_is_among_those_that_are_looked_at(
    app: Flask, visited: Installation, visitors: dict[str, FlaskClient]
) -> None:
    """With a browser (tests/browser/test_accessible.py): each address, and each template that none of them shows here.

    A redirect is HTML too, so this tells of pages that these visitors do not see.
    """
    asked, made = set(), set()
    with template_rendered.connected_to(lambda _app, template, **_: made.add(template.name), app):
        for client, (endpoint, address) in product(visitors.values(), list_addresses(app, visited)):
            if client.get(address, buffered=True).mimetype == "text/html":
                asked.add(endpoint)
    assert asked <= {*PAGES, *MAILS_IN_FRAMES, *REDIRECTS}
    templates = {path.relative_to(WEB).as_posix(): path.read_text(encoding="utf-8") for path in WEB.rglob("*.html")}
    extended = set(re.findall(r'{% extends "(.+?)" %}', "".join(templates.values())))
    pages = {name for name, text in templates.items() if text.startswith("{% extends") and name not in extended}
    assert pages - made <= set(ANSWERS)


def test_asking_any_address_leaves_every_table_as_it_is(
    app: Flask, visited: Installation, visitors: dict[str, FlaskClient]
) -> None:
    addresses = list_addresses(app, visited)
    before = dump(visited)
    changed = {}
    for (who, client), method, (_, address) in product(visitors.items(), ("GET", "HEAD", "OPTIONS"), addresses):
        assert client.open(address, method=method, buffered=True).status_code < 400
        if (after := dump(visited)) != before:
            changed[who, method, address] = {table for table in after if after[table] != before[table]}
            before = after
    assert changed == {}


def test_asking_any_address_leaves_every_file_as_it_is(
    app: Flask, visited: Installation, visitors: dict[str, FlaskClient]
) -> None:
    def files() -> dict[str, bytes]:
        folder = visited.settings.data_dir
        kept = (path for path in folder.rglob("*") if path.is_file() and "sqlite" not in path.name)
        return {str(path): path.read_bytes() for path in kept}

    addresses = list_addresses(app, visited)
    before = files()
    for client, (_, address) in product(visitors.values(), addresses):
        client.get(address, buffered=True)
    assert files() == before
    assert any(name.endswith(".eml") for name in before)


def test_head_answers_like_get_without_a_body(
    app: Flask, visited: Installation, visitors: dict[str, FlaskClient]
) -> None:
    different = {}
    for client, (_, address) in product(visitors.values(), list_addresses(app, visited)):
        asked, headed = (client.open(address, method=method, buffered=True) for method in ("GET", "HEAD"))
        assert headed.data == b""
        if (asked.status_code, asked.mimetype) != (headed.status_code, headed.mimetype):
            different[address] = (asked.status, headed.status)
    assert different == {}


def test_what_changes_something_is_posted(app: Flask) -> None:
    """No other method than POST writes, so no page has a link that does."""
    methods = {method for rule in app.url_map.iter_rules() for method in rule.methods or ()}
    assert methods == {"GET", "HEAD", "OPTIONS", "POST"}
