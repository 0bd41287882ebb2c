"""A process that has imported what sends, and forks a sender for each order that it reads: a start costs no second.

What it forks is wired as the worker is: it holds the worker's name, which settles what was left, and then sends the
single mails in a thread of their own beside the edition's chunk.
"""

import gc
import json
import os
import resource
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypedDict

from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from campaign.installation.leases import worker_lease
from campaign.installation.wiring import Installation, wire
from campaign.mail.smtp.connection import Connection
from campaign.models import Delivery, DeliveryKind, DeliveryState, Edition, Petition
from campaign.services.delivery.ledger_audit import audit_ledger
from campaign.services.delivery.send import send_waiting
from campaign.services.digests.enqueue import list_chunks
from campaign.settings import Settings
from campaign.worker import CONFIRMATIONS, DigestWork

FAILED = 3
_own_number = 0


class Order(TypedDict):
    """One sender: its installation and server, and the seam at which it stops for the ``nth`` time to be killed.

    All that is said of it begins with its ``number``.
    """

    number: int
    data_dir: str
    smtp_url: str
    connections: int
    seam: str
    nth: int
    file_size: int  # what every file may grow to, as on a full disk; 0 for no bound


class Found(TypedDict):
    """The ledger at the end: whether it balances, and each mail's number, kind and state."""

    balances: bool
    ledger: list[tuple[int, str, str]]


def _say(number: int, word: str) -> None:
    os.write(1, f"{number} {word}\n".encode())


def _stop() -> NoReturn:
    _say(_own_number, "stopped")
    threading.Event().wait()
    raise AssertionError("nobody killed it")


def _stop_connected(nth: int) -> None:
    envelope = Connection.queue_envelope
    left = nth

    def stopping(connection: Connection, item: object, **how: bool) -> None:
        nonlocal left
        if _is_digest_thread():
            left -= connection.envelopes == 0
            if left == 0:
                _stop()
        envelope(connection, item, **how)  # type: ignore[arg-type]

    Connection.queue_envelope = stopping  # type: ignore[method-assign,assignment]


def _stop_before_dot(nth: int) -> None:
    """Half of the content is on the wire when it stops."""
    content, flush = Connection.queue_content, Connection.flush
    left, chosen = nth, None

    def counting(connection: Connection, item: object) -> None:
        nonlocal left, chosen
        left -= _is_digest_thread()
        if left == 0 and _is_digest_thread():
            chosen = connection
        content(connection, item)  # type: ignore[arg-type]

    def stopping(connection: Connection) -> None:
        if connection is chosen:
            connection.sock = _Halved(connection)  # type: ignore[assignment]
        flush(connection)

    Connection.queue_content, Connection.flush = counting, stopping  # type: ignore[method-assign,assignment]


class _Halved:
    """A socket that takes half of what it is given, and no more."""

    def __init__(self, connection: Connection) -> None:
        self._sock = connection.sock

    def send(self, data: bytes) -> NoReturn:
        self._sock.setblocking(True)
        self._sock.sendall(data[: data.index(b"\r\n.\r\n") // 2])
        _stop()


def _stop_before_record(nth: int) -> None:
    """At the commit that records answers, with all of it written and nothing of it committed."""
    recorded, left = 0, nth
    accepted = select(func.count()).where(
        Delivery.kind == DeliveryKind.DIGEST, Delivery.state == DeliveryState.ACCEPTED
    )

    def stopping(session: Session) -> None:
        nonlocal recorded, left
        if not _is_digest_thread():
            return
        if (count := session.scalars(accepted).one()) > recorded:
            recorded, left = count, left - 1
            if left == 0:
                _stop()

    event.listen(Session, "before_commit", stopping)


SEAMS: dict[str, Callable[[int], None]] = {
    "": lambda _nth: None,
    "connected": _stop_connected,
    "before the dot": _stop_before_dot,
    "before record": _stop_before_record,
}


def _is_digest_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _installation(order: Order) -> Installation:
    settings = Settings(
        _env_file=None,
        data_dir=Path(order["data_dir"]),
        smtp_url=order["smtp_url"],
        smtp_connections=order["connections"],
        smtp_messages_per_connection=5,
    )
    return wire(settings)


def _send_confirmations(installation: Installation) -> None:
    sender = installation.sender("mails")
    send_waiting(sender, CONFIRMATIONS)
    sender.transport.close()


def send_all(order: Order) -> Found:
    """Settle what was left, and send what waits; what the ledger says then."""
    installation = _installation(order)
    SEAMS[order["seam"]](order["nth"])
    if order["file_size"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["file_size"], order["file_size"]))
    with worker_lease(installation, installation.settings.worker_name):
        with installation.database.snapshots() as session:
            edition = session.scalars(select(Edition)).one()
            ((first, last),) = list_chunks(session, edition)
        thread = threading.Thread(target=_send_confirmations, args=(installation,))
        thread.start()
        DigestWork(installation, threading.Event(), patient=False).send_chunk(edition.id, first, last)
        thread.join()
    with installation.database.snapshots() as session:
        petition = session.scalars(select(Petition)).one()
        rows = session.execute(select(Delivery.id, Delivery.kind, Delivery.state)).all()
        found: Found = {
            "balances": all(account.balances for account in audit_ledger(session, petition)),
            "ledger": [(number, kind, state) for number, kind, state in rows],
        }
    installation.database.engine.dispose()
    installation.jobs.close()
    return found


def _send_and_exit(order: Order) -> NoReturn:
    """Never back into the loop, which is the parent's, even where the log has no room for what went wrong."""
    global _own_number
    _own_number, status = order["number"], FAILED
    try:
        _say(_own_number, f"found {json.dumps(send_all(order))}")
        status = 0
    except BaseException:  # noqa: BLE001 (the log is what the test shows)
        traceback.print_exc()
    finally:
        os._exit(status)


def main() -> None:
    """Send one installation's mails into its outbox, so that all that is read once has been read; then obey."""
    send_all(
        {"number": 0, "data_dir": sys.argv[1], "smtp_url": "", "connections": 1, "seam": "", "nth": 0, "file_size": 0}
    )
    assert threading.active_count() == 1, threading.enumerate()  # a fork with threads could hang
    gc.freeze()  # else each child's first collection copies all of this process's memory
    for line in sys.stdin:
        order: Order = json.loads(line)
        child = os.fork()
        if child == 0:
            _send_and_exit(order)
        _say(order["number"], f"forked {child}")
        _, status = os.waitpid(child, 0)
        _say(order["number"], f"ended {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    main()
