"""Checking an edition before anybody is owed it: a sample of each language's mail goes through the linter."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from campaign.errors import CampaignError
from campaign.mail.lint.message import Part, Problem, lint_message
from campaign.mail.message import Content, build_message
from campaign.models import Petition
from campaign.services.digests.content import (
    PREFERENCES_MARK,
    UNSUBSCRIBE_MARK,
    compose_digest,
    find_last_edition,
    gather_news,
)
from campaign.services.digests.list_headers import list_headers
from campaign.services.links import Links

# A reader who does not exist: rows are numbered from 1, so what is made for this one opens nothing.
_NOBODY = 0
_READER = "reader@example.org"
_SENDER = "petition@example.org"
_DATE = datetime(2000, 1, 1, tzinfo=UTC)
_MARKS: dict[str, Callable[[Links, int], str]] = {UNSUBSCRIBE_MARK: Links.unsubscribe, PREFERENCES_MARK: Links.me}


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem in one language's mail."""

    language: str
    problem: Problem

    def __str__(self) -> str:
        return f"{self.language}, {self.problem}"


class LintRefused(CampaignError):
    """An edition would be a mail that does not pass the linter; the sentence names language, line and problem.

    ``first`` is that of the first problem alone.
    """

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        self.first = f"The edition was not made. In {findings[0]}"
        more = f" And {len(findings) - 1} more: campaign digest preview shows them." if len(findings) > 1 else ""
        super().__init__(self.first + more)


def check_contents(links: Links, petition: Petition, contents: Iterable[tuple[str, Content]]) -> list[Finding]:
    """What is wrong with the contents, each with the code of its language, as mails to a reader who does not exist."""
    findings: list[Finding] = []
    for language, content in contents:
        for problem in _check_content(links, petition, language, content):
            # The readers of one a month have a text of their own, often with the same problem.
            if (finding := Finding(language, problem)) not in findings:
                findings.append(finding)
    return findings


def check_next_edition(session: Session, petition: Petition, links: Links) -> list[Finding]:
    """What would be wrong with the next edition if it were made now."""
    news = gather_news(session, petition)
    last = find_last_edition(session, petition.id)
    number = ((last.number or 0) if last else 0) + 1
    return check_contents(
        links,
        petition,
        ((language, compose_digest(petition, news, language, links, number=number)) for language in petition.languages),
    )


def require_sendable(links: Links, petition: Petition, contents: Iterable[tuple[str, Content]]) -> None:
    """Raise LintRefused where one of the contents must not go out as it is."""
    if findings := check_contents(links, petition, contents):
        raise LintRefused(findings)


def _check_content(links: Links, petition: Petition, language: str, content: Content) -> list[Problem]:
    text, html = content.text, content.html
    for mark, link in _MARKS.items():
        text, html = text.replace(mark, link(links, _NOBODY)), html.replace(mark, link(links, _NOBODY))
    headers = list_headers(links, _SENDER, petition, language, unsubscribe=links.unsubscribe(_NOBODY))
    try:
        message = build_message(
            Content(content.subject, text, html),
            sender_name=petition.texts[language]["sender"],
            sender=_SENDER,
            recipient=_READER,
            message_id=f"sample@{_SENDER.partition('@')[2]}",
            date=_DATE,
            language=language,
            list_headers=headers,
        )
    except ValueError as error:
        return [Problem(Part.HEADER, None, "%(error)s Type the text again by hand.", {"error": error})]
    return lint_message(message.content, sender=message.sender, recipient=message.recipient, is_list=True)
