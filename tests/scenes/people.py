"""People who sign a petition and answer their mail, each act in a transaction of its own as from a door."""

from collections import Counter
from collections.abc import Callable
from typing import TypedDict, Unpack

from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.crypto.link_purposes import LinkPurpose
from campaign.installation.wiring import Installation
from campaign.models import (
    Delivery,
    DeliveryState,
    Display,
    Edition,
    Petition,
    Signature,
    SignatureState,
    Subscription,
)
from campaign.services.delivery.claims import Batch
from campaign.services.delivery.send import send_waiting
from campaign.services.digests.editions import make_edition
from campaign.services.digests.transitions import Dispatch
from campaign.services.petitions.counts import count_confirmed
from campaign.services.petitions.store import get_petition, get_text_version
from campaign.services.signatures import confirm as signature_confirm
from campaign.services.signatures import self_service
from campaign.services.signatures import sign as signature_sign
from campaign.services.signatures.erase import end_subscription
from campaign.services.signatures.sign import Person, Submission
from campaign.text.email_address import parse_email_address
from tests.conftest import SLUG


class Said(TypedDict, total=False):
    """What a signer types besides the address."""

    name: str
    place: str | None
    comment: str | None
    language: str
    country: str | None
    display: Display
    updates: bool
    source: str | None


def typed(email: str, **said: Unpack[Said]) -> Submission:
    """A filled-in form."""
    person = Person(said.get("name", "Aigerim Serikova"), said.get("place"), said.get("comment"))
    return Submission(
        parse_email_address(email),
        person,
        said.get("language", "en"),
        said.get("country"),
        said.get("display", Display.HIDDEN),
        wants_updates=said.get("updates", False),
        source=said.get("source"),
    )


def sign_within(
    session: Session, installation: Installation, email: str, slug: str = SLUG, **said: Unpack[Said]
) -> None:
    """Post the form in the caller's transaction."""
    petition = get_petition(session, slug)
    submission = typed(email, **said)
    version = get_text_version(session, petition, submission.language)
    signature_sign.sign(session, installation.vault, petition, version, submission, now=installation.now())


def sign(installation: Installation, email: str, slug: str = SLUG, **said: Unpack[Said]) -> None:
    """Post the form."""
    with installation.database.sessions.begin() as session:
        sign_within(session, installation, email, slug, **said)


def get_signature(installation: Installation, email: str, slug: str = SLUG) -> Signature:
    """The signature of the person at ``email``, as the database holds it now."""
    fingerprint = installation.vault.fingerprint(parse_email_address(email))
    with installation.database.snapshots() as session:
        petition = get_petition(session, slug)
        return session.scalars(
            select(Signature).where(Signature.petition_id == petition.id, Signature.fingerprint == fingerprint)
        ).one()


def get_signature_by_id(installation: Installation, signature_id: int) -> Signature:
    """The signature as the database holds it now, erased ones too."""
    with installation.database.snapshots() as session:
        return session.get_one(Signature, signature_id)


def confirm(installation: Installation, email: str, slug: str = SLUG) -> None:
    """Press the button behind the link in the mail."""
    confirm_by_id(installation, get_signature(installation, email, slug).id)


def confirm_by_id(installation: Installation, signature_id: int) -> None:
    """The same, following a link that is known already."""
    token = installation.vault.token(LinkPurpose.CONFIRM, signature_id)
    with installation.database.sessions.begin() as session:
        signature = signature_confirm.get_linked_signature(
            session, installation.vault, token, now=installation.now(), for_update=True
        )
        signature_confirm.confirm(session, installation.vault, signature, now=installation.now())


def follow(installation: Installation, token: str) -> Signature:
    """Open a confirmation link, which changes nothing."""
    with installation.database.snapshots() as session:
        return signature_confirm.get_linked_signature(session, installation.vault, token, now=installation.now())


def list_personal(signature: Signature) -> list[object]:
    """Everything in the row that is about its person; all None where it was erased."""
    return [
        signature.fingerprint,
        signature.sealed_person,
        signature.sealed_address,
        signature.country,
        signature.expires_at,
    ]


def count(installation: Installation) -> int:
    """The public count."""
    with installation.database.snapshots() as session:
        return count_confirmed(session, get_petition(session, SLUG).id)


def disown(installation: Installation, email: str) -> None:
    """Press “This was not me”."""
    with installation.database.sessions.begin() as session:
        signature = session.get_one(Signature, get_signature(installation, email).id, with_for_update=True)
        signature_confirm.disown(session, signature, now=installation.now())


def confirm_all(installation: Installation) -> None:
    """Everybody who waits for it confirms, in the order of the mails."""
    with installation.database.sessions.begin() as session:
        waiting = (
            select(Signature)
            .join(Delivery, Delivery.signature_id == Signature.id)
            .where(Signature.state == SignatureState.PENDING)
            .order_by(Delivery.id)
        )
        for signature in session.scalars(waiting).unique().all():
            signature_confirm.confirm(session, installation.vault, signature, now=installation.now())


def add_readers(installation: Installation, *emails: str, language: str = "en") -> None:
    """Each of them signs, asks for updates and confirms; their confirmation mails are taken out of the way."""
    with installation.database.sessions.begin() as session:
        for email in emails:
            sign_within(session, installation, email, language=language, updates=True)
    confirm_all(installation)


def unsubscribe(installation: Installation, email: str) -> None:
    """Follow the unsubscribe link."""
    with installation.database.sessions.begin() as session:
        subscription = session.get_one(Subscription, get_subscription(installation, email).id)
        end_subscription(session, subscription, now=installation.now())


def withdraw(installation: Installation, email: str) -> None:
    """Withdraw the signature on one's own page."""
    token = installation.vault.token(LinkPurpose.SIGNER, get_signature(installation, email).id)
    with installation.database.sessions.begin() as session:
        kept = self_service.get_personal_data(session, installation.vault, token, for_update=True)
        self_service.withdraw(session, kept, now=installation.now())


def get_subscription(installation: Installation, email: str) -> Subscription:
    """The subscription of the person at ``email``."""
    fingerprint = installation.vault.fingerprint(parse_email_address(email))
    with installation.database.snapshots() as session:
        return session.scalars(select(Subscription).where(Subscription.fingerprint == fingerprint)).one()


def without_jobs(installation: Installation) -> Dispatch:
    """Start editions without asking the workflow engine for anything."""
    return Dispatch(installation.dispatch.guard, lambda _session, _edition: None)


def make_digest(installation: Installation, period: str = "first", *, after: int | None = None) -> Edition:
    """Make an edition for ``period`` now, without asking the workflow engine for anything."""
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        return make_edition(
            session,
            petition,
            installation.links,
            without_jobs(installation),
            period=period,
            now=installation.now(),
            after=after,
        )


def list_deliveries(installation: Installation) -> list[Delivery]:
    """The whole ledger, in order."""
    with installation.database.snapshots() as session:
        return list(session.scalars(select(Delivery).order_by(Delivery.id)))


def find_petition(installation: Installation, slug: str = SLUG) -> Petition:
    """The petition as the database holds it now."""
    with installation.database.snapshots() as session:
        return get_petition(session, slug)


def send(
    installation: Installation, batch: Batch, *, part: str = "mails", stopping: Callable[[], bool] = lambda: False
) -> Counter[DeliveryState]:
    """Send what waits over a connection of one's own, as a worker's thread does."""
    sender = installation.sender(part)
    try:
        return send_waiting(sender, batch, stopping=stopping)
    finally:
        sender.transport.close()
