"""The program as it really runs: gunicorn in a separate process, with an installation that was filled before."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from campaign.installation.wiring import Installation

from .measuring import new_installation


@contextmanager
def serving(folder: Path, fill: Callable[[Installation], None] = lambda _: None) -> Iterator[tuple[int, int]]:
    """Serve the pages; yields the port, and the id of the process that answers."""
    installation = new_installation(folder / "var")
    fill(installation)
    installation.database.engine.dispose()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    settings = {"DATA_DIR": folder / "var", "PORT": port, "SOURCE_LIMIT": "off", "FORM_MIN_SECONDS": "0"}
    environment = {**os.environ, **{f"CAMPAIGN_{name}": str(value) for name, value in settings.items()}}  # noqa: TID251
    process = subprocess.Popen([sys.executable, "-m", "campaign", "serve"], env=environment)
    try:
        while not _answers(port):
            time.sleep(0.05)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
        yield port, int(children[0])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port)):
            return True
    except OSError:
        return False
