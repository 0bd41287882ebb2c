"""Each kind of mail in a language that is written from right to left begins on that side, its addresses stay whole."""

import re
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

from campaign.email_address import parse_email_address
from campaign.services.lifecycle import open_petition
from campaign.services.lost_links import request_link
from campaign.services.petitions import load_petition
from campaign.worker import work_once
from tests.conftest import Clock, MakeCampaign
from tests.right_to_left import ARABIC, arabic, arabic_petition
from tests.servers.smtp import Mailbox
from tests.services.people import find_petition, sign
from tests.services.readers import choose, follow, issue

READER = "layla@example.org"
SLUGS = "first-in-arabic", "second-in-arabic"


def test_every_mail_begins_on_the_right(make_sqlite_campaign: MakeCampaign, tmp_path: Path, clock: Clock) -> None:
    with arabic(tmp_path), Mailbox() as mailbox:
        campaign = make_sqlite_campaign(smtp_url=mailbox.url)
        with campaign.database.sessions.begin() as session:
            for slug in SLUGS:
                file = arabic_petition().model_copy(update={"slug": slug})
                open_petition(load_petition(session, file, now=clock()), now=clock())
        for email in (READER, "new@example.org"):
            follow(campaign, email, *SLUGS, language=ARABIC)
        sign(campaign, "pending@example.org", SLUGS[0], language=ARABIC)
        choose(campaign, READER, slug=SLUGS[0], language=ARABIC, merged=True)
        work_once(campaign)
        for slug in SLUGS:
            issue(campaign, "first", slug)
        clock.turn(timedelta(days=1))
        address = parse_email_address(READER)
        with campaign.database.sessions.begin() as session:
            request_link(session, campaign.vault, find_petition(campaign, SLUGS[0]).id, address, ARABIC, now=clock())
        work_once(campaign)
    kinds = {kind: message.parsed for message in mailbox.messages for kind in [_kind(message.parsed)]}
    assert set(kinds) == {"confirmation", "digest", "merged", "link"}
    for kind, message in kinds.items():
        html = _html(message)
        assert re.search(r'<html lang="ar" dir="rtl"', html), kind
        sides = set(re.findall(r'align="(\w+)"', html))
        assert sides <= {"right", "center"}, kind
        assert "right" in sides, kind
        assert not re.search(r"(?:text-align|float|margin|padding|border)[-:] *left", html), kind


def _html(message: EmailMessage) -> str:
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def _kind(message: EmailMessage) -> str:
    html = _html(message)
    if "/confirm/" in html:
        return "confirmation"
    if "List-Unsubscribe" not in message:
        return "link"
    return "merged" if "This mail has the news of" in html else "digest"
