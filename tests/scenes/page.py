"""A page as a test reads it: its elements, what is tied to what, and its words."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_INLINE = {"a", "b", "bdi", "code", "em", "i", "small", "span", "strong", "sub", "sup", "textarea", "time"}
_ADDRESSES = ("href", "src", "action", "formaction", "srcset", "poster", "data", "background", "cite", "ping")


@dataclass(eq=False)
class Element:
    """One element; ``text`` is everything inside it, spaces made single."""

    tag: str
    attributes: dict[str, str]
    words: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def __getitem__(self, name: str) -> str:
        return self.attributes.get(name, "")


class Page(HTMLParser):
    """An HTML page, parsed. Where an element is not closed, or closed twice, parsing fails."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open = [Element("", {})]
        self.feed(html)
        self.close()
        assert [element.tag for element in self._open] == [""], "an element is not closed"

    def _break(self, tag: str) -> None:
        if tag not in _INLINE:
            self.handle_data(" ")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._break(tag)
        element = Element(tag, {name: value or "" for name, value in attrs})
        assert len(element.attributes) == len(attrs), f"<{tag}> has an attribute twice"
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if any(element.tag == "svg" for element in self._open):  # elsewhere the slash means nothing
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self._open.pop().tag == tag, f"</{tag}> closes something else"
        self._break(tag)

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.words.append(data)

    @property
    def text(self) -> str:
        """Every word of the page."""
        return self._open[0].text

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """The elements with this tag and these attributes."""
        return [
            element
            for element in self.elements
            if element.tag == tag and all(element[name] == value for name, value in attributes.items())
        ]

    def one(self, tag: str, **attributes: str) -> Element:
        """The only such element."""
        (element,) = self.all(tag, **attributes)
        return element

    def by_id(self, wanted: str) -> Element:
        """The element with this id, of which a page has one."""
        (element,) = (element for element in self.elements if element["id"] == wanted)
        return element

    def described(self, field_id: str) -> str:
        """What a screen reader says after the field's label: the texts that ``aria-describedby`` points at."""
        return " ".join(self.by_id(part).text for part in self.by_id(field_id)["aria-describedby"].split())

    def filled_in(self) -> dict[str, str]:
        """What a browser would send if the page's form were sent now."""
        sent: dict[str, str] = {}
        for element in self.elements:
            kind = element["type"]
            if element.tag == "input" and (kind not in {"checkbox", "radio"} or "checked" in element.attributes):
                sent[element["name"]] = element["value"]
            elif element.tag == "textarea":
                # The parser of a browser drops the line end that follows <textarea>.
                sent[element["name"]] = "".join(element.words).removeprefix("\n")
        for select in self.all("select"):
            chosen = [option["value"] for option in self.all("option") if "selected" in option.attributes]
            sent[select["name"]] = chosen[0] if chosen else ""
        return sent

    def addresses(self) -> list[tuple[str, str]]:
        """Every address that the page names, with the tag that names it."""
        return [
            (element.tag, element[name])
            for element in self.elements
            for name in _ADDRESSES
            if name in element.attributes
        ]
