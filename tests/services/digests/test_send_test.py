"""Tests of a digest: to organizers who may send it and nobody else, as it will be read, and outside the accounts."""

import pytest

from campaign.errors import Forbidden, NotFound, NotPossible
from campaign.installation.wiring import Campaign
from campaign.models import DeliveryKind, DeliveryState, Role
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.delivery.ledger_audit import audit_ledger
from campaign.services.digests.send_test import rehearse_edition
from campaign.services.organizers.members import add_organizer
from campaign.services.petitions.store import get_petition
from campaign.worker import work_once
from tests.conftest import SLUG, MakeCampaign
from tests.scenes.editions import balances, plan, publish, step
from tests.scenes.people import add_readers, find_petition, list_deliveries, make_digest
from tests.scenes.spellings import KEPT, SPELLINGS
from tests.servers.smtp import Mailbox

DANA = "dana@example.org"


def invite(campaign: Campaign, email: str, role: Role) -> None:
    with campaign.database.sessions.begin() as session:
        add_organizer(session, email, get_petition(session, SLUG), role, actor=COMMAND_LINE, now=campaign.now())


def rehearse(campaign: Campaign, email: str = DANA, language: str | None = None) -> None:
    with campaign.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        rehearse_edition(session, petition, email, actor=email, now=campaign.now(), language=language)


def test_a_test_reads_like_the_edition_and_its_links_end_nothing(make_campaign: MakeCampaign) -> None:
    with Mailbox() as mailbox:
        campaign = make_campaign(smtp_url=mailbox.url)
        add_readers(campaign, "a@example.org")
        invite(campaign, DANA, Role.EDITOR)
        rehearse(campaign)
        work_once(campaign)
    assert {message.recipients for message in mailbox.messages} == {(DANA,)}
    assert len(mailbox.messages) == len(find_petition(campaign).languages) == 3
    for message in mailbox.messages:
        assert message.parsed["Subject"].startswith("[Test] ")
        assert message.parsed["List-Unsubscribe"] is None
        for kind in ("plain", "html"):
            body = message.parsed.get_body((kind,))
            assert body is not None
            content = body.get_content()
            assert f"/p/{SLUG}" in content
            assert "/unsubscribe/" not in content
            assert "@@" not in content


def test_the_waiting_edition_is_tested_as_it_is_frozen_and_the_accounts_know_no_tests(
    make_campaign: MakeCampaign,
) -> None:
    with Mailbox() as mailbox:
        campaign = make_campaign(smtp_url=mailbox.url)
        add_readers(campaign, "a@example.org")
        invite(campaign, DANA, Role.OWNER)
        plan(campaign, needs_approval=True)
        draft = make_digest(campaign)
        publish(campaign, "afterwards")
        rehearse(campaign, language="ru")
        (test,) = (item for item in list_deliveries(campaign) if item.kind is DeliveryKind.TEST)
        assert (test.edition_id, test.language) == (draft.id, "ru")
        assert balances(campaign)
        work_once(campaign)
        assert "afterwards" not in mailbox.messages[0].content.decode("utf-8", "replace")
        step(campaign, "approve")
        work_once(campaign)
    assert sorted(message.recipients[0] for message in mailbox.messages) == ["a@example.org", DANA]
    assert balances(campaign)
    with campaign.database.snapshots() as session:
        confirmations, first = audit_ledger(session, find_petition(campaign))
    assert (confirmations.owed, first.owed, first.states) == (1, 1, {DeliveryState.ACCEPTED: 1})


def test_a_test_reaches_an_organizer_with_a_domain_in_another_script(make_campaign: MakeCampaign) -> None:
    with Mailbox() as mailbox:
        campaign = make_campaign(smtp_url=mailbox.url)
        add_readers(campaign, "a@example.org")
        invite(campaign, SPELLINGS[1], Role.EDITOR)
        rehearse(campaign, SPELLINGS[1], "en")
        work_once(campaign)
    assert [message.recipients for message in mailbox.messages] == [(KEPT,)]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EXPORTER, None])
def test_nobody_else_is_sent_one(campaign: Campaign, role: Role | None) -> None:
    add_readers(campaign, "a@example.org")
    if role:
        invite(campaign, "other@example.org", role)
    with pytest.raises(Forbidden, match="and to nobody else"):
        rehearse(campaign, "other@example.org")
    assert not [item for item in list_deliveries(campaign) if item.kind is DeliveryKind.TEST]


def test_one_who_lost_the_role_meanwhile_gets_none(make_sqlite_campaign: MakeCampaign) -> None:
    with Mailbox() as mailbox:
        campaign = make_sqlite_campaign(smtp_url=mailbox.url)
        add_readers(campaign, "a@example.org")
        invite(campaign, DANA, Role.OWNER)
        rehearse(campaign, language="en")
        invite(campaign, DANA, Role.VIEWER)
        work_once(campaign)
    assert mailbox.messages == []
    (test,) = (item for item in list_deliveries(campaign) if item.kind is DeliveryKind.TEST)
    assert (test.state, test.reason) == (DeliveryState.SUPPRESSED, "the organizer may no longer send the digest")


def test_a_language_that_the_petition_lacks_and_an_empty_edition_are_refused(campaign: Campaign) -> None:
    invite(campaign, DANA, Role.OWNER)
    with pytest.raises(NotFound, match="not in “de”"):
        rehearse(campaign, language="de")
    add_readers(campaign, "a@example.org")
    make_digest(campaign)
    with pytest.raises(NotPossible, match="nothing to test"):
        rehearse(campaign)
