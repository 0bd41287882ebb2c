"""Passkeys (WebAuthn level 3): the question to a browser, and the check of its answer."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import parse_authentication_credential_json, parse_registration_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from campaign.crypto.randomness import random_name
from campaign.errors import CampaignError, NotFound
from campaign.models import AuditAction, Organizer, Passkey
from campaign.services.organizers.account import record_change
from campaign.services.organizers.members import end_sessions
from campaign.services.organizers.second_factors import end_recovery_codes, has_second_factor, make_recovery_codes
from campaign.services.organizers.sign_in import lock_account

# The library reads CBOR and JSON that anybody may send. Malformed data raises these errors besides its own.
_UNREADABLE = (
    WebAuthnException,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    struct.error,
)
_TRANSPORTS = {kind.value for kind in AuthenticatorTransport}


class PasskeyRefused(CampaignError):
    """The browser's answer is not that of a passkey of ours, to this question, on this page."""

    def __init__(self) -> None:
        super().__init__("This passkey could not be used here.")


@dataclass(frozen=True)
class Question:
    """One question to a browser: of the server named ``host``, under one of ``origins``, with a fresh challenge."""

    host: str
    origins: Sequence[str]
    challenge: bytes


def new_handle(organizer: Organizer) -> str:
    """The name of the account for authenticators; it says nothing about its owner."""
    return organizer.passkey_handle or random_name()


def ask_to_register(question: Question, organizer: Organizer, handle: str) -> str:
    """The question to the browser that makes a passkey, as JSON."""
    return options_to_json(
        generate_registration_options(
            rp_id=question.host,
            rp_name=question.host,
            user_id=handle.encode(),
            user_name=organizer.email,
            challenge=question.challenge,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
            ),
            exclude_credentials=_describe(organizer.passkeys),
        )
    )


def ask_to_sign_in(question: Question, organizer: Organizer | None) -> str:
    """The question to the browser whose passkey signs in, as JSON.

    A passkey that is the only proof has to verify its owner, by a finger or a PIN. Beside a password it need not.
    """
    verification = UserVerificationRequirement.PREFERRED if organizer else UserVerificationRequirement.REQUIRED
    return options_to_json(
        generate_authentication_options(
            rp_id=question.host,
            challenge=question.challenge,
            allow_credentials=_describe(organizer.passkeys) if organizer else None,
            user_verification=verification,
        )
    )


def add_passkey(
    session: Session, question: Question, organizer: Organizer, answer: str, *, handle: str, name: str, now: datetime
) -> list[str]:
    """Store the passkey that the browser has made; every session ends.

    Returns new recovery codes if the organizer had no second factor before, else none. Raises PasskeyRefused.
    """
    try:
        credential = parse_registration_credential_json(answer)
        made = verify_registration_response(
            credential=credential,
            expected_challenge=question.challenge,
            expected_rp_id=question.host,
            expected_origin=list(question.origins),
        )
    except _UNREADABLE:
        raise PasskeyRefused from None
    if session.scalars(select(Passkey).where(Passkey.credential_id == made.credential_id)).one_or_none():
        raise PasskeyRefused
    passkey = Passkey(
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        name=name,
        transports=[kind.value for kind in credential.response.transports or []],
        added_on=now.date(),
    )
    is_first = not has_second_factor(organizer)
    organizer.passkey_handle = handle
    organizer.passkeys.append(passkey)
    end_sessions(organizer)
    record_change(session, organizer, AuditAction.PASSKEY_ADDED, now=now, name=name)
    return make_recovery_codes(organizer) if is_first else []


def rename_passkey(session: Session, organizer_id: int, passkey_id: int, name: str, *, now: datetime) -> None:
    """Give one of the organizer's passkeys another name. Raises NotFound."""
    organizer = lock_account(session, organizer_id)
    _get_own(organizer, passkey_id).name = name
    record_change(session, organizer, AuditAction.PASSKEY_RENAMED, now=now, name=name)


def remove_passkey(session: Session, organizer: Organizer, passkey_id: int, *, now: datetime) -> None:
    """Remove one of the organizer's passkeys; every session ends. Raises NotFound."""
    passkey = _get_own(organizer, passkey_id)
    organizer.passkeys.remove(passkey)
    end_recovery_codes(organizer)
    end_sessions(organizer)
    record_change(session, organizer, AuditAction.PASSKEY_REMOVED, now=now, name=passkey.name)


def _get_own(organizer: Organizer, passkey_id: int) -> Passkey:
    for passkey in organizer.passkeys:
        if passkey.id == passkey_id:
            return passkey
    raise NotFound("There is no such passkey in your account.")


def use_passkey(
    session: Session, question: Question, answer: str, *, organizer_id: int | None, now: datetime
) -> Organizer:
    """The organizer whose passkey signed. As the only proof (``organizer_id`` None) it must have verified its owner.

    A passkey that counts its uses must have a higher count than before: that of a copied key would be lower (WebAuthn
    §6.1.1). Raises PasskeyRefused.
    """
    try:
        credential = parse_authentication_credential_json(answer)
        passkey = session.scalars(
            select(Passkey).where(Passkey.credential_id == credential.raw_id).with_for_update()
        ).one_or_none()
        if passkey is None or organizer_id not in {None, passkey.organizer_id}:
            raise PasskeyRefused
        used = verify_authentication_response(
            credential=credential,
            expected_challenge=question.challenge,
            expected_rp_id=question.host,
            expected_origin=list(question.origins),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=organizer_id is None,
        )
    except _UNREADABLE:
        raise PasskeyRefused from None
    organizer = session.get_one(Organizer, passkey.organizer_id)
    handle = credential.response.user_handle
    if not organizer.active or (handle and handle != str(organizer.passkey_handle).encode()):
        raise PasskeyRefused
    passkey.sign_count, passkey.used_on = used.new_sign_count, now.date()
    return organizer


def _describe(passkeys: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=passkey.credential_id,
            transports=[AuthenticatorTransport(kind) for kind in passkey.transports if kind in _TRANSPORTS] or None,
        )
        for passkey in passkeys
    ]
