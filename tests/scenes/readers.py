"""Readers with choices, on a server with two petitions."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select

from campaign.installation.wiring import Installation
from campaign.models import Delivery, DeliveryKind, Edition, ReaderFrequency, Subscription
from campaign.services.digests.editions import make_edition
from campaign.services.petitions.file_schema import UpdateTexts
from campaign.services.petitions.lifecycle import open_petition
from campaign.services.petitions.store import get_petition, load_petition, publish_update
from campaign.services.subscribers.subscriptions import Choices, change_choices
from campaign.text.email_address import parse_email_address
from tests.conftest import SLUG, STAGE
from tests.scenes.campaign_files import read
from tests.scenes.people import confirm_all, sign

SECOND = "small"


def add_second_petition(installation: Installation, folder: Path) -> None:
    with installation.database.sessions.begin() as session:
        open_petition(
            session,
            load_petition(session, read(folder), actor=STAGE, now=installation.now()),
            actor=STAGE,
            now=installation.now(),
        )


def follow(installation: Installation, email: str, *slugs: str, language: str = "en") -> None:
    """Sign, ask for updates, confirm."""
    for slug in slugs or (SLUG,):
        sign(installation, email, slug, language=language, updates=True)
        confirm_all(installation)


def subscription_of(installation: Installation, email: str, slug: str = SLUG) -> Subscription:
    fingerprint = installation.vault.fingerprint(parse_email_address(email))
    with installation.database.snapshots() as session:
        petition = get_petition(session, slug)
        return session.scalars(
            select(Subscription).where(Subscription.fingerprint == fingerprint, Subscription.petition_id == petition.id)
        ).one()


def choose(
    installation: Installation,
    email: str,
    frequency: ReaderFrequency = ReaderFrequency.EACH,
    *,
    slug: str = SLUG,
    language: str = "en",
    paused: bool = False,
    merged: bool | None = None,
) -> None:
    """Save these choices on the reader's page."""
    subscription_id = subscription_of(installation, email, slug).id
    with installation.database.sessions.begin() as session:
        change_choices(
            session,
            get_petition(session, slug),
            session.get_one(Subscription, subscription_id),
            Choices(language, frequency, paused, merged),
        )


def publish(installation: Installation, key: str, slug: str = SLUG) -> None:
    """An update, with its key in its texts."""
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, slug)
        texts = {language: f"{key} {language}" for language in petition.languages}
        publish_update(
            session,
            petition,
            UpdateTexts(key=key, date=installation.now().date(), title=texts, body=texts),
            actor=STAGE,
            now=installation.now(),
        )


def issue(installation: Installation, period: str, slug: str = SLUG) -> Edition:
    """Make an edition, and have it sent by the next worker."""
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, slug)
        return make_edition(
            session, petition, installation.links, installation.dispatch, period=period, now=installation.now()
        )


def rows_of(installation: Installation, *subscriptions: Subscription) -> Sequence[Delivery]:
    """Their part of the ledger, in order."""
    wanted = [subscription.id for subscription in subscriptions]
    with installation.database.snapshots() as session:
        return session.scalars(
            select(Delivery)
            .where(Delivery.kind == DeliveryKind.DIGEST, Delivery.subscription_id.in_(wanted))
            .order_by(Delivery.id)
        ).all()
