"""An SMTP server on a raw socket that says what a test scripts, hangs up or falls silent at any point."""

import socketserver
import threading
from types import TracebackType
from typing import Self, cast

HANG_UP = "(hang up)"
FALL_SILENT = "(fall silent)"
# Points at which a script may answer: the greeting, each verb, the middle of the message, its final dot.
GREETING, BODY, DOT = "GREETING", "BODY", "."
_USUAL = {GREETING: "220 scripted.invalid", "DATA": "354 Go on", "QUIT": "221 Bye"}


class _Conversation(socketserver.StreamRequestHandler):
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
            if not self._answer(script, verb) or verb == "QUIT":
                return
            if verb == "DATA" and script.says(verb).startswith("354") and not self._take_message(script):
                return

    def _take_message(self, script: "ScriptedServer") -> bool:
        lines: list[bytes] = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line or script.answers.get(BODY) == HANG_UP:
                return False
            lines.append(line)
        with script.changed:
            script.messages.append(b"".join(lines))
            script.changed.notify_all()
        return self._answer(script, DOT)

    def _answer(self, script: "ScriptedServer", point: str) -> bool:
        said = script.says(point)
        if said == FALL_SILENT:
            script.released.wait(60)
        if said in {HANG_UP, FALL_SILENT}:
            return False
        self.wfile.write(said.encode() + b"\r\n")
        return True


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, script: "ScriptedServer") -> None:
        self.script = script
        super().__init__(("127.0.0.1", 0), _Conversation)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed is no error of the server's."""


class ScriptedServer:
    """`with ScriptedServer({DOT: "451 4.3.0 Later"}) as server:` send to `server.url`.

    ``answers`` may be changed while it runs. ``messages`` holds each message whose final dot came, whatever was
    answered to it, with its dots as on the wire.
    """

    def __init__(self, answers: dict[str, str] | None = None) -> None:
        self.answers = answers or {}
        self.changed = threading.Condition()
        self.released = threading.Event()
        self.connections = 0
        self.commands: list[str] = []
        self.messages: list[bytes] = []

    def says(self, point: str) -> str:
        return self.answers.get(point) or _USUAL.get(point, "250 2.0.0 OK")

    def __enter__(self) -> Self:
        self._listener = _Listener(self)
        self.port: int = self._listener.server_address[1]
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)
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
        with self.changed:
            enough = self.changed.wait_for(lambda: len(self.messages) >= count, seconds)
            assert enough, f"{len(self.messages)} of {count} messages after {seconds} s"
            return list(self.messages)
