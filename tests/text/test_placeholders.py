"""Placeholders: a list of names, an error for everything else when it is saved, and never one when it is filled in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.text.placeholders import NAMES, check_placeholders, check_unreserved, fill_placeholders

VALUES = {
    "count": "1,234",
    "goal": "10,000",
    "title": "{goal}",
    "petition_url": "https://p",
    "updates_url": "https://u",
}
PIECES = st.lists(st.sampled_from(["{", "}", "{{", "}}", "count", "x", " ", "@@", *(f"{{{name}}}" for name in NAMES)]))


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("We are {count} of {goal}.", "We are 1,234 of 10,000."),
        ("{petition_url}{updates_url}", "https://phttps://u"),
        ("{{count}} is how {{ and }} are written", "{count} is how { and } are written"),
        ("{{{count}}}", "{1,234}"),
        ("{title}", "{goal}"),
        ("nothing", "nothing"),
    ],
)
def test_a_placeholder_is_filled_in_once_and_doubled_braces_are_braces(text: str, filled: str) -> None:
    check_placeholders(text)
    assert fill_placeholders(text, VALUES) == filled


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{cuont}", "“{cuont}”; those we have are {count}, {goal}, {title}, {petition_url}, {updates_url}"),
        ("{ count }", "“{ count }”"),
        ("{Count}", "“{Count}”"),
        ("{}", "“{}”"),
        ("{\n}", "“{ }”"),
        ("{count.__class__}", "“{count.__class__}”"),
        ("{count!r}", "“{count!r}”"),
        ("{count:>9}", "“{count:>9}”"),
        ("{% if x %}", "“{% if x %}”"),
        ("{{count}", "single “}”; write “}}”"),
        ("{count}}", "single “}”"),
        ("a { b", "single “{”; write “{{”"),
        ("{{{", "single “{”"),
    ],
)
def test_what_is_no_placeholder_of_ours_is_told(text: str, said: str) -> None:
    with pytest.raises(ValueError, match="has ") as refused:
        check_placeholders(text)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["{cuont}", "{ count }", "{}", "{count!r}", "{% if x %}", "a { b", "a } b", "{\n}"])
def test_an_old_text_that_would_be_refused_now_stays_as_it_is(text: str) -> None:
    assert fill_placeholders(text, VALUES) == text


@pytest.mark.parametrize("text", ["@@unsubscribe-url@@", "a @@preferences-url@@ b", "@@@anything@@@"])
def test_what_stands_for_a_readers_own_link_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="kept for each reader's own links"):
        check_unreserved(text)


@pytest.mark.parametrize("text", ["a@@b", "https://plone.example.org/@@search", "@@ -1,2 +3,4 @@", "me@example.org"])
def test_other_at_signs_are_nobodys_business(text: str) -> None:
    check_unreserved(text)


@given(PIECES.map("".join) | st.text())
def test_filling_in_never_fails_and_a_text_that_passed_keeps_no_name(text: str) -> None:
    filled = fill_placeholders(text, VALUES)
    try:
        check_placeholders(text)
    except ValueError:
        return
    literal = text.replace("{{", "").replace("}}", "")
    assert fill_placeholders(text, dict.fromkeys(NAMES, "")).count("{") == text.count("{{")
    assert ("1,234" in filled) >= ("{count}" in literal)


@given(st.text())
def test_any_text_can_be_written_by_doubling_its_braces(text: str) -> None:
    written = text.replace("{", "{{").replace("}", "}}")
    check_placeholders(written)
    assert fill_placeholders(written, VALUES) == text
