"""Where something comes in: every route of the application and every form on its pages, found by looking."""

from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from flask import Flask, url_for
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from campaign.installation.wiring import Installation
from tests.scenes.addresses import values_for
from tests.scenes.page import Page


@dataclass(frozen=True)
class Field:
    name: str
    kind: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Form:
    """A form on a page: where it is sent, and what a browser would send of it."""

    endpoint: str
    action: str
    fields: tuple[Field, ...]
    cookies: str

    @property
    def is_written_in(self) -> bool:
        """Whether something is typed or chosen in it; the others are a button and its proof of origin."""
        return not {field.kind for field in self.fields} <= {"hidden", "submit", "button"}


def cookies_of(client: FlaskClient) -> str:
    """The Cookie header of a browser."""
    return "; ".join(f"{cookie.key}={cookie.value}" for cookie in (client._cookies or {}).values())


def address_of(app: Flask, installation: Installation, rule: Rule) -> str:
    """The route with something real for each of its arguments."""
    with app.test_request_context():
        return url_for(rule.endpoint, **values_for(installation, rule))  # type: ignore[arg-type]


def _fields(page: Page, begin: int) -> tuple[Field, ...]:
    fields: list[Field] = []
    options: list[str] = []
    for element in page.elements[begin + 1 :]:
        if element.tag == "form":
            break
        if element.tag == "option":
            options.append(element["value"])
        elif element.tag == "select":
            options = []
            fields.append(Field(element["name"], "select", ()))
        elif element.tag in {"input", "textarea", "button"} and element["name"]:
            fields.append(Field(element["name"], element["type"] or element.tag, (element["value"],)))
        if options and fields and fields[-1].kind == "select":
            fields[-1] = Field(fields[-1].name, "select", tuple(options[:8]))
    return tuple(fields)


def list_forms(app: Flask, installation: Installation, browsers: list[FlaskClient]) -> list[Form]:
    """Every form that is posted, each once, as the first of the browsers that sees it would send it."""
    found: dict[tuple[str, frozenset[str]], Form] = {}
    adapter = app.url_map.bind("localhost")
    for browser in browsers:
        for rule in app.url_map.iter_rules():
            if "GET" not in (rule.methods or ()):
                continue
            address = address_of(app, installation, rule)
            answer = browser.get(address, buffered=True)
            if answer.status_code != 200 or answer.mimetype != "text/html":
                continue
            page = Page(answer.get_data(as_text=True))
            for at, element in enumerate(page.elements):
                if element.tag == "form" and element["method"] == "post":
                    action = urlsplit(urljoin(address, element["action"])).path
                    endpoint, _ = adapter.match(action, method="POST")
                    fields = _fields(page, at)
                    key = endpoint, frozenset(field.name for field in fields)
                    found.setdefault(key, Form(endpoint, action, fields, cookies_of(browser)))
    forms = list(found.values())
    seen = {form.endpoint for form in forms}
    rest = [rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ()) and rule.endpoint not in seen]
    return [*forms, *(_unseen(app, installation, rule, forms, browsers[-1]) for rule in rest)]


def _unseen(app: Flask, installation: Installation, rule: Rule, forms: list[Form], browser: FlaskClient) -> Form:
    """A form that no page shows at this moment, with the fields of all others: some of them are its own."""
    fields = {field.name: field for form in forms for field in form.fields}
    number = {"number": Field("number", "number", ("1", "2")), "sure": Field("sure", "checkbox", ("y",))}
    token = next(
        field
        for form in forms
        if form.cookies == cookies_of(browser)
        for field in form.fields
        if field.name == "csrf_token"
    )
    return Form(
        rule.endpoint,
        address_of(app, installation, rule),
        (*(fields | number | {"csrf_token": token}).values(),),
        cookies_of(browser),
    )
