"""What every answer has to be, whatever was asked."""

from functools import lru_cache
from urllib.parse import urlsplit

from werkzeug.test import TestResponse

from tests.fuzz.hostile import CANARY
from tests.scenes.page import Page

OURS = {"", "localhost", "127.0.0.1"}


@lru_cache(maxsize=64)
def check_page(html: str) -> Page:
    """The page, in which nothing of what was sent has become markup."""
    page = Page(html)
    for element in page.elements:
        assert element.tag not in {CANARY, "object", "embed"}
        if element.tag == "script":  # ours for passkeys is a file
            assert element["src"].startswith("/static/")
            assert not element.text
        assert CANARY not in element["style"]
        assert CANARY not in element.attributes
        handlers = [name for name in element.attributes if name.startswith("on")]
        assert not handlers, (element.tag, handlers)
    for tag, address in page.addresses():
        scheme = urlsplit("".join(address.split())).scheme.lower()
        assert scheme in {"", "http", "https", "mailto", "otpauth"}, (tag, address)
    return page


def check_answer(answer: TestResponse) -> Page | None:
    """No failure of ours, nothing of our insides, no header of theirs, no way to another host, no markup of theirs."""
    body = answer.get_data()
    assert answer.status_code < 500, answer.status
    assert b"Traceback (most" not in body
    for name, value in answer.headers:
        assert name.lower() != "x-injected"
        assert not set("\r\n\x00") & set(name + value)
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    if "Location" in answer.headers:
        place = answer.headers["Location"]
        assert urlsplit(place).hostname in OURS or urlsplit(place).netloc == ""
        assert not place.startswith(("//", "/\\", "\\"))
        assert urlsplit(place).scheme in {"", "http", "https"}
    assert f"<{CANARY}".encode() not in body or answer.mimetype == "text/plain"
    if answer.mimetype == "text/html" and answer.request.method != "HEAD" and body and answer.status_code // 100 != 3:
        return check_page(body.decode())
    return None
