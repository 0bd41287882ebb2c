"""The matrix role × route × petition × method, generated from the routes: nobody gets in where nothing lets them in."""

import sys
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from campaign.installation.wiring import Installation
from campaign.models import Petition
from campaign.services.organizers.permissions import Permission
from campaign.web.app import create_app
from campaign.web.auth.permissions import needs
from campaign.web.auth.reauthenticate import declare_fresh
from campaign.web.auth.session import signed_in
from campaign.web.core.security import Entry, entry, entry_of
from tests.repository.matrix import OTHER_TITLE, PEOPLE, ask, run_matrix, settle
from tests.scenes.addresses import furnish, values_for

PathOf = Callable[[Rule, str], str]

# What a route is about can be read from its name.
ABOUT = {"export": "EXPORT", "digest": "SEND", "review": "REVIEW", "comments": "REVIEW"}


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """An installation in which there is something to see at every address."""
    furnish(sqlite_installation)
    settle(sqlite_installation)
    return sqlite_installation


@pytest.fixture
def path_of(app: Flask, installation: Installation) -> PathOf:
    """Addresses made before anything is asked: a link may have been used up by then."""
    known = {rule.rule: values_for(installation, rule) for rule in app.url_map.iter_rules()}
    adapter = app.url_map.bind("localhost")

    def path(rule: Rule, slug: str) -> str:
        values = known[rule.rule]
        return adapter.build(rule.endpoint, {**values, **({"slug": slug} if "slug" in values else {})})

    return path


def find_misdeclared(app: Flask) -> list[str]:
    """Routes that say nothing, or something else than their name does."""
    wrong = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        who, permission = entry_of(view), getattr(view, "permission", None)
        if who is None and rule.endpoint != "static":
            wrong.append(f"{rule}: who may enter?")
        if not rule.endpoint.startswith("organize."):
            continue
        if "slug" in rule.arguments and not isinstance(permission, Permission):
            wrong.append(f"{rule}: which permission?")
        if permission is Permission.VIEW and "POST" in (rule.methods or ()):
            wrong.append(f"{rule}: to look is not to change")
        if permission is not None:
            about = {needed for part in rule.endpoint.split(".")[1:] for word, needed in ABOUT.items() if word in part}
            if about and permission.name not in about:
                wrong.append(f"{rule}: {permission.name}, by its name {about}")
    return wrong


def test_nobody_gets_in_where_nothing_lets_them_in(
    app: Flask, installation: Installation, path_of: PathOf, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = list(app.url_map.iter_rules())
    sent, wrong = run_matrix(app, installation, path_of, rules)
    with capsys.disabled():
        sys.stdout.write(f"\nMatrix: {len(rules)} routes × {len(PEOPLE)} people: {sent} requests, {len(wrong)} wrong\n")
    assert wrong == []
    assert sent > 900


def test_every_route_declares_what_its_name_says(app: Flask) -> None:
    assert find_misdeclared(app) == []


def test_a_form_without_a_token_of_ours_is_refused_wherever_one_is_signed_in(
    app: Flask, installation: Installation, path_of: PathOf
) -> None:
    owner = next(person for person in PEOPLE if person.name == "owner")
    found = {}
    for rule in app.url_map.iter_rules():
        if entry_of(app.view_functions[rule.endpoint]) is Entry.ORGANIZER and "POST" in (rule.methods or ()):
            answer = ask(app, installation, owner, path_of(rule, "kazakhstan"), "POST", token=False)
            found[str(rule)] = answer.status_code
    assert set(found.values()) == {400}, found


def _takes_a_petition(petition: Petition) -> str:
    return ""


def _pretend(view: Callable[..., Any], permission: Permission) -> Callable[..., Any]:
    view.permission = permission  # type: ignore[attr-defined]
    return view


@entry(Entry.ORGANIZER)
def _forgot_to_ask_who_it_is() -> str:
    return ""


@entry(Entry.ORGANIZER)
@signed_in
def _says_that_it_asks_for_a_proof() -> str:
    return ""


@entry(Entry.ORGANIZER)
@signed_in
def _names_all_petitions() -> str:
    return OTHER_TITLE


@entry(Entry.ORGANIZER)
@signed_in
def _has_no_permission(slug: str) -> str:
    return ""


declare_fresh(_says_that_it_asks_for_a_proof, frozenset({"POST"}))


def test_a_view_that_is_not_what_it_says_is_found(installation: Installation) -> None:
    """Each of these is registered beside the others, and the matrix says what is wrong with it."""
    about_one, about_none = "/organize/p/<slug>/x", "/organize/x"
    cases: list[tuple[Callable[..., Any], str, str]] = [
        (
            _pretend(needs(Permission.VIEW)(_takes_a_petition), Permission.EXPORT),
            about_one,
            "GET /organize/p/kazakhstan/x as viewer: in (200), not forbidden",
        ),
        (_forgot_to_ask_who_it_is, about_none, "as stranger: in (200), not asked to sign in"),
        (_says_that_it_asks_for_a_proof, about_none, "signed in a while ago: in (200), not asked for a proof"),
        (_names_all_petitions, about_none, "as viewer: a petition of others is named"),
        (_has_no_permission, about_one, "in (200), not a declaration"),
        (lambda: "", about_none, "in (200), not a declaration"),
    ]
    for view, path, told in cases:
        app = create_app(installation)
        app.add_url_rule(path, endpoint="organize.x", view_func=view, methods=["GET", "POST"])
        rules = list(app.url_map.iter_rules("organize.x"))
        _, wrong = run_matrix(app, installation, lambda _rule, slug, path=path: path.replace("<slug>", slug), rules)  # type: ignore[misc]
        assert [line for line in wrong if told in line], told


@pytest.mark.parametrize(
    ("endpoint", "permission", "method", "found"),
    [
        ("organize.export_more", Permission.VIEW, "GET", True),
        ("organize.export_more", Permission.SEND, "POST", True),
        ("organize.export_more", Permission.EXPORT, "POST", False),
        ("organize.digest_more", Permission.EXPORT, "POST", True),
        ("organize.more", Permission.VIEW, "POST", True),
        ("organize.more", Permission.VIEW, "GET", False),
    ],
)
def test_a_view_registered_with_a_wrong_permission_is_found(
    sqlite_installation: Installation, endpoint: str, permission: Permission, method: str, found: bool
) -> None:
    app = create_app(sqlite_installation)
    view = needs(permission)(_takes_a_petition)
    app.add_url_rule("/organize/p/<slug>/x", endpoint=endpoint, view_func=view, methods=[method])
    assert bool(find_misdeclared(app)) is found


def test_a_route_without_a_declaration_is_found(sqlite_installation: Installation) -> None:
    app = create_app(sqlite_installation)
    app.add_url_rule("/forgotten", view_func=lambda: "")
    assert find_misdeclared(app) == ["/forgotten: who may enter?"]


def test_what_others_have_is_answered_like_what_does_not_exist(
    app: Flask, installation: Installation, path_of: PathOf
) -> None:
    """Byte by byte, but for the address itself."""
    owner = next(person for person in PEOPLE if person.name == "owner")
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("organize.") and "slug" in rule.arguments:
            method = "POST" if "POST" in (rule.methods or ()) else "GET"
            theirs, nobodys = (
                ask(app, installation, owner, path_of(rule, slug), method) for slug in ("theirs", "missing")
            )
            assert theirs.status_code == nobodys.status_code == 404
            assert theirs.data == nobodys.data
