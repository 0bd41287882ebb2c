"""Every route as schemathesis asks it, which knows the web door by an OpenAPI document alone."""

from typing import Any

import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from tests.fuzz.conftest import Target
from tests.fuzz.openapi import describe
from tests.fuzz.places import cookies_of
from tests.fuzz.running import fuzz
from tests.scenes.visiting import FROM_HERE


# What hypothesis would print of so many strategies where one fails.
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
def test_every_route_answers_as_it_is_described(target: Target) -> None:
    """Neither a failure, nor a status or a kind of content that the document does not know."""
    document = describe(target.app, target.sandbox.installation, target.owner, target.list_forms())
    schema = schemathesis.openapi.from_dict(document)
    schema.app = target.app
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) == sum(
        len({"GET", "POST"} & set(rule.methods or ())) for rule in target.app.url_map.iter_rules()
    )
    signed_in = dict(pair.split("=", 1) for pair in cookies_of(target.owner).split("; "))
    checks = [not_a_server_error, status_code_conformance, content_type_conformance]
    asked = [operation.as_strategy(generation_mode=mode) for operation in operations for mode in GenerationMode]

    def check(case: tuple[Case[Any], bool]) -> None:
        request, is_signed_in = case
        with target.sandbox.case():
            answer = request.call(headers=FROM_HERE, cookies=signed_in if is_signed_in else {})
            request.validate_response(answer, checks=checks)

    fuzz("schemathesis", st.tuples(st.one_of(asked), st.booleans()), check)
