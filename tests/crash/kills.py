"""Where a sender is killed: each brings one to its point, and leaves the killing to the test."""

import random  # noqa: TID251 (a test may be struck by chance, the same each time)
import time
from collections.abc import Callable
from pathlib import Path

from tests.crash.forked import CONNECTIONS, Forked, Zygote
from tests.servers.scripted_smtp import DOT, FALL_SILENT, GREETING, ScriptedServer

Kill = Callable[[Zygote, Path, ScriptedServer, int], Forked]


def silent_at(point: str) -> Kill:
    """The server takes some mails and then falls silent at ``point`` on every connection."""

    def start(zygote: Zygote, data_dir: Path, server: ScriptedServer, run: int) -> Forked:
        mails = run % 15
        server.answers[point] = lambda: FALL_SILENT if len(server.messages) >= mails else server.usually(point)
        sender = zygote.start(data_dir, server.url)
        server.wait_until(lambda: server.silent >= CONNECTIONS, f"silence at {point}")
        return sender

    return start


def unheard(zygote: Zygote, data_dir: Path, server: ScriptedServer, run: int) -> Forked:
    """Claimed, and on the connection not even a greeting: the first ones, or those that replace them."""
    server.answers[GREETING] = lambda: FALL_SILENT if server.connections > run % 4 else server.usually(GREETING)
    sender = zygote.start(data_dir, server.url)
    server.wait_until(lambda: server.silent >= CONNECTIONS, "silence before the greeting")
    return sender


def stopped_at(seam: str, often: int) -> Kill:
    """The sender stops within itself, the first time that it comes there or a later one."""

    def start(zygote: Zygote, data_dir: Path, server: ScriptedServer, run: int) -> Forked:
        sender = zygote.start(data_dir, server.url, seam=seam, nth=1 + run % often)
        sender.wait_until_stopped()
        return sender

    return start


def at_random(zygote: Zygote, data_dir: Path, server: ScriptedServer, run: int) -> Forked:
    """After some command, and up to two milliseconds more."""
    chance = random.Random(run)
    commands = chance.randrange(70)
    sender = zygote.start(data_dir, server.url)
    server.wait_until(lambda: len(server.commands) >= commands, f"{commands} commands")
    time.sleep(chance.uniform(0, 0.002))
    return sender


KILLS: dict[str, Kill] = {
    "claimed": unheard,
    "connected": stopped_at("connected", 4),
    "MAIL sent": silent_at("MAIL"),
    "DATA sent": silent_at("DATA"),
    "before the dot": stopped_at("before the dot", 20),
    "after the dot": silent_at(DOT),
    "before record": stopped_at("before record", 2),
    "at random": at_random,
}
