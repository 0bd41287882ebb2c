"""One mail for all campaigns: what is due is one message, its rows share one fate, and one click ends them all."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import NoResultFound

from campaign.installation.wiring import Installation
from campaign.mail.lint.message import lint_message
from campaign.mail.message import Message
from campaign.mail.smtp.transport import Answer, Later, Mails, Outcome
from campaign.models import Delivery, DeliveryKind, DeliveryState, Edition, EditionState, EditionText
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.delivery.claims import Batch
from campaign.services.delivery.ledger import settle_claims
from campaign.services.delivery.ledger_audit import audit_ledger
from campaign.services.delivery.send_merged import list_readers_due, send_merged
from campaign.services.digests.enqueue import next_collection
from campaign.services.petitions.file_schema import UpdateTexts
from campaign.services.petitions.store import get_petition, list_petitions, publish_update
from campaign.web.app import create_app
from campaign.worker import work_once
from tests.conftest import SLUG, Clock, MakeInstallation
from tests.scenes.people import find_petition, send
from tests.scenes.readers import (
    SECOND,
    add_second_petition,
    choose,
    follow,
    issue,
    publish,
    rows_of,
    subscription_of,
)
from tests.scenes.visiting import links_in
from tests.servers.smtp import Mailbox

BOTH, ONE = "both@example.org", "one@example.org"
Q, SENDING, ACCEPTED, DEFERRED, REJECTED, SUPPRESSED, IN_DOUBT = DeliveryState


class Answering:
    """A way out that answers as it is told, and keeps what it was given."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.messages: list[Message] = []

    def deliver(self, mails: Mails) -> None:
        while (given := mails.next()) is not None:
            assert not isinstance(given, Later)
            number, message = given
            mails.end(number, self._answer(message))

    def _answer(self, message: Message) -> Answer:
        self.messages.append(message)
        return self.answers.pop(0) if self.answers else Answer(Outcome.ACCEPTED)

    def close(self) -> None:
        pass


def prepare(installation: Installation, folder: Path, *, language: str = "en") -> None:
    """A reader of two petitions who wants one mail, and one who follows both and wants two; confirmations are sent."""
    add_second_petition(installation, folder)
    for email in (BOTH, ONE):
        follow(installation, email, SLUG, SECOND, language=language)
    choose(installation, BOTH, language=language, merged=True)
    work_once(installation)


def rows(installation: Installation, email: str = BOTH) -> list[Delivery]:
    subscriptions = [subscription_of(installation, email, slug) for slug in (SLUG, SECOND)]
    return list(rows_of(installation, *subscriptions))


def states(installation: Installation, email: str = BOTH) -> Counter[DeliveryState]:
    return Counter(row.state for row in rows(installation, email))


def to_reader(mailbox: Mailbox, email: str = BOTH) -> list[EmailMessage]:
    """Digests only."""
    return [
        message.parsed
        for message in mailbox.messages
        if message.recipients == (email,) and "List-Unsubscribe" in message.parsed
    ]


