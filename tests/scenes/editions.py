"""Editions from making to end: planned, made, led on step by step, and whether the ledger balances."""

from sqlalchemy import select

from campaign.installation.wiring import Campaign
from campaign.models import Edition, EditionState, Schedule
from campaign.services.delivery.ledger_audit import audit_ledger
from campaign.services.digests.editions import make_due_editions
from campaign.services.digests.transitions import (
    approve_edition,
    cancel_edition,
    get_for_change,
    pause_edition,
    resume_edition,
)
from campaign.services.petitions.file_schema import UpdateTexts
from campaign.services.petitions.store import get_petition, publish_update
from tests.conftest import SLUG, STAGE, START
from tests.scenes.people import find_petition

MAKER, SECOND = "maker@example.org", "second@example.org"
STEPS = {"approve": approve_edition, "pause": pause_edition, "resume": resume_edition, "cancel": cancel_edition}


def plan(campaign: Campaign, **columns: object) -> None:
    with campaign.database.sessions.begin() as session:
        schedule = session.get_one(Schedule, find_petition(campaign).id)
        for name, value in columns.items():
            setattr(schedule, name, value)


def make_by_hand(campaign: Campaign) -> Edition:
    with campaign.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        return campaign.jobs.send_digest(session, petition, campaign.links, actor=MAKER, now=campaign.now())


def step(campaign: Campaign, name: str, number: int = 1, actor: str = SECOND) -> Edition:
    with campaign.database.sessions.begin() as session:
        edition = get_for_change(session, find_petition(campaign).id, number)
        STEPS[name](session, edition, actor, campaign.now())
        campaign.jobs.enqueue_edition(session, edition)
    return edition


def edition(campaign: Campaign, number: int = 1) -> Edition:
    with campaign.database.snapshots() as session:
        return session.scalars(select(Edition).where(Edition.number == number)).one()


def due(campaign: Campaign) -> list[tuple[EditionState, str | None]]:
    with campaign.database.sessions.begin() as session:
        made = make_due_editions(session, campaign.links, now=campaign.now())
        return [(found.state, found.reason) for found in made]


def publish(campaign: Campaign, key: str) -> None:
    texts = dict.fromkeys(("en", "ru", "kk"), key)
    with campaign.database.sessions.begin() as session:
        update = UpdateTexts(key=key, date=START.date(), title=texts, body=texts)
        publish_update(session, get_petition(session, SLUG), update, actor=STAGE, now=campaign.now())


def balances(campaign: Campaign) -> bool:
    with campaign.database.snapshots() as session:
        return all(account.balances for account in audit_ledger(session, find_petition(campaign)))
