"""Markdown that organizers write, as HTML that is safe to show and as plain text that says the same.

Placeholders (``text.placeholders``) stay in both, also in the addresses of links. They are filled in the result, so
that their values are never read as Markdown.
"""

import re
from collections.abc import Sequence
from functools import cache, lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode
from markdown_it.utils import EnvType, OptionsDict

from campaign.text.placeholders import ADDRESSES

_TAGS = {"p", "br", "strong", "em", "a", "ul", "ol", "li", "blockquote", "h3", "h4", "code", "pre", "hr"}
_OURS = rf"\{{(?:{'|'.join(ADDRESSES)})\}}"
_LINK = re.compile(rf"(?i:https?://|mailto:)|{_OURS}")
# A bare address ends before a space, a quotation mark, or a bracket that it did not open.
_BARE = re.compile(r"://(?:[^\x00-\x20\x7f\s<>\"`()\[\]]|\([^\x00-\x20\x7f\s<>\"`()\[\]]*\))+")
_OUR_ADDRESS = re.compile(_OURS)
_SCHEME = re.compile(r"(?<!\w)https?$", re.IGNORECASE)
_AFTER_ADDRESS = ".,:;!?…*_'’”»"


class _Markdown(MarkdownIt):
    """CommonMark without HTML. Its links lead to web pages and mailboxes only, and may be placeholders."""

    def normalizeLink(self, url: str) -> str:  # noqa: N802
        # An encoded brace in a pasted address is written in lower case, so that it does not become a placeholder.
        encoded = url.replace("%7B", "%7b").replace("%7D", "%7d")
        normal = super().normalizeLink(encoded).replace("%7B", "{").replace("%7D", "}")
        # The plain text has addresses in brackets; a mail program must not take the bracket for a part of the address.
        return normal.replace("(", "%28").replace(")", "%29")

    def validateLink(self, url: str) -> bool:  # noqa: N802
        # An address that the sanitiser removes, as one with an impossible host, is no link in the plain text either.
        return _LINK.match(url) is not None and "href" in _sanitise(f'<a href="{escapeHtml(url)}"></a>')


def _link_bare_address(state: StateInline, silent: bool) -> bool:  # noqa: FBT001
    """An inline rule: an address is a link without any marks, written out or as a placeholder."""
    if state.src.startswith("{{", state.pos):
        if not silent:
            state.append_pending("{{")
        state.pos += 2
        return True
    if silent or state.linkLevel > 0:
        return False
    begun, rest = _find_address(state)
    link = state.md.normalizeLink(begun + rest)
    if not state.md.validateLink(link):
        return False
    state.pending = state.pending.removesuffix(begun)
    opening = state.push("link_open", "a", 1)
    opening.attrs = {"href": link}
    opening.info = "auto"  # as CommonMark marks its own <https://…>
    state.push("text", "", 0).content = begun + rest
    state.push("link_close", "a", -1)
    state.pos += len(rest)
    return True


def _find_address(state: StateInline) -> tuple[str, str]:
    """The address around the parser's position: the part that was read, and the rest; both empty if there is none."""
    if ours := _OUR_ADDRESS.match(state.src, state.pos):
        return "", ours[0]
    scheme = _SCHEME.search(state.pending[-6:])
    written = _BARE.match(state.src, state.pos) if scheme else None
    return (scheme[0], written[0].rstrip(_AFTER_ADDRESS)) if written and scheme else ("", "")


def _lower_headings(state: StateCore) -> None:
    """Make headings h3 and h4: the text stands under a heading of the page, and two levels are enough for it."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "h3" if token.tag in ("h1", "h2") else "h4"


def _words_of_image(
    _renderer: RendererHTML, tokens: Sequence[Token], position: int, _options: OptionsDict, _env: EnvType
) -> str:
    """The alternative text in place of an image: a page or a mail loads nothing."""
    return escapeHtml(tokens[position].content)


@cache
def _parser() -> MarkdownIt:
    parser = _Markdown("commonmark", {"html": False})
    parser.inline.ruler.before("escape", "bare_address", _link_bare_address)
    parser.core.ruler.push("lower_headings", _lower_headings)
    parser.add_render_rule("image", _words_of_image)
    return parser


def _sanitise(html: str) -> str:
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )


@lru_cache(maxsize=256)
def render_markdown(source: str) -> str:
    """``source`` as HTML: paragraphs, lists, emphasis, quotes and links. Nothing in it loads or runs."""
    return _sanitise(_parser().render(source))


@lru_cache(maxsize=256)
def render_text(source: str) -> str:
    """``source`` as plain text: one line for a paragraph, ``words (https://…)`` for a link, marks for lists, quotes."""
    return _blocks(SyntaxTreeNode(_parser().parse(source)))


def _blocks(node: SyntaxTreeNode, gap: str = "\n\n") -> str:
    return gap.join(told for child in node.children if (told := _block(child)))


def _block(node: SyntaxTreeNode) -> str:
    match node.type:
        case "bullet_list" | "ordered_list":
            return _list(node)
        case "blockquote":
            return _behind("> ", _blocks(node), every_line=True)
        case "fence" | "code_block":
            return _behind("    ", node.content.rstrip("\n"), every_line=True)
        case "hr":
            return "* * *"
        case _:  # a paragraph or a heading
            return _inline(node).strip()


def _list(node: SyntaxTreeNode) -> str:
    first = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
    tight = all(block.hidden for item in node.children for block in item.children if block.type == "paragraph")
    items = [
        _behind("- " if first is None else f"{number}. ", _blocks(item, "\n" if tight else "\n\n"))
        for number, item in enumerate(node.children, first or 0)
    ]
    return ("\n" if tight else "\n\n").join(items)


def _behind(mark: str, text: str, *, every_line: bool = False) -> str:
    """``text`` behind ``mark``; its further lines are indented, or have the mark too (``every_line``)."""
    further = mark if every_line else " " * len(mark)
    return "\n".join(((further if number else mark) + line).rstrip() for number, line in enumerate(text.split("\n")))


def _inline(node: SyntaxTreeNode) -> str:
    return "".join(_words(child) for child in node.children)


def _words(node: SyntaxTreeNode) -> str:
    match node.type:
        case "text" | "code_inline" | "image":
            return node.content
        case "softbreak":
            return " "
        case "hardbreak":
            return "\n"
        case "link":
            address = str(node.attrs["href"]).removeprefix("mailto:")
            words = address if node.info == "auto" else _inline(node)
            return address if words in ("", address) else f"{words} ({address})"
        case _:  # emphasis, and the wrapper around all inline words
            return _inline(node)
