"""The links of the static copy: they lead to a file if there is a copy of the page, else to the server.

Links between files are relative and name the file, so that the copy works under any address and from a disk.
"""

import re
from collections.abc import Callable
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import PurePosixPath
from posixpath import relpath

_NAMED = re.compile(r'(\s(?:href|src)=")([^"]*)(")')
# Tags with the address of the page on the server, of which this is a copy.
_KEPT = {"canonical", "external"}


def file_of(path: str) -> str:
    """The file in the copy for the page at ``path``: a folder's ``index.html``, or the file that the path names."""
    inner = path.strip("/")
    return inner if PurePosixPath(inner).suffix else f"{inner}/index.html".lstrip("/")


class _Page(HTMLParser):
    """Copies a page's HTML letter for letter, except the addresses in its tags."""

    def __init__(self, readdress: Callable[[str], str]) -> None:
        super().__init__(convert_charrefs=False)
        self.pieces: list[str] = []
        self._readdress = readdress

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        tag = self.get_starttag_text() or ""
        if not _KEPT & set((dict(attrs).get("rel") or "").split()):
            tag = _NAMED.sub(lambda found: found[1] + escape(self._readdress(unescape(found[2]))) + found[3], tag)
        self.pieces.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self.pieces.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    def handle_entityref(self, name: str) -> None:
        self.pieces.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.pieces.append(f"&#{name};")

    def handle_decl(self, decl: str) -> None:
        self.pieces.append(f"<!{decl}>")


def readdress_page(html: str, path: str, base_url: str, is_copied: Callable[[str], bool]) -> str:
    """The server's page at ``path`` as a file of the copy. HTML comments are left out: no reader sees them."""
    folder = PurePosixPath(file_of(path)).parent

    def readdress(address: str) -> str:
        inner = address.removeprefix(base_url) if address.startswith((f"{base_url}/", "/")) else None
        if inner is None or inner.startswith("//"):
            return address
        wanted, mark, fragment = inner.partition("#")
        if is_copied(wanted):
            return relpath(file_of(wanted), folder) + mark + fragment
        return base_url + inner

    page = _Page(readdress)
    page.feed(html)
    page.close()
    return "".join(page.pieces)
