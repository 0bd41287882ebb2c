"""Mails a second of a digest, ledger included, over one connection to Postfix's ``smtp-sink``."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from campaign.mail.pipeline import Limits
from campaign.mail.smtp import SmtpTransport
from campaign.models import DeliveryKind
from campaign.services.delivering import Batch, send_waiting
from campaign.services.editions import make_edition
from campaign.services.petitions import get_petition

from .measuring import SLUG, Result, new_campaign, per_second
from .people import confirm_all, sign_many

COUNT = 1000
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


@contextmanager
def _sink() -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    program = shutil.which("smtp-sink", path=_PATH)
    assert program is not None
    sink = subprocess.Popen([program, "-u", "nobody", f"127.0.0.1:{port}", "100"])
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        sink.terminate()
        sink.wait()


def digest(folder: Path) -> Result | None:
    """An edition to many readers beside ``smtp-source`` with a message of the same size, on one connection each."""
    source = shutil.which("smtp-source", path=_PATH)
    if source is None or shutil.which("smtp-sink", path=_PATH) is None:
        print("mails of a digest: left out, smtp-sink and smtp-source (Debian: postfix) are missing")
        return None
    with _sink() as port:
        campaign = new_campaign(folder, lambda: SmtpTransport(f"smtp://127.0.0.1:{port}", Limits(silence=30)))
        sign_many(campaign, COUNT, at_once=500)
        confirm_all(campaign)
        with campaign.database.sessions.begin() as session:
            petition = get_petition(session, SLUG)
            edition = make_edition(session, petition, campaign.links, period="bench", now=campaign.now())
            length = max(len((text.text + text.html).encode()) for text in edition.texts)
        sender = campaign.sender("bench")
        ours = per_second(COUNT, lambda: send_waiting(sender, Batch(DeliveryKind.DIGEST)))
        sender.transport.close()
        command = [source, "-c", "-s", "1", "-m", str(COUNT), "-l", str(length), "-d", f"127.0.0.1:{port}"]
        limit = per_second(COUNT, lambda: subprocess.run(command, check=True, capture_output=True))
    return Result("mails of a digest, one connection", ours, limit, "smtp-source, one connection")
