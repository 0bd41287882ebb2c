"""A court asks “is X in it?”: all that `campaign history` can derive of an address, for people in every state.

The golden file is the answer. It has days and no time of day, no network, and no address but the one that was asked.
"""

import re
from pathlib import Path

from campaign.installation.wiring import Installation
from campaign.models import (
    DeliveryKind,
    Display,
    Signature,
    SignatureState,
    SuppressionReason,
    Suspicion,
    SuspicionKind,
)
from campaign.services.delivery.claims import Batch
from campaign.services.privacy.retention import retain
from campaign.services.signatures.link_requests import request_link
from campaign.services.subscribers.suppressions import suppress
from campaign.text.email_address import parse_email_address
from campaign.worker import LINKS, take_up_lost_links
from tests.scenes.commands import Command
from tests.scenes.people import (
    add_readers,
    confirm,
    disown,
    find_petition,
    get_signature,
    make_digest,
    send,
    sign,
    unsubscribe,
    withdraw,
)

GOLDEN = Path(__file__).parents[2] / "golden" / "history.txt"
PEOPLE = (
    "pending",
    "confirmed",
    "quarantined",
    "invalidated",
    "reader",
    "stopped",
    "withdrawn",
    "disowned",
    "bounced",
    "lost-link",
    "nameless",
    "stranger",
)


def address(who: str) -> str:
    return f"{who}@example.org"


def move(installation: Installation, who: str, state: SignatureState) -> None:
    """What organizers do with a signature."""
    with installation.database.sessions.begin() as session:
        signature = session.get_one(Signature, get_signature(installation, address(who)).id)
        signature.state = state
        session.add(
            Suspicion(signature_id=signature.id, kind=SuspicionKind.BURST, petition_id=signature.petition_id, group="g")
        )


def live(installation: Installation) -> None:
    """Bring everybody into the state that they are called by."""
    vault = installation.vault
    for who in ("confirmed", "quarantined", "invalidated", "withdrawn", "disowned", "nameless", "lost-link"):
        sign(installation, address(who), comment="From the mine.", country="KZ", display=Display.INITIALS)
    send(installation, Batch(DeliveryKind.CONFIRMATION))
    for who in ("confirmed", "quarantined", "invalidated", "withdrawn", "disowned", "nameless", "lost-link"):
        confirm(installation, address(who))
    add_readers(installation, *(address(who) for who in ("reader", "stopped", "bounced")))
    sign(installation, address("pending"), comment="Wait for me.", country="KZ", updates=True, source="telegram")
    send(installation, Batch(DeliveryKind.CONFIRMATION))
    make_digest(installation)
    send(installation, Batch(DeliveryKind.DIGEST))
    move(installation, "quarantined", SignatureState.QUARANTINED)
    move(installation, "invalidated", SignatureState.INVALIDATED)
    unsubscribe(installation, address("stopped"))
    withdraw(installation, address("withdrawn"))
    disown(installation, address("disowned"))
    with installation.database.sessions.begin() as session:
        fingerprint = vault.fingerprint(parse_email_address(address("bounced")))
        suppress(session, fingerprint, SuppressionReason.BOUNCED, now=installation.now())
        for who in ("lost-link", "stranger"):
            asked = parse_email_address(address(who))
            request_link(session, vault, find_petition(installation).id, asked, "en", now=installation.now())
    take_up_lost_links(installation)
    send(installation, LINKS)
    take_up_lost_links(installation)
    with installation.database.sessions.begin() as session:
        nameless = session.get_one(Signature, get_signature(installation, address("nameless")).id)
        nameless.sealed_person, nameless.country = None, None
    retain(installation.database.sessions, now=installation.now())


def test_what_can_be_derived_of_an_address_is_what_the_golden_file_says(
    command: Command, installed: Installation
) -> None:
    live(installed)
    told = []
    for who in PEOPLE:
        done = command("history", address(who))
        assert (done.status, done.err) == (0, "")
        told.append(f"$ campaign history {who}\n{done.out}")
    text = "\n".join(told)
    assert not re.search(r"\d\d:\d\d", text), "a time of day"
    assert "@" not in text
    assert not re.search(r"\d+\.\d+\.\d+\.\d+", text), "a network"
    text = re.sub(r"\d{4}-\d\d-\d\d", "DAY", text)
    text = re.sub(r"version [0-9a-f]{16}", "version VERSION", text)
    text = re.sub(r"number \d+", "number N", text)
    assert text == GOLDEN.read_text(encoding="utf-8")