def body(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def balances(installation: Installation) -> bool:
    with installation.database.snapshots() as session:
        return all(
            account.balances for petition in list_petitions(session) for account in audit_ledger(session, petition)
        )


def merge(installation: Installation) -> Counter[DeliveryState]:
    return send_merged(installation.sender("mails"))


@pytest.mark.parametrize(("hour", "day"), [(5, 23), (6, 24), (7, 24)])
def test_mails_are_collected_until_six_in_the_morning_utc(hour: int, day: int) -> None:
    assert next_collection(datetime(2026, 11, 23, hour, tzinfo=UTC)) == datetime(2026, 11, 23, 6, tzinfo=UTC).replace(
        day=day
    )


def test_two_editions_are_one_mail_at_the_next_collection(
    make_installation: MakeInstallation, folder: Path, clock: Clock
) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        prepare(installation, folder)
        first, second = issue(installation, "first"), issue(installation, "first", SECOND)
        work_once(installation)
        assert len(to_reader(mailbox, ONE)) == 2
        assert to_reader(mailbox) == []
        assert states(installation) == {Q: 2}
        clock.turn(timedelta(days=1))
        work_once(installation)
        work_once(installation)
        (mail,) = to_reader(mailbox)
    assert states(installation) == {ACCEPTED: 2}
    assert balances(installation)
    with installation.database.snapshots() as session:
        made = [session.get_one(Edition, edition.id) for edition in (first, second)]
        assert {edition.state for edition in made} == {EditionState.SENT}
        titles = [petition.texts["en"]["title"] for petition in list_petitions(session)]
    (sent,) = [m for m in mailbox.messages if m.recipients == (BOTH,) and "List-Unsubscribe" in m.parsed]
    assert lint_message(sent.content, sender=sent.sender, recipient=BOTH, is_list=True) == []
    for kind in ("plain", "html"):
        text = body(mail, kind)
        assert "@@" not in text
        for title in titles:
            assert title.replace("’", "&#8217;") in text or title in text
        for slug in (SLUG, SECOND):
            subscription = subscription_of(installation, BOTH, slug)
            assert text.count(installation.links.unsubscribe(subscription.id)) >= 1
            assert installation.links.me(subscription.id) in text
    assert body(mail).count("\n-- \n") == 1
    assert body(mail, "html").count("<html") == 1
    assert mail["Subject"].startswith("News of 2 petitions: ")


def test_a_merged_mail_is_in_the_readers_language(
    make_sqlite_installation: MakeInstallation, folder: Path, clock: Clock
) -> None:
    with Mailbox() as mailbox:
        installation = make_sqlite_installation(smtp_url=mailbox.url)
        prepare(installation, folder, language="ru")
        issue(installation, "first", SECOND)
        issue(installation, "first")
        clock.turn(timedelta(days=1))
        work_once(installation)
        (mail,) = to_reader(mailbox)
    assert mail["Content-Language"] == "ru"
    assert "Название" in body(mail)


def test_one_edition_alone_is_an_ordinary_mail(make_installation: MakeInstallation, folder: Path, clock: Clock) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        prepare(installation, folder)
        issue(installation, "first")
        clock.turn(timedelta(days=1))
        work_once(installation)
        (mail,), (other,) = to_reader(mailbox), to_reader(mailbox, ONE)
    assert mail["Subject"] == other["Subject"]
    assert mail["List-Id"] == other["List-Id"]
    assert states(installation) == {ACCEPTED: 1}


def test_a_reader_of_one_petition_waits_for_nothing(make_installation: MakeInstallation, folder: Path) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        add_second_petition(installation, folder)
        follow(installation, BOTH)
        choose(installation, BOTH, merged=True)
        issue(installation, "first")
        work_once(installation)
        assert len(to_reader(mailbox)) == 1


def test_who_subscribes_to_another_petition_keeps_one_mail_for_all(installation: Installation, folder: Path) -> None:
    add_second_petition(installation, folder)
    follow(installation, BOTH)
    choose(installation, BOTH, merged=True)
    follow(installation, BOTH, SECOND)
    assert subscription_of(installation, BOTH, SECOND).merged
    choose(installation, BOTH, slug=SECOND, merged=False)
    assert not subscription_of(installation, BOTH, SLUG).merged


def test_one_click_ends_all_that_the_mail_told_of(
    make_installation: MakeInstallation, folder: Path, clock: Clock
) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        prepare(installation, folder)
        issue(installation, "first")
        issue(installation, "first", SECOND)
        clock.turn(timedelta(days=1))
        work_once(installation)
        (mail,) = to_reader(mailbox)
    ids = [subscription_of(installation, BOTH, slug).id for slug in (SLUG, SECOND)]
    (path,) = links_in(mail["List-Unsubscribe"].strip("<>"))
    client = create_app(installation).test_client(use_cookies=False)
    assert client.get(path).status_code == 200
    assert subscription_of(installation, BOTH).fingerprint
    # The first of them was ended by itself before: the others are found all the same.
    assert (
        client.post(installation.links.unsubscribe(ids[0]).removeprefix(installation.settings.base_url)).status_code
        == 200
    )
    for _ in range(2):
        answer = client.post(path, data={"List-Unsubscribe": "One-Click"})
        assert (answer.status_code, answer.headers.get("Set-Cookie")) == (200, None)
    with installation.database.snapshots() as session:
        left = set(session.scalars(select(Delivery.subscription_id).where(Delivery.kind == DeliveryKind.DIGEST)))
    assert set(ids) <= left
    with pytest.raises(NoResultFound):
        subscription_of(installation, BOTH, SECOND)
    assert subscription_of(installation, ONE, SECOND).fingerprint


def test_who_stopped_one_of_them_gets_the_other(
    make_installation: MakeInstallation, folder: Path, clock: Clock
) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        prepare(installation, folder)
        issue(installation, "first")
        issue(installation, "first", SECOND)
        ended = subscription_of(installation, BOTH)
        token = installation.links.unsubscribe(ended.id).removeprefix(installation.settings.base_url)
        assert create_app(installation).test_client().post(token).status_code == 200
        clock.turn(timedelta(days=1))
        work_once(installation)
        (mail,) = to_reader(mailbox)
    assert mail["List-Id"].startswith(f"<{SECOND}.")
    assert [row.state for row in rows_of(installation, ended)] == [SUPPRESSED]
    assert balances(installation)


def test_who_paused_one_of_them_gets_the_other(make_installation: MakeInstallation, folder: Path, clock: Clock) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        prepare(installation, folder)
        issue(installation, "first")
        issue(installation, "first", SECOND)
        choose(installation, BOTH, paused=True)
        clock.turn(timedelta(days=1))
        work_once(installation)
        (mail,) = to_reader(mailbox)
    assert mail["List-Id"].startswith(f"<{SECOND}.")
    assert states(installation) == {ACCEPTED: 1, SUPPRESSED: 1}


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome.ACCEPTED, ACCEPTED),
        (Outcome.REJECTED, REJECTED),
        (Outcome.DEFERRED, DEFERRED),
        (Outcome.IN_DOUBT, IN_DOUBT),
        (Outcome.NOT_TRIED, Q),
        (Outcome.BROKEN_OFF, Q),
    ],
)
def test_all_rows_of_a_mail_have_one_fate(
    make_installation: MakeInstallation, folder: Path, clock: Clock, outcome: Outcome, state: DeliveryState
) -> None:
    transport = Answering()
    installation = make_installation(open_transport=lambda: transport)
    prepare(installation, folder)
    issue(installation, "first")
    issue(installation, "first", SECOND)
    clock.turn(timedelta(days=1))
    transport.messages.clear()
    transport.answers.append(Answer(outcome, "as the server said"))
    assert merge(installation) == {state: 2}
    assert states(installation) == {state: 2}
    assert len({row.due_at for row in rows(installation)}) == 1
    assert len(transport.messages) == 1
    assert balances(installation)
    clock.turn(timedelta(days=1))
    merge(installation)
    if state in (Q, DEFERRED):
        assert states(installation) == {ACCEPTED: 2}
        first, again = transport.messages
        assert again == first
    else:
        assert len(transport.messages) == 1


