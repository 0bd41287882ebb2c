"""E-mail addresses: as people type them, as mail is sent to them, and when two are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.errors import InvalidInput
from campaign.text.email_address import comparable_spelling, list_spellings, parse_email_address
from tests.scenes.spellings import KEPT, NO_ADDRESSES, SPELLINGS


@pytest.mark.parametrize(
    ("typed", "sent_to", "comparable"),
    [
        ("aigul@example.org", "aigul@example.org", "aigul@example.org"),
        ("  Aigul.K@Example.ORG\n", "Aigul.K@example.org", "aigul.k@example.org"),
        ("a+b@example.org", "a+b@example.org", "a+b@example.org"),
        ("o'neil@example.org", "o'neil@example.org", "o'neil@example.org"),
        ("a@bücher.example.org", "a@xn--bcher-kva.example.org", "a@xn--bcher-kva.example.org"),
        ("a@XN--BCHER-KVA.example.org", "a@xn--bcher-kva.example.org", "a@xn--bcher-kva.example.org"),
        ("a@пошта.қаз", "a@xn--80a1acn3a.xn--80ao21a", "a@xn--80a1acn3a.xn--80ao21a"),
        ("a@sub.sub.example.org", "a@sub.sub.example.org", "a@sub.sub.example.org"),
        ("ａｉｇｕｌ＠ｅｘａｍｐｌｅ．ｏｒｇ", "aigul@example.org", "aigul@example.org"),
        ("mailto:aigul+news@example.org?subject=x", "aigul+news@example.org", "aigul+news@example.org"),
        ("aigul\u202e@example.org", "aigul@example.org", "aigul@example.org"),
        ("o'neil@example.org'", "o'neil@example.org", "o'neil@example.org"),
        ("a" * 64 + "@example.org", "a" * 64 + "@example.org", "a" * 64 + "@example.org"),
    ],
)
def test_an_address_is_read_as_people_type_it(typed: str, sent_to: str, comparable: str) -> None:
    address = parse_email_address(typed)
    assert (str(address), address.comparable) == (sent_to, comparable)


@pytest.mark.parametrize(
    "typed",
    [
        "aigul",
        "aigul@",
        "@example.org",
        "aigul@localhost",
        "aigul@example",
        "a@b@example.org",
        "a b@example.org",
        "a..b@example.org",
        ".a@example.org",
        "a@-example.org",
        "a@example..org",
        "a@[127.0.0.1]",
        '"a b"@example.org',
        "aigul@example.org, dana@example.org",
        "aigul@example.org\r\nBcc: v@example.org",
        "aigul@exam\nple.org",
        "aigul\0@example.org",
        "a@" + "b" * 250 + ".org",
        "a@xn--.org",
    ],
)
def test_what_is_no_address_is_refused_at_its_field(typed: str) -> None:
    with pytest.raises(InvalidInput, match=r"does not look like an e-mail address|cannot deliver to") as refused:
        parse_email_address(typed)
    assert refused.value.field == "email"


@pytest.mark.parametrize("typed", ["", "   ", "\n"])
def test_nothing_typed_is_asked_for(typed: str) -> None:
    with pytest.raises(InvalidInput, match="Please type your e-mail address"):
        parse_email_address(typed)


def test_letters_before_the_at_need_a_server_that_can() -> None:
    with pytest.raises(InvalidInput, match="cannot deliver to"):
        parse_email_address("айгүл@example.org")
    address = parse_email_address("Айгүл@example.org", allow_smtputf8=True)
    assert (address.local_part, address.comparable) == ("Айгүл", "айгүл@example.org")


@pytest.mark.parametrize("typed", SPELLINGS)
def test_every_spelling_of_an_address_compares_equal(typed: str) -> None:
    assert comparable_spelling(typed) == KEPT == parse_email_address(typed).comparable


@pytest.mark.parametrize("typed", NO_ADDRESSES)
def test_text_that_is_no_address_compares_as_it_was_typed(typed: str) -> None:
    with pytest.raises(InvalidInput):
        parse_email_address(typed, allow_smtputf8=True)
    assert comparable_spelling(typed) != KEPT
    assert comparable_spelling(f" {typed.upper()}\n") == comparable_spelling(typed)


@given(st.text(st.characters(codec=None)) | st.from_regex(r"\S{1,9}@\S{1,9}(\.\S{1,5})?", fullmatch=True))
def test_nothing_that_is_typed_raises_and_comparing_twice_changes_nothing(typed: str) -> None:
    once = comparable_spelling(typed)
    assert comparable_spelling(once) == once


def test_an_address_has_one_spelling_in_ascii_and_one_in_its_own_script() -> None:
    assert list_spellings(KEPT) == (KEPT, SPELLINGS[1])
    assert list_spellings("anna@xn--strae-oqa.example") == ("anna@xn--strae-oqa.example", "anna@strasse.example")
    assert list_spellings("dana@example.org") == ("dana@example.org", "dana@example.org")
