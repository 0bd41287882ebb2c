"""docs/architecture.md follows four things through the rooms: here each of them calls what the page names, in order."""

import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from mailbox import Maildir
from pathlib import Path
from types import FrameType

import pytest

from campaign.installation.wiring import Installation
from campaign.models import DeliveryKind, DeliveryState, Role, SuppressionReason
from campaign.services.subscribers.suppressions import find_suppression
from campaign.text.email_address import parse_email_address
from campaign.worker import work_once
from tests.conftest import SLUG, Clock, MakeInstallation, quick_app
from tests.scenes.organizing import enroll, send_form
from tests.scenes.people import add_readers, count, list_deliveries
from tests.scenes.returned import sample
from tests.scenes.visiting import FROM_HERE, confirm_path, post
from tests.servers.smtp import Mailbox

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
READER = "aigul@example.net"


@contextmanager
def watched() -> Iterator[list[str]]:
    """Every call of a function of ``campaign/`` meanwhile, in all threads, as ``file::function``."""
    frames: list[tuple[str, str]] = []
    calls: list[str] = []

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(f"{ROOT}/campaign/"):
            frames.append((frame.f_code.co_filename, frame.f_code.co_qualname))

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        calls += [f"{file.removeprefix(f'{ROOT}/')}::{function}" for file, function in frames]


def _signature(installation: Installation, _clock: Clock) -> list[str]:
    """A visitor posts the form, the worker sends the mail, the visitor presses the button behind its link."""
    visitor = quick_app(installation).test_client()
    with watched() as calls:
        assert post(visitor).status_code == 303
        work_once(installation)
        path = confirm_path(installation)
        assert visitor.post(path, data={"answer": "confirm"}, headers=FROM_HERE).status_code in {200, 303}
    assert count(installation) == 1
    return calls


def _edition(installation: Installation, clock: Clock) -> list[str]:
    """It is the hour of the schedule, and the worker looks."""
    add_readers(installation, READER)
    clock.turn(timedelta(days=7))
    with watched() as calls:
        work_once(installation)
    assert [item.state for item in list_deliveries(installation) if item.kind is DeliveryKind.DIGEST] == [
        DeliveryState.ACCEPTED
    ]
    return calls


def _export(installation: Installation, _clock: Clock) -> list[str]:
    """An organizer takes the list of signatures, with a reason."""
    add_readers(installation, READER)
    owner = enroll(quick_app(installation), installation, Role.OWNER)
    wanted = {"list": "signatures", "format": "csv", "state": "confirmed", "reason": "To hand it over"}
    page = f"/organize/p/{SLUG}/export"
    with watched() as calls:
        answer = send_form(owner, page, **wanted)
    assert answer.data.count(b"\n") == 2  # headings, and the one who signed
    return calls


def _bounce(installation: Installation, clock: Clock) -> list[str]:
    """A reader's server sends an edition back, and the worker reads the mailbox."""
    add_readers(installation, READER)
    clock.turn(timedelta(days=7))
    work_once(installation)
    (delivery,) = (item for item in list_deliveries(installation) if item.kind is DeliveryKind.DIGEST)
    Maildir(installation.settings.data_dir / "returned").add(
        sample("postfix-unknown", installation.vault.mail_token(delivery.id))
    )
    with watched() as calls:
        work_once(installation)
    with installation.database.snapshots() as session:
        suppression = find_suppression(session, installation.vault.fingerprint(parse_email_address(READER)))
    assert suppression is not None
    assert suppression.reason is SuppressionReason.BOUNCED
    return calls


WALKS: dict[str, Callable[[Installation, Clock], list[str]]] = {
    "A signature": _signature,
    "An edition": _edition,
    "An export": _export,
    "A bounce": _bounce,
}


def find_missing(steps: list[str], calls: list[str]) -> str | None:
    """The first of ``steps`` that is not called after those before it; None if each is."""
    following = iter(calls)
    return next((step for step in steps if step not in following), None)


@pytest.mark.parametrize("walk", WALKS)
def test_a_walk_calls_what_the_page_names_in_its_order(
    walk: str, make_sqlite_installation: MakeInstallation, clock: Clock, folder: Path
) -> None:
    _, found, below = PAGE.partition(f"\n## {walk}\n")
    assert found
    steps = re.findall(r"`(campaign/[\w/]+\.py::[\w.]+)`", below.partition("\n## ")[0])
    assert len({step.partition("::")[0] for step in steps}) > 4
    with Mailbox() as mailbox:
        installation = make_sqlite_installation(smtp_url=mailbox.url, bounces_url=f"maildir://{folder}/var/returned")
        calls = WALKS[walk](installation, clock)
    assert find_missing(steps, calls) is None


def test_a_step_that_is_not_taken_or_comes_too_early_would_be_noticed() -> None:
    calls = ["a", "b", "a", "c"]
    assert find_missing(["a", "b", "c"], calls) is None
    assert find_missing(["b", "a", "c"], calls) is None
    assert find_missing(["a", "d"], calls) == "d"
    assert find_missing(["c", "b"], calls) == "b"
