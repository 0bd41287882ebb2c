"""The linter: a good message has no problem, and each way to spoil it is told with its place."""

from collections.abc import Callable
from email.message import EmailMessage

import pytest

from campaign.installation.wiring import Installation
from campaign.mail.lint.message import Part, Problem, lint_message
from campaign.mail.message import Content
from tests.scenes.mails import IN_EVERY_LANGUAGE, build, confirmation, write
from tests.scenes.people import add_readers, list_deliveries, make_digest

LINK = "https://petition.example.org/unsubscribe/" + "a" * 60
REPORT = "https://news.example.org/report?a=1&b=2"
TEXT = f"News of the week\n\nThe report ({REPORT}).\n\nStop the updates: {LINK}\n"
HTML = f"""<!doctype html>
<html lang="en" dir="ltr">
<head><meta charset="utf-8"><title>News</title></head>
<body style="margin:0">
<table role="presentation"><tr><td>
<p>News of the week</p>
<p><a href="{REPORT.replace("&", "&amp;")}">The report</a></p>
<p>Stop the updates: <a href="{LINK}">{LINK}</a></p>
</td></tr></table>
</body>
</html>
"""
HEADERS = {
    "List-Id": "<news.petition.example.org>",
    "List-Unsubscribe": f"<{LINK}>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "List-Help": "<https://petition.example.org/help>",
    "List-Owner": "<mailto:petition@example.org>",
    "List-Archive": "<https://petition.example.org/updates>",
}


def message(text: str = TEXT, html: str = HTML, **headers: str) -> bytes:
    return build(Content("News", text, html), list_headers={**HEADERS, **headers}).content


def lint(content: bytes, recipient: str = "aigul@example.org", sender: str = "petition@example.org") -> list[Problem]:
    return lint_message(content, sender=sender, recipient=recipient, is_list=True)


def test_a_good_message_has_no_problem() -> None:
    assert lint(message()) == []


