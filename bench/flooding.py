"""How long honest visitors wait while other clients flood the server, and how much memory the flood takes."""

import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path

from .measuring import SLUG, Line
from .serving import serving

HONEST = 200
SLOW_CLIENTS = 50
HUGE_BODIES, HUGE = 200, 8 * 1024 * 1024


def _get(port: int) -> float:
    """The seconds that one visitor waits for the petition, including the connection."""
    began = time.perf_counter()
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", f"/en/p/{SLUG}")
    answer = connection.getresponse()
    assert answer.status == 200
    answer.read()
    connection.close()
    return time.perf_counter() - began


def _memory(process: int) -> float:
    """The megabytes of memory of the process (VmRSS)."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _waits(port: int) -> str:
    seconds = sorted(_get(port) for _ in range(HONEST))
    return f"median {statistics.median(seconds) * 1000:.0f} ms, p99 {seconds[int(HONEST * 0.99)] * 1000:.0f} ms"


@contextmanager
def _dribbling(port: int, request: bytes) -> Iterator[None]:
    """Clients that send one byte each half second, and connect again when the server disconnects them."""
    ended = threading.Event()

    def dribble() -> None:
        while not ended.is_set():
            try:
                with socket.create_connection(("127.0.0.1", port)) as client:
                    client.sendall(request)
                    while not ended.wait(0.5):
                        client.sendall(b"x")
            except OSError:
                continue

    threads = [threading.Thread(target=dribble, daemon=True) for _ in range(SLOW_CLIENTS)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    yield
    ended.set()
    for thread in threads:
        thread.join()


def _send_huge(port: int) -> None:
    """Send a body of several megabytes, until the server closes the connection."""
    head = f"POST /en/p/{SLUG} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {HUGE}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", port)) as client:
        try:
            client.sendall(head)
            for _ in range(HUGE // 65536):
                client.sendall(b"x" * 65536)
        except OSError:
            return


def flooding(folder: Path) -> Iterator[Line]:
    """Honest visitors alone, beside two kinds of slow clients, and after huge bodies; and the memory after these."""
    head = f"POST /en/p/{SLUG} HTTP/1.1\r\nHost: 127.0.0.1\r\n".encode()
    attacks: dict[str, Callable[[int], None]] = {"huge bodies": _send_huge}
    with ExitStack() as stack:
        port, process = stack.enter_context(serving(folder))
        _waits(port)
        yield Line("honest visitors, alone", _waits(port))
        for what, request in (("headers", head), ("bodies", head + b"Content-Length: 60000\r\n\r\n")):
            with _dribbling(port, request):
                yield Line(f"beside {SLOW_CLIENTS} slow {what}", _waits(port))
        for what, attack in attacks.items():
            before = _memory(process)
            for _ in range(HUGE_BODIES):
                attack(port)
            yield Line(f"after {HUGE_BODIES} {what}", f"{_waits(port)}; memory {_memory(process) - before:+.1f} MB")
