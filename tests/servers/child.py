"""Child processes that are never root and never outlive the tests, even tests that are killed."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TypedDict


class Identity(TypedDict):
    """Who a child runs as, in subprocess's words; None keeps our own identity."""

    user: int | None
    group: int | None
    extra_groups: list[str | int] | None


def unprivileged(*names: str) -> Identity:
    """The first of these accounts that exists, if we are root: servers refuse to run as root."""
    if os.geteuid() != 0:
        return {"user": None, "group": None, "extra_groups": None}
    accounts = {entry.pw_name: entry for entry in pwd.getpwall()}
    account = next(accounts[name] for name in (*names, "nobody") if name in accounts)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def start(
    command: Sequence[str | Path], identity: Identity, *, stop: str, output: IO[bytes], folder: Path
) -> subprocess.Popen[bytes]:
    """Start a server that gets the signal `stop` from the kernel when this process dies.

    setpriv asks for that signal after the change of user, which would cancel it.
    """
    setpriv = shutil.which("setpriv")
    mortal = [setpriv, "--pdeathsig", stop, "--"] if setpriv else []
    return subprocess.Popen(
        [*mortal, *command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        cwd=folder,
        start_new_session=True,  # Ctrl-C is for the tests; they stop the server themselves
        **identity,
    )