def test_a_mail_that_was_put_off_is_joined_by_what_comes_due_and_waits_on_as_one(
    make_installation: MakeInstallation, folder: Path, clock: Clock
) -> None:
    later = [Answer(Outcome.DEFERRED, "later")] * 2
    transport = Answering()
    installation = make_installation(open_transport=lambda: transport)
    prepare(installation, folder)
    issue(installation, "first")
    clock.turn(timedelta(days=1))
    transport.answers = later
    merge(installation)
    issue(installation, "first", SECOND)
    clock.turn(timedelta(days=1))
    assert merge(installation) == {DEFERRED: 2}
    assert len({row.due_at for row in rows(installation)}) == 1


def test_what_a_killed_worker_was_sending_is_in_doubt_as_a_whole_and_not_sent_again(
    make_installation: MakeInstallation, folder: Path, clock: Clock
) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        prepare(installation, folder)
        issue(installation, "first")
        issue(installation, "first", SECOND)
        clock.turn(timedelta(days=1))
        with installation.database.sessions.begin() as session:
            for row in session.scalars(select(Delivery).where(Delivery.id.in_([row.id for row in rows(installation)]))):
                row.state, row.claimed_by = SENDING, "dead/mails"
        with installation.database.sessions.begin() as session:
            assert settle_claims(session, "dead", installation.settings.journals, now=installation.now()) == {
                IN_DOUBT: 2
            }
        work_once(installation)
        assert to_reader(mailbox) == []
    assert states(installation) == {IN_DOUBT: 2}
    assert balances(installation)


def test_the_ordinary_batches_leave_them_alone(make_installation: MakeInstallation, folder: Path, clock: Clock) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        prepare(installation, folder)
        issue(installation, "first")
        issue(installation, "first", SECOND)
        clock.turn(timedelta(days=1))
        send(installation, Batch(DeliveryKind.DIGEST))
        assert to_reader(mailbox) == []
        assert len(to_reader(mailbox, ONE)) == 2
    assert states(installation) == {Q: 2}


def test_what_is_paused_waits(installation: Installation, folder: Path, clock: Clock) -> None:
    prepare(installation, folder)
    edition = issue(installation, "first")
    clock.turn(timedelta(days=1))
    for state, due in ((EditionState.PAUSED, 0), (EditionState.SENDING, 1)):
        with installation.database.sessions.begin() as session:
            session.get_one(Edition, edition.id).state = state
        with installation.database.snapshots() as session:
            assert len(list_readers_due(session, installation.dispatch.guard, now=installation.now())) == due