def swap(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def swapped(content: bytes) -> bytes:
        assert content.count(old) >= 1
        return content.replace(old, new, 1)

    return swapped


def drop(name: bytes) -> Callable[[bytes], bytes]:
    def dropped(content: bytes) -> bytes:
        head, blank, body = content.partition(b"\r\n\r\n")
        kept = [line for line in head.split(b"\r\n") if not line.startswith(name + b":")]
        assert len(kept) == head.count(b"\r\n")
        return b"\r\n".join(kept) + blank + body

    return dropped


def before(name: bytes, line: bytes) -> Callable[[bytes], bytes]:
    return swap(b"\r\n" + name + b":", b"\r\n" + line + b"\r\n" + name + b":")


ONCE = [b"From", b"To", b"Date", b"Message-ID", b"Subject", b"MIME-Version", b"Auto-Submitted"]
LISTS = [name.encode() for name in HEADERS]
SAID_TWICE = {
    b"From": b"petition@example.org",
    b"To": b"aigul@example.org",
    b"Date": b"Mon, 23 Nov 2026 07:00:00 +0000",
    b"Message-ID": b"<other@example.org>",
    b"Subject": b"Other news",
    b"MIME-Version": b"1.0",
    b"Auto-Submitted": b"auto-generated",
    **{name.encode(): value.encode() for name, value in HEADERS.items()},
}


@pytest.mark.parametrize("name", [*ONCE, *LISTS], ids=bytes.decode)
def test_a_header_that_is_missing_or_stands_twice_is_told(name: bytes) -> None:
    told = {problem.text for problem in lint(drop(name)(message()))}
    assert f"The header {name.decode()} is missing; add it." in told
    twice = lint(before(b"Content-Language", name + b": " + SAID_TWICE[name])(message()))
    assert [(problem.part, problem.text) for problem in twice] == [
        (Part.HEADER, f"The header {name.decode()} stands twice; keep one.")
    ]


@pytest.mark.parametrize(
    ("spoil", "part", "says"),
    [
        pytest.param(swap(b"\r\nTo:", b"\nTo:"), Part.WIRE, "CR or LF alone", id="LF alone"),
        pytest.param(swap(b"\r\nTo:", b"\r\r\nTo:"), Part.WIRE, "CR or LF alone", id="CR alone"),
        pytest.param(lambda content: content[:-2], Part.WIRE, "last line", id="no end"),
        pytest.param(
            before(b"To", b"X-Long: " + b"x" * 991), Part.WIRE, "longer than 998 bytes", id="a line of 999 bytes"
        ),
        pytest.param(swap(b"News of", b"News\0of"), Part.WIRE, "NUL", id="NUL"),
        pytest.param(before(b"To", "X-Name: Айгүл".encode()), Part.HEADER, "not ASCII", id="raw UTF-8 in a header"),
        pytest.param(before(b"To", b"no header at all"), Part.HEADER, "no header", id="a line that is no header"),
        pytest.param(before(b"To", b"Bcc: b@example.org"), Part.HEADER, "has no Bcc", id="Bcc"),
        pytest.param(
            swap(b"Subject: News", b"Subject: =?utf-8?q?a=0D=0ABcc:_b?="), Part.HEADER, "invisible", id="encoded CRLF"
        ),
        pytest.param(
            swap(b"Subject: News", b"Subject: =?utf-8?b?4oCuc3dlTg==?="), Part.HEADER, "direction", id="bidi in Subject"
        ),
        pytest.param(
            swap(b"Mailing service", b"=?utf-8?b?4oCuc3dlTg==?="), Part.HEADER, "From holds", id="bidi in From"
        ),
        pytest.param(
            swap(b"Subject: News", b"Subject: =?utf-8?b?/w==?="), Part.HEADER, "cannot be read", id="no UTF-8"
        ),
        pytest.param(swap(b"Subject: News", b"Subject: "), Part.HEADER, "subject is empty", id="no subject"),
        pytest.param(
            swap(b"Subject: News", b"Subject: " + b"x" * 251), Part.HEADER, "251 characters", id="long subject"
        ),
        pytest.param(swap(b"Subject: News", b"Subject: @@news@@"), Part.HEADER, "placeholder", id="mark in Subject"),
        pytest.param(swap(b"Date: Mon", b"Date: Someday"), Part.HEADER, "Date must", id="date"),
        pytest.param(
            swap(b"Message-ID: <abc123@", b"Message-ID: <abc123 "), Part.HEADER, "Message-ID", id="message id"
        ),
        pytest.param(swap(b"auto-generated", b"no"), Part.HEADER, "auto-generated", id="auto-submitted"),
        pytest.param(swap(b"To: aigul@", b"To: b@example.org, aigul@"), Part.HEADER, "To must", id="another recipient"),
        pytest.param(
            swap(b"petition@example.org>\r\nTo", b"petition@example.org>, x@example.org\r\nTo"),
            Part.HEADER,
            "one mailbox",
            id="two senders",
        ),
        pytest.param(swap(b"<news.petition.example.org>", b"<news>"), Part.HEADER, "List-Id must", id="list id of one"),
        pytest.param(swap(b"=One-Click", b"=one-click"), Part.HEADER, "One-Click", id="one click"),
        pytest.param(swap(b"<https://petition.example.org/help>", b"help"), Part.HEADER, "List-Help must", id="help"),
        pytest.param(swap(b"alternative", b"mixed"), Part.STRUCTURE, "multipart/alternative", id="mixed"),
        pytest.param(swap(b"text/plain", b"text/calendar"), Part.STRUCTURE, "text/plain, then", id="another kind"),
        pytest.param(swap(b"utf-8", b"koi8-r"), Part.TEXT, "UTF-8", id="another charset"),
        pytest.param(swap(b"News of", b"News=FF of"), Part.TEXT, "UTF-8", id="text that is no UTF-8"),
    ],
)
def test_a_message_that_is_spoiled_on_the_wire_has_that_problem(
    spoil: Callable[[bytes], bytes], part: Part, says: str
) -> None:
    problems = lint(spoil(message()))
    assert [problem.part for problem in problems if says in problem.text] == [part]


@pytest.mark.parametrize(
    "value",
    ["=?utf-8?q?=3Chttps=3A//petition.example.org=3E?=", "<mailto:leave@example.org>", "<http://example.org/x>", LINK],
)
def test_unsubscribe_is_one_https_address_as_it_is(value: str) -> None:
    told = [problem.text for problem in lint(message(**{"List-Unsubscribe": value}))]
    assert any(words.startswith("List-Unsubscribe must be") for words in told)


def test_a_folded_unsubscribe_address_is_refused() -> None:
    content = message().replace(b"List-Unsubscribe: <https://petition", b"List-Unsubscribe: <https://\r\n petition")
    assert any("not folded" in problem.text for problem in lint(content))


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (TEXT.replace(REPORT, "a link"), 7, f"The link {REPORT} is in the HTML alone"),
        (TEXT + "See https://elsewhere.example.org/.\n", 6, "https://elsewhere.example.org/ is in the text alone"),
        (TEXT.replace(LINK, LINK + "b"), None, "is not in the text"),
        ("@@unsubscribe-url@@\n" + TEXT, 1, "placeholder"),
    ],
    ids=["a link less", "a link more", "another unsubscribe link", "placeholder"],
)
def test_a_text_that_says_something_else_is_told_with_its_line(text: str, line: int | None, says: str) -> None:
    problems = lint(message(text=text))
    assert (line, True) in [(problem.line, says in problem.text) for problem in problems]


