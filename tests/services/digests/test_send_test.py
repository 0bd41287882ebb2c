"""Tests of a digest: to organizers who may send it and nobody else, as it will be read, and outside the accounts."""

import pytest

from campaign.errors import Forbidden, NotFound, NotPossible
from campaign.installation.wiring import Installation
from campaign.models import DeliveryKind, DeliveryState, Role
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.delivery.ledger_audit import audit_ledger
from campaign.services.digests.send_test import rehearse_edition
from campaign.services.organizers.members import add_organizer
from campaign.services.petitions.store import get_petition
from campaign.worker import work_once
from tests.conftest import SLUG, MakeInstallation
from tests.scenes.editions import balances, plan, publish, step
from tests.scenes.people import add_readers, find_petition, list_deliveries, make_digest
from tests.scenes.spellings import KEPT, SPELLINGS
from tests.servers.smtp import Mailbox

DANA = "dana@example.org"


def invite(installation: Installation, email: str, role: Role) -> None:
    with installation.database.sessions.begin() as session:
        add_organizer(session, email, get_petition(session, SLUG), role, actor=COMMAND_LINE, now=installation.now())


def rehearse(installation: Installation, email: str = DANA, language: str | None = None) -> None:
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        rehearse_edition(session, petition, email, actor=email, now=installation.now(), language=language)


def test_a_test_reads_like_the_edition_and_its_links_end_nothing(make_installation: MakeInstallation) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        add_readers(installation, "a@example.org")
        invite(installation, DANA, Role.EDITOR)
        rehearse(installation)
        work_once(installation)
    assert {message.recipients for message in mailbox.messages} == {(DANA,)}
    assert len(mailbox.messages) == len(find_petition(installation).languages) == 3
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
    make_installation: MakeInstallation,
) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        add_readers(installation, "a@example.org")
        invite(installation, DANA, Role.OWNER)
        plan(installation, needs_approval=True)
        draft = make_digest(installation)
        publish(installation, "afterwards")
        rehearse(installation, language="ru")
        (test,) = (item for item in list_deliveries(installation) if item.kind is DeliveryKind.TEST)
        assert (test.edition_id, test.language) == (draft.id, "ru")
        assert balances(installation)
        work_once(installation)
        assert "afterwards" not in mailbox.messages[0].content.decode("utf-8", "replace")
        step(installation, "approve")
        work_once(installation)
    assert sorted(message.recipients[0] for message in mailbox.messages) == ["a@example.org", DANA]
    assert balances(installation)
    with installation.database.snapshots() as session:
        confirmations, first = audit_ledger(session, find_petition(installation))
    assert (confirmations.owed, first.owed, first.states) == (1, 1, {DeliveryState.ACCEPTED: 1})


def test_a_test_reaches_an_organizer_with_a_domain_in_another_script(make_installation: MakeInstallation) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        add_readers(installation, "a@example.org")
        invite(installation, SPELLINGS[1], Role.EDITOR)
        rehearse(installation, SPELLINGS[1], "en")
        work_once(installation)
    assert [message.recipients for message in mailbox.messages] == [(KEPT,)]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EXPORTER, None])
def test_nobody_else_is_sent_one(installation: Installation, role: Role | None) -> None:
    add_readers(installation, "a@example.org")
    if role:
        invite(installation, "other@example.org", role)
    with pytest.raises(Forbidden, match="and to nobody else"):
        rehearse(installation, "other@example.org")
    assert not [item for item in list_deliveries(installation) if item.kind is DeliveryKind.TEST]


def test_one_who_lost_the_role_meanwhile_gets_none(make_sqlite_installation: MakeInstallation) -> None:
    with Mailbox() as mailbox:
        installation = make_sqlite_installation(smtp_url=mailbox.url)
        add_readers(installation, "a@example.org")
        invite(installation, DANA, Role.OWNER)
        rehearse(installation, language="en")
        invite(installation, DANA, Role.VIEWER)
        work_once(installation)
    assert mailbox.messages == []
    (test,) = (item for item in list_deliveries(installation) if item.kind is DeliveryKind.TEST)
    assert (test.state, test.reason) == (DeliveryState.SUPPRESSED, "the organizer may no longer send the digest")


def test_a_language_that_the_petition_lacks_and_an_empty_edition_are_refused(installation: Installation) -> None:
    invite(installation, DANA, Role.OWNER)
    with pytest.raises(NotFound, match="not in “de”"):
        rehearse(installation, language="de")
    add_readers(installation, "a@example.org")
    make_digest(installation)
    with pytest.raises(NotPossible, match="nothing to test"):
        rehearse(installation)