def test_who_gives_up_one_mail_for_all_gets_what_waits_one_by_one(
    make_installation: MakeInstallation, folder: Path, clock: Clock
) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        prepare(installation, folder)
        publish(installation, "one")
        issue(installation, "first")
        issue(installation, "first", SECOND)
        choose(installation, BOTH, merged=False)
        clock.turn(timedelta(days=1))
        work_once(installation)
        assert len(to_reader(mailbox)) == 2
    assert states(installation) == {ACCEPTED: 2}


def test_an_edition_from_before_the_news_were_marked_goes_in_as_a_whole(
    make_sqlite_installation: MakeInstallation, folder: Path, clock: Clock
) -> None:
    with Mailbox() as mailbox:
        installation = make_sqlite_installation(smtp_url=mailbox.url)
        prepare(installation, folder)
        old = issue(installation, "first")
        issue(installation, "first", SECOND)
        with installation.database.sessions.begin() as session:
            for frozen in session.scalars(select(EditionText).where(EditionText.edition_id == old.id)):
                frozen.html = "<html><body class=old><p>An old text</p></body></html>"
        clock.turn(timedelta(days=1))
        work_once(installation)
        (mail,) = to_reader(mailbox)
    html = body(mail, "html")
    assert ">An old text</p>" in html
    assert re.search(r"<td[^>]*>\s*<p[^>]*>An old text", html)
    assert "class=old" not in html
    assert html.count("<body") == 1


def test_each_section_says_its_language_and_its_direction(
    make_sqlite_installation: MakeInstallation, folder: Path, clock: Clock
) -> None:
    with Mailbox() as mailbox:
        installation = make_sqlite_installation(smtp_url=mailbox.url)
        prepare(installation, folder)
        choose(installation, BOTH, slug=SECOND, language="ru", merged=True)
        issue(installation, "first")
        issue(installation, "first", SECOND)
        clock.turn(timedelta(days=1))
        work_once(installation)
        (mail,) = to_reader(mailbox)
    html = body(mail, "html")
    assert re.search(r'<td lang="en" dir="ltr"[^>]*>.*<td lang="ru" dir="ltr"[^>]*>.*Название', html, re.DOTALL)
    assert re.search(r'<strong lang="ru" dir="ltr"[^>]*>Название', html)


def publish_long(installation: Installation, slug: str, count: int) -> None:
    """Updates of 18,200 bytes each."""
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, slug)
        for number in range(count):
            texts = dict.fromkeys(petition.languages, f"news of {slug}")
            bodies = dict.fromkeys(petition.languages, ("word " * 3_640).strip())
            update = UpdateTexts(key=f"long-{number}", date=installation.now().date(), title=texts, body=bodies)
            publish_update(session, petition, update, actor=COMMAND_LINE, now=installation.now())


@pytest.mark.parametrize(
    ("counts", "shortened"),
    [((3, 1), set()), ((3, 3), {SECOND}), ((5, 1), {SECOND}), ((1, 5), {SECOND})],
)
def test_what_would_make_the_mail_too_large_is_a_title_and_a_link(
    make_sqlite_installation: MakeInstallation, folder: Path, clock: Clock, counts: tuple[int, int], shortened: set[str]
) -> None:
    """The news of both campaigns alone are mails that pass the linter."""
    with Mailbox() as mailbox:
        installation = make_sqlite_installation(smtp_url=mailbox.url)
        prepare(installation, folder)
        for slug, count in zip((SLUG, SECOND), counts, strict=True):
            publish_long(installation, slug, count)
            issue(installation, "long", slug)
        clock.turn(timedelta(days=1))
        work_once(installation)
        (mail,) = to_reader(mailbox)
    (sent,) = [m for m in mailbox.messages if m.recipients == (BOTH,) and "List-Unsubscribe" in m.parsed]
    assert lint_message(sent.content, sender=sent.sender, recipient=BOTH, is_list=True) == []
    assert states(installation) == {ACCEPTED: 2}
    client = create_app(installation).test_client(use_cookies=False)
    for slug in (SLUG, SECOND):
        url = installation.links.edition("en", slug, 1)
        title = find_petition(installation, slug).texts["en"]["title"]
        for kind in ("plain", "html"):
            text = unescape(body(mail, kind))
            assert title in text
            assert (f"news of {slug}" in text, url in text) == (slug not in shortened, slug in shortened)
            assert installation.links.unsubscribe(subscription_of(installation, BOTH, slug).id) in text
        page = client.get(url.removeprefix(installation.settings.base_url))
        assert (page.status_code, f"news of {slug}" in page.text) == (200, True)
