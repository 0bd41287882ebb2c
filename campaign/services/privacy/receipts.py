"""Receipts for what was erased: a short code that this server can check later, and of which it keeps nothing."""

import base64
import hmac
from dataclasses import dataclass
from datetime import date, timedelta

from campaign.crypto.vault import Vault
from campaign.errors import InvalidInput

N_ = str  # marks a sentence for the translators; the page translates it

_FIRST_DAY = date(2020, 1, 1)
_PETITION, _DAY = 4, 2
_TOLD = _PETITION + _DAY
_GROUP = 6
# Crockford's letters for those of RFC 4648, which base64.b32encode writes; and what people read one of them as.
_CROCKFORD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHJKMNPQRSTVWXYZ")
_STANDARD = str.maketrans("0123456789ABCDEFGHJKMNPQRSTVWXYZ", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
_LOOKALIKES = str.maketrans("OIL", "011", " -")


@dataclass(frozen=True)
class Receipt:
    """All that was kept of a person under the petition was erased on ``day``; None: under all of the server's.

    It does not say of whom, so it is the same for all who were erased on one day.
    """

    petition_id: int | None
    day: date


def write_receipt(vault: Vault, receipt: Receipt) -> str:
    """The code of a receipt: four groups of six characters. Only this installation's keyring makes it."""
    told = (receipt.petition_id or 0).to_bytes(_PETITION) + (receipt.day - _FIRST_DAY).days.to_bytes(_DAY)
    code = base64.b32encode(told + vault.mark_receipt(told)).decode().translate(_CROCKFORD)
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def read_receipt(vault: Vault, code: str) -> Receipt:
    """What a code tells, in any case, with or without hyphens. Raises InvalidInput for one that is not ours."""
    letters = code.upper().translate(_LOOKALIKES)
    try:
        told = base64.b32decode(letters.translate(_STANDARD))
    except ValueError:
        told = b""
    if not hmac.compare_digest(told[_TOLD:], vault.mark_receipt(told[:_TOLD])):
        raise InvalidInput(
            "code", N_("This server has not written this receipt, or a character of it was copied wrongly.")
        )
    return Receipt(
        int.from_bytes(told[:_PETITION]) or None, _FIRST_DAY + timedelta(days=int.from_bytes(told[_PETITION:_TOLD]))
    )
