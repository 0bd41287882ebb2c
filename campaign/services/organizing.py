"""Organizers: invite, welcome with a one-time link, and what each role may do."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.email_address import parse_email_address
from campaign.errors import Forbidden, LinkExpired
from campaign.models import Membership, Organizer, Petition, Role
from campaign.tokens import random_name
from campaign.vault import Vault

INVITATION_LASTS = timedelta(days=3)


class Permission(StrEnum):
    """Something a person does with one petition."""

    VIEW = "view the numbers"
    EXPORT = "export lists"
    SEND = "send the digest"
    REVIEW = "review signatures"


PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.EDITOR: frozenset({Permission.VIEW, Permission.SEND}),
    Role.EXPORTER: frozenset({Permission.VIEW, Permission.EXPORT}),
    Role.VIEWER: frozenset({Permission.VIEW}),
}


def find_organizer(session: Session, email: str) -> Organizer | None:
    """The organizer who signs in with this address, however it is spelled."""
    address = email.strip().casefold()
    if not address.isprintable():  # PostgreSQL refuses a NUL even in a comparison
        return None
    return session.scalars(select(Organizer).where(Organizer.email == address)).one_or_none()


def add_organizer(session: Session, email: str, petition: Petition, role: Role, *, now: datetime) -> Organizer:
    """Give the person at ``email`` a role with the petition, and an invitation. Raises InvalidInput."""
    address = parse_email_address(email).comparable
    organizer = find_organizer(session, address)
    if organizer is None:
        organizer = Organizer(email=address, session_key=random_name())
        session.add(organizer)
    session.flush()
    membership = session.get(Membership, (organizer.id, petition.id))
    if membership is None:
        organizer.memberships.append(Membership(petition_id=petition.id, role=role))
    else:
        membership.role = role
    organizer.invited_until = now + INVITATION_LASTS
    session.flush()
    return organizer


def _purpose(organizer: Organizer) -> str:
    return f"welcome:{organizer.session_key}"


def welcome_token(vault: Vault, organizer: Organizer) -> str:
    """What the one-time sign-in link of an invited organizer carries."""
    return vault.token(_purpose(organizer), organizer.id)


def get_welcomed(session: Session, vault: Vault, organizer_id: int, token: str, *, now: datetime) -> Organizer:
    """The organizer whose one-time link was followed. Raises LinkUnknown, LinkExpired."""
    organizer = session.get(Organizer, organizer_id)
    until = organizer.invited_until if organizer is not None and organizer.active else None
    if organizer is None or until is None or until <= now:
        raise LinkExpired(
            "This sign-in link was used already or is too old. Ask for a new one: campaign organizer add."
        )
    vault.read_token(_purpose(organizer), token)
    return organizer


def set_password(organizer: Organizer, password_hash: str) -> None:
    """Use the invitation up; every session and every link made before ends."""
    organizer.password_hash = password_hash
    organizer.session_key = random_name()
    organizer.invited_until = None


def list_petitions_of(session: Session, organizer_id: int) -> list[tuple[Petition, Role]]:
    """The petitions in which the organizer has a role, by slug."""
    rows = session.execute(
        select(Petition, Membership.role)
        .join(Membership, Membership.petition_id == Petition.id)
        .where(Membership.organizer_id == organizer_id)
        .order_by(Petition.slug)
    )
    return [(petition, role) for petition, role in rows]


def check_permission(session: Session, organizer_id: int, petition: Petition, permission: Permission) -> Role:
    """The organizer's role with the petition. Raises Forbidden where it does not allow ``permission``."""
    membership = session.get(Membership, (organizer_id, petition.id))
    organizer = session.get(Organizer, organizer_id)
    if (
        organizer is None
        or not organizer.active
        or membership is None
        or permission not in PERMISSIONS[membership.role]
    ):
        raise Forbidden(f"Your role with this petition does not let you {permission}.")
    return membership.role
