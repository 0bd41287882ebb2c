"""Markdown: HTML that is safe and text that is readable, with the same words and links in both."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.text.markdown import render_markdown, render_text

ALLOWED = {
    *("p", "br", "strong", "em", "a", "ul", "ol", "li", "blockquote", "h3", "h4", "code", "pre", "hr"),
}
MARKS = [
    *("**", "*", "_", "`", "```\n", "    ", "# ", "### ", "> ", "- ", "1. ", "7) ", "\n", "\n\n", "  \n", "---", "\\"),
    *("!", "|", "[", "](", ")", "{count}", "[words](https://example.org/)", "[](https://example.org/empty)"),
    *("[m](mailto:a@example.org)", "[x](javascript:alert(1))", "[x](/there)", "[x](data:x,x)", "[p]({petition_url})"),
    *("https://example.org/a_b_c?d=1&copy=2", "http://example.org.", "(https://example.org/(x))", "<https://example.org/y>"),
    *("<a@example.org>", "![words](https://example.org/i.png)", "<script>", "<b onclick=x>", "</p>", "<!--"),
    *("&amp;", "&lt;", "[u]({updates_url}#a)", "&#123;", "{petition_url}", "{{", "}}", "{", "}"),
    *("\0", "\u202e", "Жаңаөзен", "word", " "),
]  # fmt: skip
SOURCES = st.lists(st.sampled_from(MARKS) | st.text(max_size=5), max_size=25).map("".join)


class Shown(HTMLParser):
    """The tags of a piece of HTML, its links, and its words as they stand on the page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self.words += "" if tag in {"strong", "em", "code"} else " "

    def handle_endtag(self, tag: str) -> None:
        self.words += "" if tag in {"strong", "em", "code"} else " "

    def handle_data(self, data: str) -> None:
        self.words += data

    @property
    def links(self) -> list[str]:
        return [attributes["href"] for tag, attributes in self.tags if tag == "a"]


@given(SOURCES)
def test_whatever_is_written_the_html_has_nothing_that_loads_or_runs(source: str) -> None:
    for tag, attributes in Shown(render_markdown(source)).tags:
        assert tag in ALLOWED
        assert set(attributes) <= {"a": {"href", "rel"}, "ol": {"start"}}.get(tag, set())
        if tag == "a":
            assert re.match(r"https?://|mailto:|\{(petition|updates)_url\}", attributes["href"])


@given(SOURCES)
def test_whatever_is_written_the_text_has_every_link_and_every_word_of_the_html(source: str) -> None:
    shown, text = Shown(render_markdown(source)), render_text(source)
    assert [link for link in shown.links if link.removeprefix("mailto:") not in text] == []
    assert [word for word in shown.words.split() if "://" not in word and word not in text] == []


@given(SOURCES.map(lambda source: source.replace("<", "").replace("&", "")))
def test_the_text_has_no_html(source: str) -> None:
    assert "<" not in render_text(source)


TEXTS = [
    pytest.param("One\nparagraph.\n\nTwo *a*, **b** `c`.", "One paragraph.\n\nTwo a, b c.", id="paragraphs"),
    pytest.param("a  \nb\\\nc", "a\nb\nc", id="line ends that are meant"),
    pytest.param("- a\n- b\n  - c\n\n\n1. d\n2. e", "- a\n- b\n  - c\n\n1. d\n2. e", id="lists"),
    pytest.param("9. a\n\n   b\n10. c", "9. a\n\n   b\n\n10. c", id="list with paragraphs"),
    pytest.param("> a\n>\n> - b", "> a\n>\n> - b", id="quote"),
    pytest.param("# Title\ntext\n\nUnder\n=====", "Title\n\ntext\n\nUnder", id="headings"),
    pytest.param("```\na\n  b\n```\n\n---", "    a\n      b\n\n* * *", id="code and a line"),
    pytest.param("[the *report*](https://x.org/?a=1&b=2).", "the report (https://x.org/?a=1&b=2).", id="link"),
    pytest.param("<https://x.org/> <a@x.org> [a@x.org](mailto:a@x.org)", "https://x.org/ a@x.org a@x.org", id="itself"),
    pytest.param("[w](https://x.org/a_(b))", "w (https://x.org/a_%28b%29)", id="brackets in an address"),
    pytest.param("See https://x.org/_a_, or *https://y.org*.", "See https://x.org/_a_, or https://y.org.", id="bare"),
    pytest.param("![A crowd](https://x.org/i.png)!", "A crowd!", id="image"),
    pytest.param("[here](/there) [x](javascript:y)", "[here](/there) [x](javascript:y)", id="no link"),
    pytest.param("<b>x</b> &amp; &lt;", "<b>x</b> & <", id="what looks like HTML is words"),
    pytest.param("{petition_url} [s]({updates_url}) {{x}}", "{petition_url} s ({updates_url}) {{x}}", id="ours"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "text"), TEXTS)
def test_the_text_reads_like_a_letter(source: str, text: str) -> None:
    assert render_text(source) == text


@pytest.mark.parametrize(
    ("source", "links"),
    [
        (
            "See https://x.org/_a_?b=1&copy=2, and (https://y.org/z).",
            ["https://x.org/_a_?b=1&copy=2", "https://y.org/z"],
        ),
        ("**https://x.org/** xhttps://y.org `https://z.org`", ["https://x.org/"]),
        ("[https://x.org](https://y.org) [a](HTTPS://z.org)", ["https://y.org", "HTTPS://z.org"]),
        ("http://x.org.0/ https:// ://y.org //z.org", []),
        ("{petition_url} {{updates_url}} {{{updates_url}}} {count}", ["{petition_url}", "{updates_url}"]),
        ("[a]({title}) [b]({{petition_url}}) [c](x{petition_url})", ["{petition_url}"]),
        ("[a](https://x.org/%7Bcount%7D/{count}/{{)", ["https://x.org/%7bcount%7d/{count}/{{"]),
    ],
)
def test_what_becomes_a_link(source: str, links: list[str]) -> None:
    assert Shown(render_markdown(source)).links == links


def test_headings_stand_below_those_of_the_page_and_lists_keep_their_numbers() -> None:
    html = render_markdown("# a\n\n## b\n\n###### c\n\n3. d\n4. e")
    assert [tag for tag, _ in Shown(html).tags] == ["h3", "h3", "h4", "ol", "li", "li"]
    assert '<ol start="3">' in html
