"""The linter checks a message's parts: text first, HTML second, both readable, and both with the same links."""

import re
from contextlib import suppress
from email import message_from_bytes
from email.message import Message as Parsed
from email.policy import compat32
from urllib.parse import unquote, urlsplit

from campaign.mail.lint.html import Page, lint_html
from campaign.mail.lint.problem import N_, Part, Problem, find_mark, line_of

HTML_ALONE = N_("The link %(url)s is in the HTML alone; write it into the text too.")
TEXT_ALONE = N_("The link %(url)s is in the text alone; write it into the HTML too.")

_URL = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_AFTER_ADDRESS = ".,:;!?…*_'’\"”»)]}"


def lint_parts(content: bytes, unsubscribe: str | None) -> list[Problem]:
    """The problems below the headers. ``unsubscribe`` is the link that both parts must show."""
    root = message_from_bytes(content, policy=compat32)
    if root.get_content_type() != "multipart/alternative":
        return [Problem(Part.STRUCTURE, None, "The message is not multipart/alternative; give it text and HTML.")]
    parts = [part for part in root.walk() if not part.is_multipart()]
    if [part.get_content_type() for part in parts] != ["text/plain", "text/html"] or root.defects:
        return [Problem(Part.STRUCTURE, None, "The parts must be text/plain, then text/html, whole, and no others.")]
    text, page = (_read(part) for part in parts)
    if text is None or page is None:
        found = [Part.TEXT] * (text is None) + [Part.HTML] * (page is None)
        return [Problem(part, None, "The part does not say that it is UTF-8, or it is not.") for part in found]
    html = Page(page)
    problems = [*_lint_text(text), *lint_html(html), *_lint_links(text, html)]
    if unsubscribe is not None:
        problems += _lint_unsubscribe(text, html, unsubscribe)
    return problems


def _read(part: Parsed) -> str | None:
    """The part's text with lines that end in LF; None if the part is not declared as UTF-8 or is not valid UTF-8."""
    content = part.get_payload(decode=True)
    if (part.get_content_charset() or "").lower() != "utf-8" or part.defects or not isinstance(content, bytes):
        return None
    try:
        return content.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return None


def _lint_text(text: str) -> list[Problem]:
    if not text.strip():
        return [Problem(Part.TEXT, None, "The text is empty; say in it what the HTML says.")]
    if mark := find_mark(text):
        sentence = N_("A placeholder was left standing; fill it in or take it out.")
        return [Problem(Part.TEXT, line_of(text, mark.start()), sentence)]
    return []


def _comparable(url: str) -> str:
    """The link in one spelling for comparing, since domain and path can each be written encoded or readable."""
    url = url.rstrip(_AFTER_ADDRESS)
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    host = parts.netloc.lower()
    with suppress(UnicodeError):  # the host is readable already
        host = host.encode("ascii").decode("idna")
    return unquote(parts._replace(scheme=parts.scheme.lower(), netloc=host).geturl()).rstrip(_AFTER_ADDRESS)


def _is_written(url: str, text: str) -> bool:
    """Whether the text contains the link's address, or the mailbox in it, whole and not as part of a longer one."""
    if mailbox := re.match(r"mailto:([^?]+)", url, re.IGNORECASE):
        return re.search(re.escape(unquote(mailbox[1])) + r"(?![\w-])", text) is not None
    return re.search(re.escape(url) + r"(?![\w/?=&#%-])", text) is not None


def _lint_links(text: str, page: Page) -> list[Problem]:
    problems = []
    in_text = {_comparable(found[0]) for found in _URL.finditer(text)}
    for url, line in page.links:
        if not _is_written(url, text) and _comparable(url) not in in_text:
            problems.append(Problem(Part.HTML, line, HTML_ALONE, {"url": url}))
    linked = {_comparable(url) for url, _ in page.links}
    for found in _URL.finditer(text):
        url = found[0].rstrip(_AFTER_ADDRESS)
        if _comparable(url) not in linked and not _is_written(url, page.words):
            problems.append(Problem(Part.TEXT, line_of(text, found.start()), TEXT_ALONE, {"url": url}))
    return problems


def _lint_unsubscribe(text: str, page: Page, link: str) -> list[Problem]:
    problems = []
    if not _is_written(link, text):
        problems.append(Problem(Part.TEXT, None, "The link that ends the mails is not in the text; show it."))
    if link not in page.shown_links:
        problems.append(Problem(Part.HTML, None, "The link that ends the mails is not seen in the HTML; show it."))
    return problems
