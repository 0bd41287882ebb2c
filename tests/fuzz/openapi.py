"""The web door as an OpenAPI document, made from its routes and the forms on its pages; for schemathesis alone."""

from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import IntegerConverter, Rule

from campaign.installation.wiring import Installation
from tests.fuzz.places import Form, address_of
from tests.scenes.addresses import values_for

HTML = {"text/html": {"schema": {"type": "string"}}}
# What every route may answer to input that nobody meant: a page or a way on, never a failure.
REFUSALS = ("301", "302", "303", "308", "400", "403", "404", "405", "410", "413", "422", "429")


def describe(app: Flask, installation: Installation, owner: FlaskClient, forms: list[Form]) -> dict[str, Any]:
    """Every route, with what a GET of it answers and what its form is made of."""
    paths: dict[str, Any] = {}
    for rule in app.url_map.iter_rules():
        path = "".join(f"{{{text}}}" if is_argument else text for is_argument, text in rule._trace).removeprefix("|")
        real = values_for(installation, rule)
        arguments = [_argument(rule, name, real[name]) for name in sorted(rule.arguments)]
        operations = paths.setdefault(path, {"parameters": arguments})
        if "GET" in (rule.methods or ()):
            operations["get"] = {"responses": _answers(owner, address_of(app, installation, rule))}
        if "POST" in (rule.methods or ()):
            fields = {
                field.name: _field(field.values)
                for form in forms
                if form.endpoint == rule.endpoint
                for field in form.fields
            }
            body = {"schema": {"type": "object", "properties": fields, "additionalProperties": False}}
            operations["post"] = {
                "requestBody": {"content": {"application/x-www-form-urlencoded": body}},
                "responses": _list_answers(HTML),
            }
    return {"openapi": "3.1.0", "info": {"title": "Campaign", "version": "0"}, "paths": paths}


def _argument(rule: Rule, name: str, real: object) -> dict[str, Any]:
    kind = "integer" if isinstance(rule._converters[name], IntegerConverter) else "string"
    return {"name": name, "in": "path", "required": True, "schema": {"anyOf": [{"type": kind}, {"enum": [real]}]}}


def _field(values: tuple[str, ...]) -> dict[str, Any]:
    """Anything, and now and then what a browser would send."""
    usual = [value for value in values if value]
    return {"anyOf": [{"type": "string"}, {"enum": usual}]} if usual else {"type": "string"}


def _answers(owner: FlaskClient, address: str) -> dict[str, Any]:
    """What the address with real arguments answers, by asking it."""
    answer = owner.get(address, buffered=True)
    return _list_answers({str(answer.mimetype if answer.status_code == 200 else "text/html"): {"schema": {}}})


def _list_answers(content: dict[str, Any]) -> dict[str, Any]:
    refused = {number: {"description": "refused, or a way on", "content": HTML} for number in REFUSALS}
    return {"200": {"description": "the answer", "content": content}, **refused}
