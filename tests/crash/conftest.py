"""The installation that the crash matrix copies for each run, and the process that its senders are forked from."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from campaign.clock import now
from campaign.installation.wiring import wire
from campaign.models import Delivery, DeliveryState, Signature, Subscription
from campaign.text.email_address import parse_email_address
from campaign.worker import CONFIRMATIONS
from tests.conftest import close_installation, settings_for
from tests.crash.forked import Zygote
from tests.scenes.people import add_readers, make_digest, send, sign

READERS = [f"reader{number}@example.org" for number in range(24)]
SIGNERS = [f"signer{number}@example.org" for number in range(4)]
TO = re.compile(rb"(?m)^To: (\S+)\r$")
MESSAGE_ID = re.compile(rb"(?m)^Message-ID: *\r?\n? *(\S+)\r$")


@dataclass(frozen=True)
class Prepared:
    """A data directory in which a digest and some confirmations wait, and whose each delivery is."""

    data_dir: Path
    owners: dict[int, str]
    waiting: frozenset[int]


def read_headers(message: bytes) -> tuple[str, str]:
    """The recipient and the Message-ID of a message on the wire."""
    to, message_id = TO.search(message), MESSAGE_ID.search(message)
    assert to is not None
    assert message_id is not None
    return to[1].decode(), message_id[1].decode()


@pytest.fixture(scope="session")
def prepared(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("prepared")
    shutil.copytree(sqlite_template, folder / "var")
    installation = wire(settings_for(folder), now=now)
    add_readers(installation, *READERS)
    send(installation, CONFIRMATIONS)  # which nobody wants any more
    make_digest(installation)
    for email in SIGNERS:
        sign(installation, email)
    by_fingerprint = {installation.vault.fingerprint(parse_email_address(email)): email for email in READERS + SIGNERS}
    owners: dict[int, str] = {}
    with installation.database.snapshots() as session:
        for table, column in (
            (Subscription, Delivery.subscription_id),
            (Signature, Delivery.signature_id),
        ):
            found = select(Delivery.id, table.fingerprint).join(table, table.id == column)
            owners |= {number: by_fingerprint[print_] for number, print_ in session.execute(found) if print_}
        waiting = frozenset(session.scalars(select(Delivery.id).where(Delivery.state == DeliveryState.QUEUED)))
    close_installation(installation)
    return Prepared(folder / "var", owners, waiting)


@pytest.fixture(scope="session")
def zygote(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    used_up = tmp_path_factory.mktemp("zygote") / "var"
    shutil.copytree(prepared.data_dir, used_up)
    with Zygote(used_up) as zygote:
        yield zygote
