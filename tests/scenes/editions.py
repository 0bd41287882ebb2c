"""Editions from making to end: planned, made, led on step by step, and whether the ledger balances."""

from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.installation.wiring import Installation
from campaign.models import Edition, EditionState, Schedule
from campaign.services.delivery.ledger_audit import audit_ledger
from campaign.services.digests.editions import make_due_editions, send_digest
from campaign.services.digests.steps import Step, take_step
from campaign.services.digests.transitions import (
    Dispatch,
    approve_edition,
    cancel_edition,
    pause_edition,
    resume_edition,
)
from campaign.services.petitions.file_schema import UpdateTexts
from campaign.services.petitions.store import get_petition, publish_update
from tests.conftest import SLUG, STAGE, START
from tests.scenes.people import find_petition, without_jobs

MAKER, SECOND = "maker@example.org", "second@example.org"
STEPS = ("approve", "pause", "resume", "cancel")


def plan(installation: Installation, **columns: object) -> None:
    with installation.database.sessions.begin() as session:
        schedule = session.get_one(Schedule, find_petition(installation).id)
        for name, value in columns.items():
            setattr(schedule, name, value)


def make_by_hand(installation: Installation, dispatch: Dispatch | None = None) -> Edition:
    with installation.database.sessions.begin() as session:
        petition, dispatch = get_petition(session, SLUG), dispatch or installation.dispatch
        return send_digest(session, petition, installation.links, dispatch, actor=MAKER, now=installation.now())


def step(installation: Installation, name: str, number: int = 1, actor: str = SECOND) -> Edition:
    with installation.database.sessions.begin() as session:
        return step_within(session, installation, name, number, actor)


def step_within(session: Session, installation: Installation, name: str, number: int, actor: str) -> Edition:
    """The same in the caller's transaction."""
    steps: dict[str, Step] = {
        "approve": partial(approve_edition, dispatch=installation.dispatch),
        "pause": pause_edition,
        "resume": partial(resume_edition, dispatch=installation.dispatch),
        "cancel": cancel_edition,
    }
    return take_step(session, find_petition(installation), number, steps[name], actor=actor, now=installation.now())


def edition(installation: Installation, number: int = 1) -> Edition:
    with installation.database.snapshots() as session:
        return session.scalars(select(Edition).where(Edition.number == number)).one()


def due(installation: Installation) -> list[tuple[EditionState, str | None]]:
    with installation.database.sessions.begin() as session:
        made = make_due_editions(session, installation.links, without_jobs(installation), now=installation.now())
        return [(found.state, found.reason) for found in made]


def publish(installation: Installation, key: str) -> None:
    texts = dict.fromkeys(("en", "ru", "kk"), key)
    with installation.database.sessions.begin() as session:
        update = UpdateTexts(key=key, date=START.date(), title=texts, body=texts)
        publish_update(session, get_petition(session, SLUG), update, actor=STAGE, now=installation.now())


def balances(installation: Installation) -> bool:
    with installation.database.snapshots() as session:
        return all(account.balances for account in audit_ledger(session, find_petition(installation)))