def test_an_empty_text_is_told() -> None:
    assert any(problem.text.startswith("The text is empty") for problem in lint(message(text="\n")))


BODY = '<body style="margin:0">'


@pytest.mark.parametrize(
    ("html", "line", "says"),
    [
        pytest.param(HTML.replace(' lang="en"', ""), 2, "lang", id="no lang"),
        pytest.param(HTML.replace(' dir="ltr"', ' dir="auto"'), 2, "dir", id="no direction"),
        pytest.param(HTML.replace(' role="presentation"', ""), 5, "role=presentation", id="table"),
        pytest.param(HTML.replace("News of the week", "News @@count@@"), 6, "placeholder", id="placeholder"),
        *(
            pytest.param(HTML.replace(BODY, f"{BODY}<{tag}></{tag}>"), 4, f"<{tag}> has no place", id=tag)
            for tag in ("script", "style", "iframe", "form", "object", "svg")
        ),
        pytest.param(
            HTML.replace(BODY, f'{BODY}<link rel="stylesheet">'), 4, "<link> has no place in a mail", id="link"
        ),
        pytest.param(HTML.replace("<meta charset", "<meta http-equiv"), 3, "http-equiv", id="refresh"),
        pytest.param(HTML.replace(BODY, '<body onload="x()">'), 4, "onload runs", id="event"),
        pytest.param(
            HTML.replace(BODY, '<body background="https://x.example">'), 4, "background loads", id="background"
        ),
        pytest.param(HTML.replace(BODY, '<body style="background:url(x)">'), 4, "url(", id="url() in a style"),
        pytest.param(
            HTML.replace(BODY, f'{BODY}<img src="https://x.example/a.png" alt="" width="90">'),
            4,
            "loaded from elsewhere",
            id="remote image",
        ),
        pytest.param(
            HTML.replace(BODY, f'{BODY}<img src="data:image/png;base64,AA">'),
            4,
            "must have alt",
            id="image without alt",
        ),
        pytest.param(
            HTML.replace(BODY, f'{BODY}<img src="data:image/png;base64,AA" alt="" width="1" height="1">'),
            4,
            "one pixel",
            id="pixel",
        ),
        pytest.param(HTML.replace("News of", f"{'x' * 105_000} of"), None, "from 102 KB on", id="too long"),
        pytest.param(
            HTML.replace(f">{LINK}</a>", ' style="display:none">x</a>'),
            None,
            "is not seen in the HTML",
            id="hidden link",
        ),
        pytest.param(HTML.replace(f">{LINK}</a>", "></a>"), None, "is not seen in the HTML", id="link without words"),
    ],
)
def test_html_with_one_mistake_has_that_problem_and_no_other(html: str, line: int | None, says: str) -> None:
    (problem,) = lint(message(html=html))
    assert (problem.part, problem.line) == (Part.HTML, line)
    assert says in problem.text
    assert str(problem).startswith(f"HTML, line {line}: " if line else "HTML: ")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "/updates", "#top", "ftp://example.org/x", "https:///x", "http://[x"]
)
def test_a_link_that_is_no_address_of_a_page_or_mailbox_is_told(url: str) -> None:
    html = HTML.replace("News of the week", f'<a href="{url}">News</a> {url}')
    text = TEXT + url + "\n"
    assert [problem.text for problem in lint(message(text=text, html=html))] == [
        f"The link “{url}” must lead to an http, https or mailto address, written in full."
    ]


