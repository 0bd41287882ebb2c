"""Every kind of mail in a right-to-left language: it begins its lines at the right, and keeps addresses whole."""

import re
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from campaign.i18n import Language
from campaign.mail.lint.message import lint_message
from campaign.run.supervisor import BUILT_IN
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.petitions.file_reader import read_petition_file
from campaign.services.petitions.lifecycle import open_petition
from campaign.services.petitions.store import load_petition
from campaign.worker import work_once
from tests.conftest import SLUG, Clock, MakeInstallation, quick_app
from tests.scenes.arabic import ARABIC, arabic_known, in_arabic, petition_in_arabic
from tests.scenes.campaign_files import read
from tests.scenes.people import confirm_all, get_signature, sign
from tests.scenes.readers import SECOND, choose, follow, issue
from tests.scenes.visiting import FROM_HERE, page_of
from tests.servers.smtp import Mailbox

READER, BOTH = "reader@example.org", "both@example.org"
ALIGNED = re.compile(r'align="(\w+)"')


def html_of(mail: EmailMessage) -> str:
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content())


@pytest.fixture
def arabic(tmp_path: Path) -> Iterator[None]:
    with arabic_known(tmp_path / "translations"):
        yield


def test_every_mail_is_mirrored(
    arabic: None, make_sqlite_installation: MakeInstallation, folder: Path, clock: Clock
) -> None:
    """Confirmation, lost link, digest, and one mail for all campaigns, in which another language keeps its own way."""
    with Mailbox() as mailbox:
        installation = make_sqlite_installation(smtp_url=mailbox.url)
        with installation.database.sessions.begin() as session:
            load_petition(session, petition_in_arabic(read_petition_file(BUILT_IN)), actor=COMMAND_LINE, now=clock())
            open_petition(
                session,
                load_petition(session, petition_in_arabic(read(folder)), actor=COMMAND_LINE, now=clock()),
                actor=COMMAND_LINE,
                now=clock(),
            )
        sign(installation, READER, language=ARABIC, updates=True)
        work_once(installation)
        confirm_all(installation)
        follow(installation, BOTH, SLUG, SECOND, language=ARABIC)
        choose(installation, BOTH, language=ARABIC, merged=True)
        choose(installation, BOTH, slug=SECOND, language="ru", merged=True)
        asked = (
            quick_app(installation)
            .test_client()
            .post(f"{page_of(ARABIC)}/my-link", data={"email": READER}, headers=FROM_HERE)
        )
        assert asked.status_code == 303
        work_once(installation)
        issue(installation, "first")
        issue(installation, "first", SECOND)
        work_once(installation)
        clock.turn(timedelta(days=1))
        work_once(installation)
        sent = mailbox.messages
    confirmation, link, digest = [received for received in sent if received.recipients == (READER,)]
    merged = [received for received in sent if received.recipients == (BOTH,)][-1]

    for received, is_list in [(confirmation, False), (link, False), (digest, True), (merged, True)]:
        (recipient,) = received.recipients
        assert lint_message(received.content, sender=received.sender, recipient=recipient, is_list=is_list) == []
        html = html_of(received.parsed)
        assert f'<html lang="{ARABIC}" dir="rtl">' in html
        assert re.search(r'<body[^>]*>\s*<table role="presentation" dir="rtl"', html)
        assert "right" in ALIGNED.findall(html)

    code = installation.vault.code(get_signature(installation, READER).id)
    for received in (confirmation, link):
        html = html_of(received.parsed)
        assert set(ALIGNED.findall(html)) == {"center", "right"}
        assert re.search(rf'<strong class="code" dir="ltr"[^>]*>{code}</strong>', html)
        assert re.search(r'<span dir="ltr">[^<]*127\.0\.0\.1[^<]*</span>', html)
        for address in re.findall(r'<a class="address"[^>]*>', html):
            assert 'dir="ltr"' in address
        assert in_arabic("Hello,") in html
    assert set(ALIGNED.findall(html_of(digest.parsed))) == {"center", "right"}
    assert Language(ARABIC).gettext("Open the petition") in html_of(digest.parsed)

    html = html_of(merged.parsed)
    sections = re.findall(r'<td lang="(\w+)" dir="(\w+)"><table.*?<td class="head"[^>]* align="(\w+)"', html, re.DOTALL)
    assert set(sections) == {("ar", "rtl", "right"), ("ru", "ltr", "left")}
