"""Every form, address, header and body of the web door under hostile input: a safe page, never a failure."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.conftest import SLUG
from tests.fuzz import hostile
from tests.fuzz.answers import check_answer
from tests.fuzz.conftest import Target
from tests.fuzz.places import Form, address_of, cookies_of
from tests.fuzz.running import NIGHTLY, fuzz
from tests.scenes.page import Page
from tests.scenes.visiting import FROM_HERE

ROOT = Path(__file__).parents[2]
URLENCODED = "application/x-www-form-urlencoded"
Fields = list[tuple[str, str | bytes]]


def send(
    target: Target, method: str, address: str, *, cookies: str = "", environ: dict[str, Any] | None = None, **more: Any
) -> TestResponse:
    """One request of a browser with these cookies, which keeps none of the answer's."""
    client = target.app.test_client(use_cookies=False)
    overrides = {"HTTP_HOST": "localhost", **({"HTTP_COOKIE": cookies} if cookies else {}), **(environ or {})}
    return client.open(address, method=method, environ_overrides=overrides, buffered=True, **more)


def _values_for(form: Form) -> st.SearchStrategy[Fields]:
    """The form as a browser fills it in, with some of its fields replaced, left out or sent twice."""
    kept = {
        field.name: (
            field.kind,
            st.sampled_from(field.values) if field.values else st.just(""),
        )
        for field in form.fields
    }

    def one(name: str) -> st.SearchStrategy[Fields]:
        kind, usual = kept[name]
        as_usual = usual.map(lambda value: [(name, value)])
        odd = st.one_of(hostile.text, hostile.octets).map(lambda value: [(name, value)])
        twice = st.tuples(hostile.short, usual).map(lambda two: [(name, two[0]), (name, two[1])])
        if kind == "hidden":
            return st.one_of(as_usual, as_usual, as_usual, as_usual, odd)
        return st.one_of(as_usual, odd, odd, st.just([]), twice)

    extra = st.lists(st.tuples(hostile.short, hostile.short), max_size=1)
    return st.tuples(*(one(name) for name in kept), extra).map(lambda parts: [pair for part in parts for pair in part])


def _was_kept(page: Page, sent: Fields) -> None:
    """What was typed into a field that the page shows again is in it still."""
    shown = page.filled_in()
    for name, value in sent:
        if (
            not isinstance(value, str)
            or [one for one, _ in sent].count(name) > 1
            or name not in {"name", "email", "comment"}
        ):
            continue
        if any(ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 for letter in value):
            continue  # a parser of HTML reads these in its own way
        assert shown[name] == value, name


def _post(target: Target, form: Form, fields: Fields) -> TestResponse:
    return send(
        target,
        "POST",
        form.action,
        cookies=form.cookies,
        data=hostile.encode_form(fields),
        content_type=URLENCODED,
        headers=FROM_HERE,
    )


@pytest.fixture
def forms(target: Target) -> list[Form]:
    return target.list_forms()


