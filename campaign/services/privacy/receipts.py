"""Receipts of erasure: a short code that this server can check later, although it keeps nothing about it."""

import hmac
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.orm import Session

from campaign.crypto import base32
from campaign.crypto.vault import Vault
from campaign.errors import InvalidInput
from campaign.models import Petition

N_ = str  # marks a sentence for the translators; the page translates it

_FIRST_DAY = date(2020, 1, 1)
_PETITION, _DAY = 4, 2
_TOLD = _PETITION + _DAY
_GROUP = 6


@dataclass(frozen=True)
class Receipt:
    """Everything stored about a person under the petition (None: under all petitions) was erased on ``day``.

    A receipt does not say who the person was, so it is the same for all persons who were erased on that day.
    """

    petition_id: int | None
    day: date


def find_petition_of(session: Session, receipt: Receipt) -> Petition | None:
    """The petition under which the person was erased; None if it was under all petitions of the server."""
    return session.get(Petition, receipt.petition_id) if receipt.petition_id is not None else None


def write_receipt(vault: Vault, receipt: Receipt) -> str:
    """The code of a receipt: four groups of six characters, which only this installation's keyring can make."""
    told = (receipt.petition_id or 0).to_bytes(_PETITION) + (receipt.day - _FIRST_DAY).days.to_bytes(_DAY)
    return base32.group(base32.encode(told + vault.mark_receipt(told)), _GROUP)


def read_receipt(vault: Vault, code: str) -> Receipt:
    """The receipt of a code, in upper or lower case, with or without hyphens. Raises InvalidInput if it is not ours."""
    try:
        told = base32.decode(code)
    except ValueError:
        told = b""
    if not hmac.compare_digest(told[_TOLD:], vault.mark_receipt(told[:_TOLD])):
        raise InvalidInput(
            "code", N_("This server has not written this receipt, or a character of it was copied wrongly.")
        )
    return Receipt(
        int.from_bytes(told[:_PETITION]) or None, _FIRST_DAY + timedelta(days=int.from_bytes(told[_PETITION:_TOLD]))
    )
