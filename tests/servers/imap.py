"""Dovecot: an IMAP server of our own, temporary, on loopback, with TLS, gone after the test."""

import grp
import imaplib
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from .certificate import write_certificate
from .child import start, unprivileged
from .missing import Missing

USER, PASSWORD = "bounces", "open:sesame@home"

# Without anvil-auth-penalty, who once had a wrong password waits no seconds for each answer from then on.
CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{certificate}
ssl_key = <{key}
mail_location = maildir:{folder}/mail
auth_failure_delay = 0
imap_capability = {capability}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""


def _program() -> str:
    found = shutil.which("dovecot", path=os.defpath + ":/usr/sbin:/sbin")
    if not found or not Path("/usr/lib/dovecot/imap").exists():
        raise Missing("Dovecot's IMAP server")
    return found


def _free_ports() -> tuple[int, int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


class ImapServer:
    """`with ImapServer() as server: server.deliver(b"…")`; its mailbox is at `server.url`, INBOX.

    ``capability`` is Dovecot's own, for example ``IMAP4rev1`` for a server that can do no more than that.
    """

    def __init__(self, capability: str = "") -> None:
        self._program = _program()
        self._capability = capability
        self._identity = unprivileged("nobody")

    def __enter__(self) -> Self:
        # The path of a socket in it may have 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="imap-", dir="/tmp"))
        try:
            self.certificate, key = write_certificate(self.folder)
            (self.folder / "run").mkdir()
            if self._identity["user"] is not None:
                for path in (self.folder, *self.folder.rglob("*")):
                    shutil.chown(path, self._identity["user"], self._identity["group"])
            self._start(key)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self) -> str:
        return f"imaps://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.tls_port}"

    @property
    def starttls_url(self) -> str:
        return f"imap://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/INBOX"

    def deliver(self, message: bytes) -> None:
        """Put a message into the mailbox."""
        with self._client() as client:
            client.append("INBOX", "", "", message)

    def count(self) -> int:
        """How many messages are in the mailbox."""
        with self._client() as client:
            _, data = client.select("INBOX", readonly=True)
            return int(data[0] or 0)

    def _client(self) -> imaplib.IMAP4_SSL:
        tls = ssl.create_default_context(cafile=str(self.certificate))
        client = imaplib.IMAP4_SSL("127.0.0.1", self.tls_port, ssl_context=tls, timeout=10)
        client.login(USER, PASSWORD)
        return client

    def _start(self, key: Path) -> None:
        uid = self._identity["user"] if self._identity["user"] is not None else os.getuid()
        gid = self._identity["group"] if self._identity["group"] is not None else os.getgid()
        # Dovecot cannot take a bound socket: if another process is quicker to a port, take others.
        for _ in range(5):
            self.port, self.tls_port = _free_ports()
            configuration = self.folder / "dovecot.conf"
            configuration.write_text(
                CONFIGURATION.format(
                    folder=self.folder,
                    user=pwd.getpwuid(uid).pw_name,
                    group=grp.getgrgid(gid).gr_name,
                    uid=uid,
                    gid=gid,
                    certificate=self.certificate,
                    key=key,
                    password=PASSWORD,
                    port=self.port,
                    tls_port=self.tls_port,
                    capability=self._capability,
                )
            )
            if self._identity["user"] is not None:
                shutil.chown(configuration, self._identity["user"])
            with (self.folder / "output").open("ab") as output:
                command = (self._program, "-F", "-c", configuration)
                self._server = start(command, self._identity, stop="TERM", output=output, folder=self.folder)
            if self._answers():
                return
            self._stop()
        log, output_file = self.folder / "log", self.folder / "output"
        said = "".join(path.read_text(errors="replace") for path in (output_file, log) if path.exists())
        raise RuntimeError(f"Dovecot did not start:\n{said}")

    def _answers(self) -> bool:
        deadline = time.monotonic() + 15
        while self._server.poll() is None and time.monotonic() < deadline:
            try:
                with self._client():
                    return True
            except (OSError, imaplib.IMAP4.error):
                time.sleep(0.05)
        return False

    def _stop(self) -> None:
        self._server.terminate()
        try:
            self._server.wait(10)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
