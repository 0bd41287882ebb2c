"""The linter checks a mail's HTML: it loads nothing, runs nothing, tracks nobody, and can be read aloud."""

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

from campaign.mail.lint.problem import N_, Part, Problem, find_mark, line_of

MOST_BYTES = 102 * 1024  # large mailbox providers cut a mail off here, and the unsubscribe link with it
TOO_LARGE = N_(
    "The HTML has %(size)s KB; from 102 KB on, mail programs cut it off before the link that ends the mails. "
    "Shorten the updates, and link to the whole texts."
)
BAD_LINK = N_("The link “%(url)s” must lead to an http, https or mailto address, written in full.")

_RUNS_OR_LOADS = frozenset(
    ("script", "style", "link", "iframe", "frame", "frameset", "object", "embed", "applet", "svg", "math", "base")
) | frozenset(("form", "input", "button", "textarea", "select", "video", "audio", "source", "track", "template"))
_LOADING = frozenset(("background", "srcset", "ping", "action", "formaction", "poster", "lowsrc", "dynsrc", "data"))
_VOID = frozenset(("area", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"))
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])", re.IGNORECASE)
_LOADING_STYLE = re.compile(r"url\s*\(|@import|expression\s*\(", re.IGNORECASE)


class Page(HTMLParser):
    """A parsed HTML part: its tags, its links, and the words that a reader sees."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = html
        self.tags: list[tuple[str, dict[str, str], int]] = []
        self.links: list[tuple[str, int]] = []
        self.shown_links: set[str] = set()
        self._words: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self._anchor: str | None = None
        self.feed(html)
        self.close()

    @property
    def words(self) -> str:
        return "".join(self._words)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attributes}
        self.tags.append((tag, named, self.getpos()[0]))
        if tag not in _VOID:
            hidden = "hidden" in named or _HIDDEN.search(named.get("style", "")) is not None
            self._open.append((tag, hidden or (bool(self._open) and self._open[-1][1])))
        if tag == "a" and "href" in named:
            self._anchor = named["href"].strip()
            self.links.append((self._anchor, self.getpos()[0]))

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._anchor = None
        while any(name == tag for name, _ in self._open):
            if self._open.pop()[0] == tag:
                break

    def handle_data(self, data: str) -> None:
        if self._open and (self._open[-1][1] or self._open[-1][0] in ("title", "style", "script")):
            return
        self._words.append(data)
        if self._anchor is not None and data.strip():
            self.shown_links.add(self._anchor)


def lint_html(page: Page) -> list[Problem]:
    """The problems of the HTML part alone."""
    problems = []
    size = len(page.html.encode())
    if size >= MOST_BYTES:
        problems.append(Problem(Part.HTML, None, TOO_LARGE, {"size": size // 1024}))
    if mark := find_mark(page.html):
        sentence = N_("A placeholder was left standing; fill it in or take it out.")
        problems.append(Problem(Part.HTML, line_of(page.html, mark.start()), sentence))
    roots = [(attributes, line) for tag, attributes, line in page.tags if tag == "html"]
    if not roots or not roots[0][0].get("lang") or roots[0][0].get("dir") not in ("ltr", "rtl"):
        line = roots[0][1] if roots else None
        problems.append(Problem(Part.HTML, line, "<html> must have lang, and dir with ltr or rtl."))
    for tag, attributes, line in page.tags:
        problems += [
            Problem(Part.HTML, line, sentence, values)
            for sentence, values in (*_lint_tag(tag, attributes), *_lint_attributes(tag, attributes))
        ]
    return problems


_Findings = list[tuple[str, dict[str, object]]]


def _lint_tag(tag: str, attributes: dict[str, str]) -> _Findings:
    found: _Findings = []
    if tag in _RUNS_OR_LOADS:
        found.append(("<%(tag)s> has no place in a mail; take it out, and write styles into style=.", {"tag": tag}))
    if tag == "meta" and "http-equiv" in attributes:
        found.append(("<meta http-equiv> has no place in a mail; take it out.", {}))
    if tag == "table" and attributes.get("role") != "presentation":
        found.append(("A table that makes the layout must say role=presentation, or it is read aloud as data.", {}))
    if tag == "img":
        if "alt" not in attributes:
            found.append(("An image must have alt, be it empty, for those who do not see it.", {}))
        if not attributes.get("src", "").lower().startswith("data:image/"):
            found.append(("An image is loaded from elsewhere, which tells who reads when; take it out.", {}))
        if any(re.fullmatch(r"\s*[01](?:px)?\s*", attributes.get(side, "")) for side in ("width", "height")):
            found.append(("An image of one pixel looks like a tracker; take it out.", {}))
    if tag == "a" and "href" in attributes:
        found += _lint_link(attributes["href"].strip())
    return found


def _lint_link(url: str) -> _Findings:
    try:
        parts = urlsplit(url)
        leads_on = (parts.scheme in ("http", "https") and parts.hostname) or (parts.scheme == "mailto" and parts.path)
    except ValueError:
        leads_on = None
    if leads_on:
        return []
    return [(BAD_LINK, {"url": url})]


def _lint_attributes(tag: str, attributes: dict[str, str]) -> _Findings:
    found: _Findings = []
    for name, value in attributes.items():
        if name.startswith("on"):
            found.append(("The attribute %(name)s runs a program; take it out.", {"name": name}))
        elif name in _LOADING or (name == "src" and tag != "img"):
            found.append(("The attribute %(name)s loads something; take it out.", {"name": name}))
        elif name == "style" and _LOADING_STYLE.search(value):
            found.append(("A style loads something by url(…) or @import; take it out.", {}))
    return found
