"""An SMTP server on a raw socket that says what a test scripts, hangs up or falls silent at any point."""

import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self, cast

HANG_UP = "(hang up)"
FALL_SILENT = "(fall silent)"
RESET = "(reset)"
# Points at which a script may answer: the greeting, each verb, the middle of the message, its final dot.
GREETING, BODY, DOT = "GREETING", "BODY", "."
_USUAL = {GREETING: "220 scripted.invalid", "DATA": "354 Go on", "QUIT": "221 Bye"}
_ON_CLOSE = struct.Struct("ii")

Says = str | Callable[[], str]
Script = Mapping[str, Says]


class _Conversation(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True  # three small answers in a row would wait for the client

    def handle(self) -> None:
        script = cast("_Listener", self.server).script
        with script.changed:
            script.connections += 1
        if not self._answer(script, GREETING):
            return
        while line := self.rfile.readline():
            verb = line.split()[0].decode().upper().partition(":")[0]
            with script.changed:
                script.commands.append(line.decode().strip())
                script.changed.notify_all()
            said = self._answer(script, verb)
            if not said or verb == "QUIT":
                return
            if verb == "DATA" and said.startswith("354") and not self._take_message(script):
                return

    def _take_message(self, script: "ScriptedServer") -> bool:
        lines: list[bytes] = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return False
            if not lines and BODY in script.answers and not self._answer(script, BODY):
                return False
            lines.append(line)
        message = b"".join(lines)
        if not message:  # of a mail whose recipient was refused but not its DATA (RFC 2920 §3.1)
            return bool(self._answer(script, DOT))
        with script.changed:
            script.messages.append(message)
            script.changed.notify_all()
        said = self._answer(script, DOT)
        if not said.startswith(("4", "5")):
            script.taken.append(message)
        return bool(said)

    def _answer(self, script: "ScriptedServer", point: str) -> str:
        """What was said; nothing where the conversation is over."""
        said = script.says(point)
        if said == FALL_SILENT:
            with script.changed:
                script.silent += 1
                script.changed.notify_all()
            script.released.wait(60)
        if said == RESET:
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ON_CLOSE.pack(1, 0))
            self.request.close()
        if said in {HANG_UP, FALL_SILENT, RESET}:
            return ""
        if said:
            self.wfile.write(said.encode() + b"\r\n")
        return said or point

    def finish(self) -> None:
        if self.request.fileno() >= 0:  # on a connection that was reset nothing is left to flush
            super().finish()
        script = cast("_Listener", self.server).script
        with script.changed:
            script.ended += 1
            script.changed.notify_all()


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 50

    def __init__(self, script: "ScriptedServer") -> None:
        self.script = script
        super().__init__(("127.0.0.1", 0), _Conversation)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed is no error of the server's."""


class ScriptedServer:
    """`with ScriptedServer({DOT: "451 4.3.0 Later"}) as server:` send to `server.url`.

    ``answers`` may be changed while it runs; one that is called says each time anew what to answer. ``messages`` holds
    each message whose final dot came, whatever was answered to it, with its dots as on the wire; ``taken`` those of
    them that were not refused, be it that nothing was answered; ``silent`` counts the
    conversations that fell silent, ``ended`` those that are over.
    """

    def __init__(self, answers: Script | None = None, *, pipelining: bool = False) -> None:
        self.answers: dict[str, Says] = dict(answers or {})
        self._usual = {**_USUAL, **({"EHLO": "250-scripted.invalid\r\n250 PIPELINING"} if pipelining else {})}
        self.changed = threading.Condition()
        self.released = threading.Event()
        self.connections = 0
        self.silent = 0
        self.ended = 0
        self.commands: list[str] = []
        self.messages: list[bytes] = []
        self.taken: list[bytes] = []

    def says(self, point: str) -> str:
        says = self.answers.get(point) or self.usually(point)
        return says if isinstance(says, str) else says()

    def usually(self, point: str) -> str:
        """What it says where nothing is scripted."""
        return self._usual.get(point, "" if point == BODY else "250 2.0.0 OK")

    def __enter__(self) -> Self:
        self._listener = _Listener(self)
        self.port: int = self._listener.server_address[1]
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def wait_for(self, count: int, seconds: float = 20) -> list[bytes]:
        """The messages, once there are at least ``count``."""
        self.wait_until(lambda: len(self.messages) >= count, f"{count} messages", seconds)
        with self.changed:
            return list(self.messages)

    def wait_until(self, holds: Callable[[], bool], what: str, seconds: float = 20) -> None:
        """Wait until something about this server holds; ``what`` is said when it never does."""
        with self.changed:
            assert self.changed.wait_for(holds, seconds), f"no {what} after {seconds} s; {len(self.messages)} messages"