def test_every_form_found_on_a_page(target: Target, forms: list[Form]) -> None:
    """Sinks: the signing form, confirming, choices, unsubscribing, signing in, welcome, and all forms of organizers."""
    assert {
        "petition.post_signature",
        "confirm.answer",
        "me.choose",
        "unsubscribe.unsubscribe",
        "sign_in.sign_in",
    } < {form.endpoint for form in forms}
    taken = {rule.endpoint for rule in target.app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    assert {form.endpoint for form in forms} == taken

    def check(case: tuple[Form, Fields]) -> None:
        form, fields = case
        with target.sandbox.case():
            answer = _post(target, form, fields)
            page = check_answer(answer)
            if page is not None and form.endpoint == "petition.post_signature" and answer.status_code == 422:
                _was_kept(page, fields)

    def cases(form: Form) -> st.SearchStrategy[tuple[Form, Fields]]:
        return st.tuples(st.just(form), _values_for(form))

    # Organizers' forms stand behind one door; by day they are one sink, at night each is its own.
    alone = [form for form in forms if form.is_written_in and (NIGHTLY or not form.endpoint.startswith("organize."))]
    for form in alone:
        fuzz(f"form {form.endpoint}", cases(form), check)
    fuzz("all other forms", st.one_of([cases(form) for form in forms if form not in alone]), check)


ADDRESS_PART = st.one_of(hostile.short.map(hostile.to_bytes), hostile.octets)


def test_every_route_with_odd_arguments_and_queries(target: Target) -> None:
    names = sorted(
        {
            name
            for path in (ROOT / "campaign/web").glob("*.py")
            for name in re.findall(
                r"args(?:\.get\(|\[)?\"(\w+)\"|\"(\w+)\" in request\.args", path.read_text(encoding="utf-8")
            )
            for name in name
            if name
        }
        | {"made", "skipped", "saved", "next"}
    )
    installation = target.sandbox.installation
    rules = list(target.app.url_map.iter_rules())
    addresses = {rule.rule: address_of(target.app, installation, rule) for rule in rules}
    owner = cookies_of(target.owner)

    def spoil(path: str, pieces: dict[int, bytes]) -> str:
        parts: list[bytes] = [part.encode() for part in path.split("/")]
        for at, piece in pieces.items():
            parts[at % len(parts)] = piece
        return (b"/" + b"/".join(parts).lstrip(b"/")).decode("latin-1")

    queries = st.lists(st.tuples(st.sampled_from(names), st.one_of(hostile.short, hostile.octets)), max_size=2)
    cases = st.tuples(
        st.sampled_from(rules),
        st.dictionaries(st.integers(1, 6), ADDRESS_PART, max_size=2),
        st.one_of(queries.map(hostile.encode_form), hostile.octets),
        st.sampled_from(["GET", "GET", "GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "TRACE", "PROPFIND", "X"]),
        st.sampled_from(["", owner]),
    )

    def check(case: tuple[Any, dict[int, bytes], bytes, str, str]) -> None:
        rule, pieces, query, method, cookies = case
        path = spoil(addresses[rule.rule], pieces)
        with target.sandbox.case():
            environ = {"PATH_INFO": path, "QUERY_STRING": query.decode("latin-1"), "REQUEST_URI": path}
            check_answer(send(target, method, "/", cookies=cookies, environ=environ, headers=FROM_HERE))

    fuzz("addresses and queries", cases, check)


HEADERS = (
    "HOST", "ACCEPT_LANGUAGE", "ORIGIN", "SEC_FETCH_SITE", "COOKIE", "X_FORWARDED_FOR", "X_FORWARDED_PROTO",
    "X_FORWARDED_HOST", "X_FORWARDED_PREFIX", "FORWARDED", "IF_NONE_MATCH", "IF_MODIFIED_SINCE", "RANGE", "IF_RANGE", "REFERER",
    "USER_AGENT", "ACCEPT", "ACCEPT_ENCODING", "AUTHORIZATION", "AUTHENTICATION_TOKEN", "X_CSRFTOKEN",
    "X_HTTP_METHOD_OVERRIDE", "TRANSFER_ENCODING", "CONTENT_ENCODING", "EXPECT",
)  # fmt: skip


def test_every_header_that_is_read_or_might_be(target: Target) -> None:
    owner = cookies_of(target.owner)
    odd = st.one_of(
        ADDRESS_PART.map(lambda one: one.replace(b"\r", b"").replace(b"\n", b"").decode("latin-1")),
        st.sampled_from(
            [
                "localhost:99999",
                "[::1",
                "a b",
                "localhost@evil",
                "xx-" * 50,
                "en;q=x,ru;q=9" * 20,
                "bytes=0-,-1",
                "bytes=9-1",
                'W/"x',
                "organizer=x;" * 50,
                "organizer=" + "." * 300,
                "signing=" + "." * 3000,
                owner + "x",
                "null",
                "http://[",
                "https://localhost\\@evil/",
                "*",
                "Basic !!!",
                'for="[::1"',
                "1.2.3.4, x, ::ffff:1.2.3.4",
                "::1%" + "z" * 50,
            ]
        ),
    )
    methods = st.sampled_from(["GET", "POST"])
    pages = [
        f"/en/p/{SLUG}",
        "/",
        "/organize/",
        "/organize/sign-in",
        "/static/campaign.css",
        f"/p/{SLUG}/count.json",
        "/outbox",
    ]
    cases = st.tuples(
        methods, st.sampled_from(pages), st.dictionaries(st.sampled_from(HEADERS), odd, min_size=1, max_size=3)
    )

    def check(case: tuple[str, str, dict[str, str]]) -> None:
        method, page, headers = case
        with target.sandbox.case():
            environ = {f"HTTP_{name}": value for name, value in headers.items()}
            answer = send(target, method, page, cookies=owner, environ=environ)
            check_answer(answer)

    fuzz("headers", cases, check)


def _multipart(boundary: str, parts: list[tuple[str, bytes]]) -> bytes:
    lines = b"".join(
        b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
        % (hostile.to_bytes(boundary), hostile.to_bytes(name), value)
        for name, value in parts
    )
    return lines + b"--" + hostile.to_bytes(boundary) + b"--"


def test_every_body_that_is_no_form(target: Target, forms: list[Form]) -> None:
    kinds = st.one_of(
        st.sampled_from(
            [
                URLENCODED,
                URLENCODED + "; charset=utf-16",
                URLENCODED + "; charset=nonsense",
                "application/json",
                "text/plain",
                "text/xml",
                "multipart/form-data",
                "multipart/form-data; boundary=",
                "multipart/form-data; boundary=" + "x" * 300,
                'multipart/form-data; boundary="',
                "multipart/mixed; boundary=b",
                "application/octet-stream",
                "",
                ";",
                "/",
            ]
        ),
        hostile.short.map(lambda one: hostile.to_bytes(one).replace(b"\r", b"").replace(b"\n", b"").decode("latin-1")),
    )
    named = st.sampled_from(
        ["name", "email", "consent", "code", "action", "csrf_token", "x", '"', 'name"; filename="x']
    )
    parts = st.lists(st.tuples(named, hostile.octets), max_size=4)
    bodies = st.one_of(
        hostile.octets.map(lambda one: (None, one)),
        st.tuples(st.sampled_from(["b", "-", "--", "é", "b b", "x" * 70]), parts).map(
            lambda two: (f"multipart/form-data; boundary={two[0]}", _multipart(*two))
        ),
        parts.map(lambda some: (None, b"&".join(name.encode() + b"=" + value for name, value in some))),
        st.sampled_from(
            [
                b"{" * 5000,
                b"[" * 50000,
                b"&" * 60000,
                b"a=b&" * 1200,
                b"%" * 60000,
                b"=" * 1000,
                b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'bbbb'>]><a>&b;</a>",
                b"x" * 70000,
            ]
        ).map(lambda one: (None, one)),
    )
    cases = st.tuples(st.sampled_from(forms), kinds, bodies)

    def check(case: tuple[Form, str, tuple[str | None, bytes]]) -> None:
        form, kind, (own_kind, body) = case
        with target.sandbox.case():
            answer = send(
                target,
                "POST",
                form.action,
                cookies=form.cookies,
                data=body,
                headers=FROM_HERE,
                environ={"CONTENT_TYPE": own_kind or kind, "CONTENT_LENGTH": str(len(body))},
            )
            check_answer(answer)

    fuzz("bodies", cases, check)


def test_every_kind_of_token(target: Target) -> None:
    """Links with tokens that were never made here, and true ones that were changed."""
    installation = target.sandbox.installation
    rules = [rule for rule in target.app.url_map.iter_rules() if "token" in rule.arguments]
    assert len(rules) >= 6
    true = {rule.rule: address_of(target.app, installation, rule) for rule in rules}

    def change(token: str, how: tuple[int, str]) -> str:
        at, piece = how
        return token[: at % 40] + piece + token[at % 40 + 1 :]

    odd = st.one_of(
        ADDRESS_PART.map(lambda one: ("", one.decode("latin-1"))),
        st.tuples(st.just("changed"), st.tuples(st.integers(0, 40), hostile.short)),
        st.text("ABCabc012-_=", min_size=28, max_size=50).map(lambda one: ("", one)),
    )

    def check(case: tuple[Any, str, tuple[str, Any]]) -> None:
        rule, method, (kind, what) = case
        begin, _, token = true[rule.rule].rpartition("/")
        if kind:
            what = hostile.to_bytes(change(token, what)).decode("latin-1")
        with target.sandbox.case():
            answer = send(target, method, "/", environ={"PATH_INFO": f"{begin}/{what}"}, headers=FROM_HERE)
            check_answer(answer)

    fuzz("tokens", st.tuples(st.sampled_from(rules), st.sampled_from(["GET", "POST"]), odd), check)


def test_on_postgresql_too_a_sample(target_on_both: Target) -> None:
    """NUL, lone surrogates and numbers beyond an integer are refused by it where SQLite takes them."""
    target = target_on_both
    cases = [st.tuples(st.just(form), _values_for(form)) for form in target.list_forms()]

    def check(case: tuple[Form, Fields]) -> None:
        form, fields = case
        with target.sandbox.case():
            answer = _post(target, form, fields)
            check_answer(answer)

    fuzz("sample of forms on both databases", st.one_of(cases), check, part=2)
