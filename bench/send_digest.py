"""Sends every queued digest of FOLDER over CONNECTIONS to PORT, signed by SELECTORS; prints the figures as JSON."""

import json
import sys
import time
from pathlib import Path

from campaign.installation.wiring import wire
from campaign.models import DeliveryKind
from campaign.services.delivery.claims import Batch
from campaign.services.delivery.send import send_waiting
from campaign.services.digests.content import find_last_edition
from campaign.services.digests.enqueue import list_chunks
from campaign.services.petitions.store import get_petition
from campaign.settings import Settings

# Not imported from bench.measuring, which loads modules that a sender does not need.
SLUG = "kazakhstan"


def _most_memory() -> float:
    """The most memory that this process has had until now, in megabytes.

    Not by ``getrusage``, whose value begins with the memory of the parent process.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (kilobytes,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(kilobytes) / 1024


def main(folder: str, port: str, connections: str, *selectors: str) -> None:
    """Print mails per second, CPU seconds per mail, and megabytes before the first mail and at most."""
    settings = Settings(
        _env_file=None,
        data_dir=Path(folder),
        smtp_url=f"smtp://127.0.0.1:{port}",
        smtp_connections=int(connections),
        dkim_selectors=", ".join(selectors),
    )
    installation = wire(settings)
    with installation.database.snapshots() as session:
        edition = find_last_edition(session, get_petition(session, SLUG).id)
        assert edition is not None
        chunks = list_chunks(session, edition)
    sender = installation.sender("bench")
    base = _most_memory()
    began, cpu = time.perf_counter(), time.process_time()
    for first, last in chunks:
        send_waiting(sender, Batch(DeliveryKind.DIGEST, edition_id=edition.id, first=first, last=last))
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    sender.transport.close()
    figures = {
        "rate": edition.candidates / took,
        "cpu": cpu / edition.candidates,
        "base": base,
        "rss": _most_memory(),
    }
    sys.stdout.write(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
