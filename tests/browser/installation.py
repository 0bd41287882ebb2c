"""The whole program on a new machine: ``python app.py`` with a data folder, a port and a mail server of its own."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from tests.scenes.serving import ROOT, command, free_port, serving
from tests.servers.smtp import Mailbox

MAIL_WITHIN = 30


@dataclass(frozen=True)
class RunningServer:
    """A program that runs, what it printed, and the mails that it sent."""

    folder: Path
    base_url: str
    mailbox: Mailbox
    printed: Path
    settings: dict[str, object]

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run ``campaign …`` beside it; it must succeed."""
        done = command(list(words), self.folder, **self.settings)
        assert done.returncode == 0, done.stderr
        return done

    def mails_to(self, address: str, count: int = 1) -> list[EmailMessage]:
        """The mails to an address, once there are so many."""
        until = time.monotonic() + MAIL_WITHIN
        while time.monotonic() < until:
            found = [received.parsed for received in self.mailbox.messages if received.recipients == (address,)]
            if len(found) >= count:
                return found
            time.sleep(0.05)
        raise AssertionError(f"No {count} mails to {address}; printed:\n{self.printed.read_text(encoding='utf-8')}")

    def find_printed(self, pattern: str) -> str:
        """What stands in the printed words, once it does."""
        until = time.monotonic() + MAIL_WITHIN
        while time.monotonic() < until:
            if found := re.search(pattern, self.printed.read_text(encoding="utf-8")):
                return found[1]
            time.sleep(0.05)
        raise AssertionError(f"{pattern} is not in:\n{self.printed.read_text(encoding='utf-8')}")


def text_of(mail: EmailMessage) -> str:
    """The text part of a mail."""
    part = mail.get_body(("plain",))
    assert part is not None
    content: str = part.get_content()
    return content.replace("\r\n", "\n")


def link_in(mail: EmailMessage, path: str) -> str:
    """The only link of a mail whose path begins like that."""
    (link,) = re.findall(rf"http://[^/\s]+{path}\S+", text_of(mail))
    return str(link)


@contextmanager
def run_server(folder: Path) -> Iterator[RunningServer]:
    """Start it all, and stop it all."""
    port = free_port()
    with Mailbox() as mailbox:
        settings: dict[str, object] = {"smtp_url": mailbox.url, "form_min_seconds": 0, "source_limit": "off"}
        with serving([ROOT / "app.py"], folder, port, **settings) as printed:
            beside = {**settings, "port": port}
            yield RunningServer(folder, f"http://127.0.0.1:{port}", mailbox, printed, beside)
