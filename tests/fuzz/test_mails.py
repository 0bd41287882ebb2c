"""Digests and mails with a lost link, with words from outside in them, read back as a mail program reads them."""

import re
from datetime import date, timedelta
from smtplib import SMTP

from hypothesis import strategies as st
from pydantic import ValidationError

from campaign.errors import CampaignError, InvalidInput
from campaign.mail.message import Message
from campaign.models import Delivery, DeliveryKind, Display
from campaign.run.supervisor import BUILT_IN
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.delivery.eligibility import select_mails
from campaign.services.delivery.writer import Writer
from campaign.services.digests.editions import make_edition
from campaign.services.petitions.file_reader import read_petition_file
from campaign.services.petitions.file_schema import PetitionFile, UpdateTexts
from campaign.services.petitions.store import get_petition, load_petition, publish_update
from campaign.services.signatures.link_requests import answer_requests, request_link
from campaign.services.signatures.sign import Person
from campaign.text.email_address import parse_email_address
from campaign.text.personal_text import clean_comment, clean_name
from tests.conftest import SLUG, MakeInstallation
from tests.fuzz.answers import check_page
from tests.fuzz.hostile import TYPED
from tests.fuzz.running import Sandbox, fuzz, sandbox
from tests.scenes.mails import parse
from tests.scenes.people import confirm_all, find_petition, sign_within, without_jobs
from tests.servers.smtp import Mailbox

READERS = [f"signer{number}@example.org" for number in range(5)]
URL = re.compile(r"https?://[^\s)>\]\"<]+")
FILE = read_petition_file(BUILT_IN)
FROM_FILE = str(FILE.model_dump())
ONE_OF_EACH = {"from", "to", "subject", "date", "message-id", "mime-version", "content-type"}


def _file(changed: dict[str, str]) -> PetitionFile:
    try:
        return PetitionFile.model_validate(
            FILE.model_dump() | {key: dict.fromkeys(FILE.languages, text) for key, text in changed.items()}
        )
    except ValidationError:
        return FILE


def _update(title: str, body: str) -> UpdateTexts:
    try:
        texts = {"title": dict.fromkeys(FILE.languages, title), "body": dict.fromkeys(FILE.languages, body)}
        return UpdateTexts(key="fuzzed", date=date(2026, 11, 20), **texts)
    except ValidationError:
        texts = {"title": dict.fromkeys(FILE.languages, "News"), "body": dict.fromkeys(FILE.languages, "Words.")}
        return UpdateTexts(key="fuzzed", date=date(2026, 11, 20), **texts)


def _person(name: str, comment: str) -> Person:
    try:
        return Person(name=clean_name(name), comment=clean_comment(comment))
    except InvalidInput:
        return Person(name="A{}" + "b" * 9, comment=None)


def _write(box: Sandbox, file: PetitionFile, update: UpdateTexts, people: list[Person]) -> list[Message]:
    """The digest for each of them, and the mail with the link that each has lost."""
    installation, petition_id = box.installation, find_petition(box.installation).id
    now = installation.now() + timedelta(hours=1)
    with installation.database.sessions.begin() as session:
        petition = load_petition(session, file, actor=COMMAND_LINE, now=installation.now())
        for email, person in zip(READERS, people, strict=True):
            sign_within(
                session,
                installation,
                email,
                name=person.name,
                comment=person.comment,
                display=Display.NAME,
                updates=True,
            )
    confirm_all(installation)
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        publish_update(session, petition, update, actor=COMMAND_LINE, now=installation.now())
        installation.settings.started_editions.unlink(missing_ok=True)  # the last example was rolled back
        make_edition(session, petition, installation.links, without_jobs(installation), period="fuzzed", now=now)
        for email in READERS:
            request_link(session, installation.vault, petition_id, parse_email_address(email), "en", now=now)
        session.flush()
        assert answer_requests(session, now=now) == len(READERS)
    with installation.database.snapshots() as session:
        writer, messages = Writer(installation.identity), list[Message]()
        for kind in (DeliveryKind.DIGEST, DeliveryKind.LINK):
            rows = session.execute(select_mails(kind).where(Delivery.kind == kind)).all()
            assert len(rows) == len(READERS)
            for _, draft in writer.list_drafts(session, kind, rows, now=now):
                assert not isinstance(draft, Exception), draft
                messages.append(writer.write(draft))
    return messages


def _check_mail(message: Message, *, ours: str, typed: list[str], said: str) -> tuple[str, ...]:
    """Whole, to one reader, with nothing that the signer typed and no link of others; the names of its headers."""
    mail = parse(message)
    assert not mail.defects
    names = [name.lower() for name in mail]
    assert all(names.count(name) == 1 for name in ONE_OF_EACH)
    assert len(names) == len(set(names))
    assert [one.addr_spec for one in mail["To"].addresses] == [message.recipient]
    assert len(mail["From"].addresses) == 1
    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "text/html"]
    plain, html = (part.get_content() for part in mail.iter_parts())
    assert not any(part.defects for part in mail.walk())
    check_page(html)
    everything = "".join([plain, html, *map(str, mail.values())])
    assert not [word for word in typed if word in everything]
    links = URL.findall(plain)
    assert any(link.startswith(ours) for link in links)
    assert all(link.startswith(ours) or link in said for link in links), links
    return tuple(names)


def test_a_digest_and_a_lost_link_are_whole_and_say_nothing_of_a_signer(
    make_sqlite_installation: MakeInstallation,
) -> None:
    """Whatever the signer typed, and whatever the petition and its news say; some of them over SMTP, byte for byte."""
    installation = make_sqlite_installation()
    headers: set[tuple[str, ...]] = set()
    sample: list[Message] = []
    checked = 0
    texts = st.dictionaries(st.sampled_from(["title", "sender", "addressee"]), TYPED, max_size=2)
    with sandbox(installation) as box:

        def check(case: tuple[list[tuple[str, str]], str, str, dict[str, str]]) -> None:
            nonlocal checked
            signers, title, body, changed = case
            people = [_person(*typed) for typed in signers]
            said = "".join([FROM_FILE, title, body, *changed.values()])
            words = [word for person in people for word in (person.name, person.comment) if word]
            typed = [word for word in words if len(word) > 6 and word not in said]
            with box.case():
                try:
                    messages = _write(box, _file(changed), _update(title, body), people)
                except CampaignError:
                    return  # the lint keeps such an edition from being made
            for message in messages:
                headers.add(_check_mail(message, ours=installation.settings.base_url, typed=typed, said=said))
            checked += 1
            if checked % 10 == 1:
                sample.extend(messages)

        signers = st.lists(st.tuples(TYPED, TYPED), min_size=len(READERS), max_size=len(READERS))
        fuzz("mails digest and lost link", st.tuples(signers, TYPED, TYPED, texts), check, holds=len(READERS))
    assert len(headers) == 2
    assert sample
    with Mailbox() as mailbox, SMTP("127.0.0.1", mailbox.port) as client:
        for message in sample:
            client.sendmail(message.sender, [message.recipient], message.content)
        received = mailbox.wait_for(len(sample))
    assert [one.content.rstrip(b"\r\n") for one in received] == [one.content.rstrip(b"\r\n") for one in sample]
    assert {one.recipients for one in received} == {(reader,) for reader in READERS}
