"""A database restored from a backup: what was sent since is not sent again by itself."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from campaign.installation.wiring import Campaign
from campaign.models import DeliveryState, EditionState
from campaign.worker import BEGUN, work_once
from tests.conftest import Clock, MakeCampaign, close_campaign
from tests.scenes.deliveries import digests
from tests.scenes.editions import balances, due, edition, make_by_hand, step
from tests.scenes.people import add_readers
from tests.servers.smtp import Mailbox


def back_up(campaign: Campaign, copy: Path) -> None:
    campaign.database.truncate_log()
    shutil.copy(campaign.settings.data_dir / "campaign.sqlite", copy)


def restore(campaign: Campaign, copy: Path) -> None:
    close_campaign(campaign)
    for path in campaign.settings.data_dir.glob("campaign.sqlite*"):
        path.unlink()
    shutil.copy(copy, campaign.settings.data_dir / "campaign.sqlite")


@pytest.mark.parametrize("decision", ["resume", "cancel"])
def test_yesterdays_backup_does_not_resend_yesterdays_edition(
    make_sqlite_campaign: MakeCampaign, clock: Clock, tmp_path: Path, decision: str
) -> None:
    with Mailbox() as mailbox:
        campaign = make_sqlite_campaign(smtp_url=mailbox.url)
        add_readers(campaign, "a@example.org", "b@example.org")
        back_up(campaign, tmp_path / "backup")
        clock.turn(timedelta(days=7))
        work_once(campaign)
        assert len(mailbox.messages) == 2
        restore(campaign, tmp_path / "backup")

        restored = make_sqlite_campaign(smtp_url=mailbox.url)
        clock.turn(timedelta(days=1))
        work_once(restored)
        assert len(mailbox.messages) == 2
        paused = edition(restored)
        assert (paused.number, paused.state) == (1, EditionState.PAUSED)
        assert "restored from a backup" in str(paused.reason)
        assert {item.state for item in digests(restored)} == {DeliveryState.QUEUED}
        step(restored, decision)
        work_once(restored)
        assert len(mailbox.messages) == (4 if decision == "resume" else 2)
        assert balances(restored)


def test_an_edition_is_noted_once_and_held_by_nothing_in_ordinary_life(
    make_sqlite_campaign: MakeCampaign, clock: Clock
) -> None:
    campaign = make_sqlite_campaign()
    add_readers(campaign, "a@example.org")
    first = make_by_hand(campaign)
    for _ in range(2):
        work_once(campaign)
    clock.turn(timedelta(days=7))
    add_readers(campaign, "b@example.org")
    assert due(campaign) == [(EditionState.SENDING, None)]
    noted = (campaign.settings.data_dir / BEGUN).read_text(encoding="utf-8")
    assert noted == f"kazakhstan 1 {first.made_at.isoformat()}\n"
    assert (campaign.settings.data_dir / BEGUN).stat().st_mode & 0o777 == 0o600
