"""Whether the time of the answer to a form reveals that the address has signed: posts over loopback, in turn."""

import json
import logging
import statistics
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import select
from werkzeug.serving import make_server

from campaign.models import Signature
from campaign.services.signatures.confirm import confirm
from campaign.text.email_address import EmailAddress
from campaign.web.app import create_app

from .measuring import SLUG, Line, new_installation

TIMINGS = 5000
_CASES = ("new", "pending", "confirmed")
_HEADERS = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}


def _post(port: int, email: str) -> tuple[float, str]:
    """The seconds until the whole answer was read, and the answer without its date and its cookie."""
    body = urlencode({"name": "Aigerim Serikova", "email": email, "consent": "y"})
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.connect()
    began = time.perf_counter()
    connection.request("POST", f"/en/p/{SLUG}", body, _HEADERS)
    answer = connection.getresponse()
    read = answer.read()
    took = time.perf_counter() - began
    connection.close()
    changing = {"Date", "Set-Cookie"}
    headers = [pair for pair in answer.getheaders() if pair[0] not in changing]
    return took, json.dumps([answer.status, headers, read.decode()])


def enumeration(folder: Path) -> Iterator[Line]:
    """The medians of ``TIMINGS`` posts for each kind of address, and their differences."""
    installation = new_installation(folder)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, create_app(installation), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _post(server.server_port, "pending@example.org")
    _post(server.server_port, "confirmed@example.org")
    fingerprint = installation.vault.fingerprint
    with installation.database.sessions.begin() as session:
        wanted = Signature.fingerprint == fingerprint(EmailAddress("confirmed", "example.org"))
        confirm(
            session, installation.vault, session.scalars(select(Signature).where(wanted)).one(), now=installation.now()
        )
    took: dict[str, list[float]] = {case: [] for case in _CASES}
    answers = set()
    for number in range(TIMINGS):
        # The order rotates, so that the effect of one post on the next is the same for each kind.
        for case in _CASES[number % 3 :] + _CASES[: number % 3]:
            seconds, answer = _post(
                server.server_port, f"{case}{number}@example.org" if case == "new" else f"{case}@example.org"
            )
            took[case].append(seconds)
            answers.add(answer)
    server.shutdown()
    medians = {case: statistics.median(times) * 1000 for case, times in took.items()}
    yield Line("a form's answer, median", ", ".join(f"{case} {ms:.2f} ms" for case, ms in medians.items()))
    for case in ("pending", "confirmed"):
        apart = abs(medians["new"] - medians[case])
        yield Line(f"new and {case} apart", f"{apart:.3f} ms; different answers: {len(answers) - 1}")
