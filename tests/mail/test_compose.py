"""What the product writes: both parts say the same, and a mail loads nothing, runs nothing and quotes no signer."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser

import pytest
from sqlalchemy import select

from campaign.i18n import Language
from campaign.installation.wiring import Installation
from campaign.mail.message import Message
from campaign.models import Audience, DeliveryKind, EditionText, Update
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.digests.content import PREFERENCES_MARK, UNSUBSCRIBE_MARK
from campaign.services.petitions.file_schema import UpdateTexts
from campaign.services.petitions.store import get_petition, publish_update
from campaign.services.petitions.updates import placeholder_values, tell_update
from tests.conftest import SLUG, START
from tests.scenes.mails import IN_EVERY_LANGUAGE, LANGUAGES, confirmation, header_lines, parse, part, read, write
from tests.scenes.people import (
    add_readers,
    find_petition,
    get_signature,
    get_subscription,
    list_deliveries,
    make_digest,
)

URL = re.compile(r"https?://[^\s)>\]]+")
BODY = (
    "Read **[the report](https://news.example.org/report?a=1&b=2)**, and *share* <{petition_url}>: {count} of {goal}."
    "\n\n> Said {{once}}.\n\n- one\n- two\n\nhttps://bare.example.org/a_b_c\n\n"
    ".A line that begins with a dot.\n\n<script>alert(1)</script>\n\n![](https://tracker.example.org/pixel.png)\n"
)


class Tags(HTMLParser):
    """Every tag of a page with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))

    @property
    def links(self) -> set[str]:
        return {attributes["href"] or "" for tag, attributes in self.found if tag == "a"}


def digest(installation: Installation, language: str = "en") -> Message:
    titles = dict.fromkeys(LANGUAGES, "Tom & <b>Jerry</b>")
    update = UpdateTexts(key="new", date=START.date(), title=titles, body=dict.fromkeys(LANGUAGES, BODY))
    with installation.database.sessions.begin() as session:
        publish_update(session, get_petition(session, SLUG), update, actor=COMMAND_LINE, now=START)
    add_readers(installation, "aigul@example.org", language=language)
    make_digest(installation)
    return write(installation, next(item for item in list_deliveries(installation) if item.kind is DeliveryKind.DIGEST))


Kind = Callable[[Installation, str], Message]
KINDS = pytest.mark.parametrize("kind", [confirmation, digest])


@IN_EVERY_LANGUAGE
@KINDS
def test_html_names_its_language_and_loads_and_runs_nothing(
    sqlite_installation: Installation, kind: Kind, language: str
) -> None:
    message = kind(sqlite_installation, language)
    page = part(message, "text/html")
    tags = Tags(page).found
    (root,) = [attributes for tag, attributes in tags if tag == "html"]
    assert (root["lang"], root["dir"]) == (language, "ltr")
    assert {tag for tag, _ in tags} & {"script", "img", "link", "iframe", "object", "svg", "style", "form"} == set()
    assert not any({"src", "background", "srcset", "onclick"} & set(attributes) for _, attributes in tags)
    assert "url(" not in page
    assert all(attributes.get("role") == "presentation" for tag, attributes in tags if tag == "table")
    assert len(page.encode()) < 102 * 1024
    assert parse(message)["Content-Language"] == language


@IN_EVERY_LANGUAGE
def test_a_confirmation_has_the_same_link_and_code_in_both_parts(
    sqlite_installation: Installation, language: str
) -> None:
    message = confirmation(sqlite_installation, language)
    signature = get_signature(sqlite_installation, "aigul@example.org")
    text, page = part(message, "text/plain"), part(message, "text/html")
    link, code = sqlite_installation.links.confirm(signature.id), sqlite_installation.vault.code(signature.id)
    assert set(URL.findall(text)) == Tags(page).links == {link, sqlite_installation.links.own_page(signature.id)}
    assert code in text
    assert code in page
    assert code not in link


@IN_EVERY_LANGUAGE
def test_a_confirmation_is_neutral_and_quotes_nothing_that_was_typed(
    sqlite_installation: Installation, language: str
) -> None:
    message = confirmation(sqlite_installation, language)
    texts = find_petition(sqlite_installation).texts[language]
    assert read(message, "Subject") == texts["confirmation_subject"]
    assert read(message, "From") == f"{texts['sender']} <{sqlite_installation.settings.mail_from}>"
    everything = "\n".join(
        [*header_lines(message), read(message, "From"), part(message, "text/plain"), part(message, "text/html")]
    )
    typed = ["Freddy", "Visible", "pills", "Spamville", texts["title"]]
    assert [words for words in typed if words in unescape(everything)] == []
    assert not [line for line in header_lines(message) if line.startswith("List-")]


@IN_EVERY_LANGUAGE
def test_a_digest_has_the_same_facts_and_links_in_both_parts(sqlite_installation: Installation, language: str) -> None:
    message = digest(sqlite_installation, language)
    text, page = part(message, "text/plain"), part(message, "text/html")
    links, subscription = sqlite_installation.links, get_subscription(sqlite_installation, "aigul@example.org")
    shown = set(URL.findall(text))
    assert shown == Tags(page).links
    assert shown == {
        "https://news.example.org/report?a=1&b=2",
        "https://bare.example.org/a_b_c",
        links.petition(language, SLUG),
        links.updates(language, SLUG),
        links.edition(language, SLUG, 1),
        links.me(subscription.id),
        links.unsubscribe(subscription.id),
    }
    count = f"{Language(language).number(1)} of {Language(language).number(10_000)}"
    for fact in ("Tom & <b>Jerry</b>", ".A line that begins with a dot.", "Said {once}.", count):
        assert fact in text
        assert fact in unescape(page)
    for line in (
        f"Read the report (https://news.example.org/report?a=1&b=2), and share <{links.petition(language, SLUG)}>",
        "> Said {once}.",
        "- two",
        "https://bare.example.org/a_b_c",
    ):
        assert f"\n{line}" in text
    assert "<b>Jerry" not in page
    assert "alert(1)" in text
    assert "@@" not in text + page


