"""Everything stored about a person under one petition, in a format for programs (GDPR, Art. 15 and 20)."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from campaign.models import SignatureState
from campaign.services.privacy.delivery_history import Event, list_events
from campaign.services.signatures.self_service import PersonalData

NOT_KEPT = (
    "your e-mail address, once you have confirmed, unless you get updates",
    "your IP address, and anything else about your device or connection",
    "the time of day at which you signed or confirmed",
)
# The file does not tell that a confirmed signature waits for a review, and so no signature's number either: a forger
# would learn which signatures we notice.
_TOLD = {SignatureState.QUARANTINED: SignatureState.CONFIRMED}


def tell_kept(session: Session, kept: PersonalData, *, address: str | None, now: datetime) -> dict[str, Any]:
    """The content of ``data.json``. ``address`` is the reader's shortened address, while it is kept."""
    zone = ZoneInfo(kept.petition.timezone)
    events = list_events(session, kept.petition, kept.subscription, kept.signature)
    suppression = kept.suppression
    return {
        "petition": kept.petition.slug,
        "told_on": now.astimezone(zone).date().isoformat(),
        "signature": _tell_signature(kept),
        "updates": _tell_updates(kept, address),
        "mails": [_tell_mail(event, zone) for event in events],
        "suppressed": {"since": suppression.since_on.isoformat(), "reason": suppression.reason.value}
        if suppression is not None
        else None,
        "not_kept": list(NOT_KEPT),
    }


def _tell_signature(kept: PersonalData) -> dict[str, Any] | None:
    signature, person = kept.signature, kept.person
    if signature is None:
        return None
    return {
        "state": _TOLD.get(signature.state, signature.state).value,
        "day": signature.signed_on.isoformat() if signature.signed_on else None,
        "name": person.name if person else None,
        "place": person.place if person else None,
        "comment": person.comment if person else None,
        "comment_state": signature.comment_state.value,
        "country": signature.country,
        "language": signature.language,
        "display": signature.display.value,
        "text_version": signature.text_version.digest,
        "demands": signature.text_version.demands,
        "address_recognised_by_keyed_hash": signature.fingerprint is not None,
        "name_erased_on": kept.names_erased_on.isoformat() if kept.names_erased_on else None,
        "all_erased_on": kept.erased_on.isoformat() if kept.erased_on else None,
    }


def _tell_updates(kept: PersonalData, address: str | None) -> dict[str, Any] | None:
    subscription = kept.subscription
    if subscription is None:
        return None
    return {
        "state": subscription.state.value,
        "since": subscription.since_on.isoformat(),
        "address": address,
        "language": subscription.language,
        "frequency": subscription.frequency.value,
        "paused": subscription.paused,
        "one_mail_for_all": subscription.merged,
        "came_back": subscription.soft_bounces,
    }


def _tell_mail(event: Event, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "day": event.at.astimezone(zone).date().isoformat(),
        "kind": event.kind.value,
        "edition": event.edition,
        "fate": event.fate,
        "reason": event.reason,
        "came_back": event.returned,
    }
