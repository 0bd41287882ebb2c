"""Whatever bytes come in a field: kept as they were meant, or refused beside the field; never an error of ours."""

from urllib.parse import quote_from_bytes

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaign.models import SignatureState
from campaign.wiring import Campaign
from tests.conftest import SLUG
from tests.services.people import get_signature
from tests.web.page import Page
from tests.web.visiting import ADDRESS, FILLED_IN, FROM_HERE, confirm_path, page_of, post, read

FIELDS = ["name", "email", "country", "comment", "display", "updates", "consent", "text_version", "csrf_token"]
_FORM = "application/x-www-form-urlencoded"
# What has broken other people's forms, as it stands on the wire.
_MEAN = [
    b"\x00", b"\r\n", b"\n", b"\r", b"\t", b"\xff", b"\xfe\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
    "\u202e".encode(), "\u2066".encode(), "\u200f".encode(), "\ufeff".encode(), "\u2028".encode(),
    "\u0301".encode() * 9,
    "\U000e0041".encode(), "\ufffe".encode(), "\u200d".encode(), "Ⅷ".encode(), "ﷺ".encode(), "İ".encode(), "ß".encode(),
    b"<script>", b"'\"", b"{{7*7}}", b"{%", b"%(x)s", b"%s", b"%n", b"=1+1", b"@", b"a@b", b"@example.org",
    b"[1.2.3.4]",
    b"xn--", b"xn--a", b".", b"..", b"-", b"\\", b"&", b"&amp;", b";", b"a" * 300, b"\xf0\x9f\x91\xa9\xe2\x80\x8d",
    b"Content-Type: text/html", b"Bcc: x@example.org", "Айгерим".encode(), "Қазақ".encode(), b"KZ", b"name", b"y",
]  # fmt: skip
anything = st.one_of(
    st.lists(st.sampled_from(_MEAN), max_size=8).map(b"".join),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.binary(max_size=200),
    st.text(max_size=30).map(lambda text: f"{text}@example.org".encode("utf-8", "surrogatepass")),
)
many = settings(
    max_examples=200,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def body(**fields: bytes) -> bytes:
    """A form's body with these bytes in its fields, whether they are text or not."""
    return b"&".join(name.encode() + b"=" + quote_from_bytes(value).encode() for name, value in fields.items())


@pytest.fixture
def campaign(sqlite_campaign: Campaign) -> Campaign:
    return sqlite_campaign


@pytest.mark.parametrize("field", FIELDS)
def test_any_bytes_in_a_field_are_taken_or_refused_with_a_sentence(app: Flask, field: str) -> None:
    """Refused ones come back in a page that is well-formed HTML, on which nothing typed became an element."""
    client = app.test_client()
    elements = len(read(client.get(page_of())).elements)

    @many
    @given(anything)
    def check(typed: bytes) -> None:
        filled = {name: value.encode() for name, value in FILLED_IN.items()}
        answer = client.post(page_of(), data=body(**{**filled, field: typed}), content_type=_FORM, headers=FROM_HERE)
        assert answer.status_code in {303, 422}
        if answer.status_code == 422:
            page = Page(answer.get_data(as_text=True))
            assert page.one("div", role="alert").text
            assert not page.all("script")
            assert len(page.elements) < elements + 12
        else:
            assert answer.location == f"{page_of()}/check-your-mail#content"

    check()


@pytest.mark.parametrize(
    "content_type", [_FORM, "multipart/form-data; boundary=x", "application/json", "text/plain", ""]
)
def test_any_bytes_as_a_body_are_answered(app: Flask, content_type: str) -> None:
    client = app.test_client()

    @many
    @given(anything)
    def check(sent: bytes) -> None:
        answer = client.post(page_of(), data=sent, content_type=content_type or None, headers=FROM_HERE)
        assert 400 <= answer.status_code < 500

    check()


def test_any_bytes_as_a_code_are_wrong(app: Flask, campaign: Campaign) -> None:
    post(app.test_client())
    path = confirm_path(campaign)
    client = app.test_client()

    @many
    @given(anything)
    def check(typed: bytes) -> None:
        assert client.post(path, data=body(code=typed, action=typed), content_type=_FORM).status_code == 422

    check()
    assert get_signature(campaign, ADDRESS).state is SignatureState.PENDING


def test_any_header_is_answered(app: Flask, campaign: Campaign) -> None:
    """Cookies, languages and origins come from outside too."""
    post(app.test_client())
    path = confirm_path(campaign)
    client = app.test_client(use_cookies=False)
    header = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=100)

    @many
    @given(st.sampled_from(["Cookie", "Accept-Language", "Origin", "Sec-Fetch-Site", "Content-Type"]), header)
    def check(name: str, value: str) -> None:
        sent = {name: f"signing={value}" if name == "Cookie" else value}
        for address in ("/", page_of(), path, "/nothing"):
            assert client.get(address, headers=sent).status_code in {200, 404}
        assert 400 <= client.post(page_of(), headers=sent).status_code < 500
        assert client.post(path, headers=sent).status_code == 422

    check()


def test_any_path_is_answered(app: Flask) -> None:
    client = app.test_client()
    part = anything.filter(bool).map(lambda sent: quote_from_bytes(sent, safe=""))

    @many
    @given(part)
    def check(sent: str) -> None:
        for address in (f"/{sent}", f"/{sent}/p/{SLUG}", f"/en/p/{sent}", f"/p/{sent}/count.json", f"/confirm/{sent}"):
            assert client.get(address).status_code in {200, 302, 308, 404}, address

    check()