@pytest.mark.parametrize(
    ("href", "written"),
    [
        ("https://xn--e1afmkfd.xn--p1ai/%D0%BF%D1%83%D1%82%D1%8C", "https://пример.рф/путь"),
        ("https://en.wikipedia.org/wiki/Strike_(action)", "(https://en.wikipedia.org/wiki/Strike_(action))."),
        ("HTTPS://Example.org/a", "https://example.org/a"),
        ("mailto:press@example.org?subject=x", "Write to press@example.org!"),
        ("mailto:press@example.org?subject=x", "Write to us (press@example.org?subject=x)"),
    ],
)
def test_the_same_link_spelled_otherwise_is_the_same(href: str, written: str) -> None:
    html = HTML.replace("News of the week", f'<a href="{href}">News</a>')
    assert lint(message(text=TEXT + written + "\n", html=html)) == []


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("nobody", "no address"),
        ("a@пример.рф", "A-labels"),
        ("a@xn--a.org", "A-labels"),
        ("a@-x.org", "A-labels"),
        ("айгүл@example.org", "SMTPUTF8"),
        ("a b@example.org", "no address"),
    ],
)
def test_an_envelope_that_cannot_be_delivered_is_told(address: str, says: str) -> None:
    for role, problems in (
        ("recipient", lint(message(), recipient=address)),
        ("sender", lint(message(), sender=address)),
    ):
        (problem,) = [item for item in problems if item.part is Part.ENVELOPE]
        assert says in problem.text
        assert role in problem.text


def test_what_another_program_composed_is_read_too() -> None:
    other = EmailMessage()
    other["Subject"] = "Hello"
    other.set_content("Hello\n")
    told = [problem.text for problem in lint(other.as_bytes())]
    assert "The message is not multipart/alternative; give it text and HTML." in told
    assert "A line ends in CR or LF alone; every line must end in CRLF." in told


@IN_EVERY_LANGUAGE
def test_a_confirmation_passes(sqlite_installation: Installation, language: str) -> None:
    mail = confirmation(sqlite_installation, language)
    assert lint_message(mail.content, sender=mail.sender, recipient=mail.recipient, is_list=False) == []


@IN_EVERY_LANGUAGE
def test_a_digest_passes(sqlite_installation: Installation, language: str) -> None:
    add_readers(sqlite_installation, "aigul@example.org", language=language)
    make_digest(sqlite_installation)
    mail = write(sqlite_installation, list_deliveries(sqlite_installation)[-1])
    assert lint_message(mail.content, sender=mail.sender, recipient=mail.recipient, is_list=True) == []
