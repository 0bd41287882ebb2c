"""Markdown that organizers write, as HTML that is safe to show."""

from functools import cache, lru_cache

import nh3
from markdown_it import MarkdownIt

_TAGS = {"p", "br", "strong", "em", "a", "ul", "ol", "li", "blockquote", "h2", "h3", "code", "hr"}


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False})


@lru_cache(maxsize=256)
def render_markdown(source: str) -> str:
    """HTML for ``source``: paragraphs, lists, emphasis, quotes and links to web pages; nothing that loads or runs."""
    return nh3.clean(
        _parser().render(source),
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )
