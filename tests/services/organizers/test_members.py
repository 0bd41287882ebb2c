"""Organizers: invitations that work once, and what each role may do with which petition."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.errors import Forbidden, InvalidInput, LinkExpired, LinkUnknown, NotFound
from campaign.installation.wiring import Installation
from campaign.models import AuditEntry, Organizer, Petition, Role
from campaign.periods import INVITATION_LASTS
from campaign.run.supervisor import BUILT_IN
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.organizers.members import (
    add_organizer,
    get_organizer,
    get_welcomed,
    remove_role,
    reset_account,
    set_password,
    sign_out,
    welcome_token,
)
from campaign.services.organizers.permissions import Permission, check_permission, list_petitions_of
from campaign.services.organizers.sign_in import find_organizer
from campaign.services.petitions.file_reader import read_petition_file
from campaign.services.petitions.store import load_petition
from tests.conftest import START
from tests.scenes.spellings import KEPT, NO_ADDRESSES, SPELLINGS

ALLOWED = {
    Role.OWNER: {Permission.VIEW, Permission.EXPORT, Permission.SEND, Permission.REVIEW, Permission.STATE},
    Role.EDITOR: {Permission.VIEW, Permission.SEND},
    Role.EXPORTER: {Permission.VIEW, Permission.EXPORT},
    Role.VIEWER: {Permission.VIEW},
}


def invite(session: Session, petition: Petition, email: str = "o@example.org", role: Role = Role.VIEWER) -> Organizer:
    return add_organizer(session, email, petition, role, actor=COMMAND_LINE, now=START)


@pytest.mark.parametrize("permission", list(Permission))
@pytest.mark.parametrize("role", list(Role))
def test_a_role_allows_what_the_table_says(
    session: Session, petition: Petition, role: Role, permission: Permission
) -> None:
    organizer = invite(session, petition, role=role)
    if permission in ALLOWED[role]:
        assert check_permission(session, organizer.id, petition, permission) is role
    else:
        with pytest.raises(Forbidden, match=permission.value):
            check_permission(session, organizer.id, petition, permission)


@pytest.mark.parametrize("permission", list(Permission))
def test_a_role_with_one_petition_is_none_with_another(
    session: Session, petition: Petition, permission: Permission
) -> None:
    other = load_petition(
        session, read_petition_file(BUILT_IN).model_copy(update={"slug": "other"}), actor=COMMAND_LINE, now=START
    )
    organizer = invite(session, petition, role=Role.OWNER)
    with pytest.raises(Forbidden):
        check_permission(session, organizer.id, other, permission)
    assert [(item.slug, role) for item, role in list_petitions_of(session, organizer.id)] == [
        (petition.slug, Role.OWNER)
    ]


def test_a_person_is_one_organizer_however_the_address_is_spelled(session: Session, petition: Petition) -> None:
    first = invite(session, petition, "Dana@Example.org", Role.VIEWER)
    second = invite(session, petition, " dana@example.org", Role.EDITOR)
    assert second.id == first.id
    assert find_organizer(session, "DANA@EXAMPLE.ORG ") is second
    assert check_permission(session, first.id, petition, Permission.SEND) is Role.EDITOR


def test_an_address_with_letters_of_another_script_is_found_however_it_is_spelled(
    session: Session, petition: Petition
) -> None:
    organizer = invite(session, petition, SPELLINGS[1])
    assert organizer.email == KEPT
    for spelled in SPELLINGS:
        assert find_organizer(session, spelled) is organizer, spelled
        assert get_organizer(session, spelled) is organizer, spelled
        assert invite(session, petition, spelled) is organizer, spelled


def test_text_that_is_no_address_is_nobodys(session: Session, petition: Petition) -> None:
    invite(session, petition, KEPT)
    for typed in NO_ADDRESSES:
        assert find_organizer(session, typed) is None, typed
        with pytest.raises(NotFound, match="is an organizer here"):
            get_organizer(session, typed)


def test_something_that_is_no_address_is_refused(session: Session, petition: Petition) -> None:
    with pytest.raises(InvalidInput):
        invite(session, petition, "dana")


def test_a_welcome_link_works_until_the_password_is_set(
    installation: Installation, session: Session, petition: Petition
) -> None:
    organizer = invite(session, petition)
    token = welcome_token(installation.vault, organizer)
    assert installation.links.welcome(organizer).endswith(f"/organize/welcome/{organizer.id}/{token}")
    assert get_welcomed(session, installation.vault, organizer.id, token, now=START) is organizer
    key = organizer.session_key
    set_password(organizer, "hash")
    assert organizer.session_key != key
    with pytest.raises(LinkExpired):
        get_welcomed(session, installation.vault, organizer.id, token, now=START)
    invite(session, petition)
    with pytest.raises(LinkUnknown):
        get_welcomed(session, installation.vault, organizer.id, token, now=START)


@pytest.mark.parametrize(
    ("waited", "works"), [(INVITATION_LASTS - timedelta(seconds=1), True), (INVITATION_LASTS, False)]
)
def test_a_welcome_link_works_for_three_days(
    installation: Installation, session: Session, petition: Petition, waited: timedelta, works: bool
) -> None:
    organizer = invite(session, petition)
    token = welcome_token(installation.vault, organizer)
    if works:
        assert get_welcomed(session, installation.vault, organizer.id, token, now=START + waited) is organizer
    else:
        with pytest.raises(LinkExpired):
            get_welcomed(session, installation.vault, organizer.id, token, now=START + waited)


def test_a_welcome_link_is_for_one_person(installation: Installation, session: Session, petition: Petition) -> None:
    one, two = invite(session, petition, "one@example.org"), invite(session, petition, "two@example.org")
    with pytest.raises(LinkUnknown):
        get_welcomed(session, installation.vault, two.id, welcome_token(installation.vault, one), now=START)
    with pytest.raises(LinkExpired):
        get_welcomed(session, installation.vault, 999, welcome_token(installation.vault, one), now=START)


def recorded(session: Session, organizer: Organizer) -> list[tuple[str, str, bool]]:
    """Who did what with the petition (True) or with the account, after the invitation."""
    session.flush()
    entries = session.scalars(select(AuditEntry).where(AuditEntry.actor == "root").order_by(AuditEntry.id)).all()
    assert all(entry.organizer_id == (organizer.id if entry.petition_id is None else None) for entry in entries)
    return [(entry.actor, entry.action, entry.petition_id is not None) for entry in entries]


def test_a_role_is_taken_away_and_recorded_for_the_petition_and_for_the_account(
    session: Session, petition: Petition
) -> None:
    owner, viewer = invite(session, petition, "owner@example.org", Role.OWNER), invite(session, petition)
    keys = owner.session_key, viewer.session_key
    removed = remove_role(session, viewer, petition, actor="root", now=START)
    assert (removed.was_last_role, removed.has_owner, viewer.active) == (True, True, False)
    assert recorded(session, viewer) == [("root", "organizer removed", True), ("root", "organizer removed", False)]
    assert remove_role(session, owner, petition, actor="boss", now=START).has_owner is False
    assert owner.session_key != keys[0]
    assert viewer.session_key != keys[1]
    with pytest.raises(NotFound, match="has no role"):
        remove_role(session, viewer, petition, actor="root", now=START)


def test_a_reset_is_recorded_where_the_other_organizers_see_it(session: Session, petition: Petition) -> None:
    organizer = invite(session, petition)
    set_password(organizer, "hash")
    organizer.failed_sign_ins += 7
    reset_account(session, organizer, actor="root", now=START)
    assert (organizer.password_hash, organizer.failed_sign_ins) == (None, 0)
    assert organizer.invited_until == START + INVITATION_LASTS
    assert recorded(session, organizer) == [("root", "organizer reset", False), ("root", "organizer reset", True)]


def test_signing_somebody_out_is_recorded_for_the_account(session: Session, petition: Petition) -> None:
    organizer = invite(session, petition)
    before = organizer.session_key
    sign_out(session, organizer, actor="root", now=START)
    assert organizer.session_key != before
    assert recorded(session, organizer) == [("root", "organizer signed out", False)]