@IN_EVERY_LANGUAGE
@KINDS
def test_styles_stand_in_the_tags_and_every_text_has_a_ground_of_its_own(
    sqlite_installation: Installation, kind: Kind, language: str
) -> None:
    """A mail program that turns mails dark then turns both the text and what is behind it."""
    tags = Tags(part(kind(sqlite_installation, language), "text/html")).found
    styles = {tag: attributes.get("style") or "" for tag, attributes in tags}
    assert "font-family" in styles["body"]
    assert "overflow-wrap: anywhere" in styles["a"]
    for tag, attributes in tags:
        if {"head", "card", "foot", "letter"} & set((attributes.get("class") or "").split()):
            style = attributes["style"] or ""
            assert re.search(r"(^|;)color: #", style), tag
            assert "background-color: #" in style


@IN_EVERY_LANGUAGE
def test_the_marks_stand_once_in_each_part_of_a_frozen_text(sqlite_installation: Installation, language: str) -> None:
    """So each reader's copy is the frozen one with two links put in."""
    digest(sqlite_installation, language)
    with sqlite_installation.database.snapshots() as session:
        texts = session.scalars(select(EditionText).where(EditionText.language == language)).all()
    assert {text.audience for text in texts} == set(Audience)
    for part_of_it in (part_of_it for text in texts for part_of_it in (text.text, text.html)):
        assert (part_of_it.count(UNSUBSCRIBE_MARK), part_of_it.count(PREFERENCES_MARK)) == (1, 1)
        assert part_of_it.count("@@") == 4


def test_a_value_is_a_word_whatever_characters_it_has(sqlite_installation: Installation) -> None:
    """A petition's title is not read as Markdown or HTML where an update names it."""
    title = "*Bold* <i>& [x](https://evil.example.org/) {goal}"
    petition = find_petition(sqlite_installation)
    petition.texts = {**petition.texts, "en": {**petition.texts["en"], "title": title}}
    values = placeholder_values(petition, "en", sqlite_installation.links, count=1)
    texts = {"en": {"title": "On {title}", "body": "On *{title}* and `{title}`, [{title}]({title})."}}
    told = tell_update(Update(key="x", published_on=START.date(), texts=texts), "en", values)
    assert told.title == f"On {title}"
    assert Tags(told.html).links == set()
    assert {tag for tag, _ in Tags(told.html).found} == {"p", "em", "code"}
    assert title in told.text
    assert unescape(told.html).count(title) == 4


def test_a_title_that_grows_does_not_make_an_endless_subject(sqlite_installation: Installation) -> None:
    long = UpdateTexts(
        key="new",
        date=START.date(),
        title=dict.fromkeys(LANGUAGES, "{updates_url}" * 15),
        body=dict.fromkeys(LANGUAGES, "x"),
    )
    with sqlite_installation.database.sessions.begin() as session:
        publish_update(session, get_petition(session, SLUG), long, actor=COMMAND_LINE, now=START)
    add_readers(sqlite_installation, "aigul@example.org")
    assert {len(text.subject) for text in make_digest(sqlite_installation).texts} == {250}


def test_a_digest_carries_the_headers_of_a_list(sqlite_installation: Installation) -> None:
    message = digest(sqlite_installation)
    links, subscription = sqlite_installation.links, get_subscription(sqlite_installation, "aigul@example.org")
    sender = sqlite_installation.settings.mail_from
    assert [line for line in header_lines(message) if line.startswith("List-")] == [
        f"List-Id: <{SLUG}.{links.host}>",
        f"List-Unsubscribe: <{links.unsubscribe(subscription.id)}>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        f"List-Help: <{links.petition('en', SLUG)}>",
        f"List-Owner: <mailto:{sender}>",
        f"List-Archive: <{links.updates('en', SLUG)}>",
    ]
    assert parse(message)["Auto-Submitted"] == "auto-generated"


@KINDS
def test_a_later_attempt_is_the_same_message_to_the_byte(sqlite_installation: Installation, kind: Kind) -> None:
    first = kind(sqlite_installation, "en")
    again = write(sqlite_installation, list_deliveries(sqlite_installation)[-1], later=timedelta(hours=30))
    assert again == first
    assert first.recipient == "aigul@example.org"
    assert parse(first)["Date"].datetime == START


def test_two_mails_have_two_message_ids(sqlite_installation: Installation) -> None:
    add_readers(sqlite_installation, "a@example.org", "b@example.org")
    make_digest(sqlite_installation)
    owed = [item for item in list_deliveries(sqlite_installation) if item.kind is DeliveryKind.DIGEST]
    ids = {parse(write(sqlite_installation, item))["Message-ID"] for item in owed}
    assert len(ids) == 2


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("names", [False, True])
def test_a_confirmation_names_the_petition_only_if_its_organizers_chose_so(
    installation: Installation, language: str, names: bool
) -> None:
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        petition.confirmation_names_petition = names
        title = petition.texts[language]["title"]
    message = confirmation(installation, language)
    text, html = " ".join(part(message, "text/plain").split()), unescape(part(message, "text/html"))
    assert (title in text, title in html) == (names, names)
    assert ('class="button"' in html) == names
    links = Tags(html).links
    assert len(links) == 2  # the button leads where the link leads
    assert links == set(URL.findall(part(message, "text/plain")))
