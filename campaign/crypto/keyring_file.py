"""The file with the keys: read only where nobody else can read or change it, replaced whole or not at all."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from campaign.errors import AlreadyRunning, KeyringError

# What tells one state of a file from another: a replaced one has another inode, one that was written over another time.
Stamp = tuple[int, int, int]


def read_alone(path: Path) -> str:
    """The text of ``path``, which this user alone can read and nobody else replace. Raises KeyringError, ValueError."""
    try:
        with path.open("rb") as file:
            _check_own(path, os.fstat(file.fileno()))
            _check_folder(path.absolute().parent)
            return file.read().decode("ascii")
    except FileNotFoundError:
        raise KeyringError(
            f"There is no keyring at {path}. For a new installation run: campaign init. For an existing one, "
            "put the keyring's copy back: without it no name or address can be read."
        ) from None
    except PermissionError:
        raise KeyringError(
            f"The keyring {path} cannot be read by this user. Run this as the user whose keyring it is."
        ) from None
    except OSError as error:
        raise KeyringError(
            f"The keyring {path} cannot be read: {error.strerror}. Put the keyring's copy back."
        ) from None


def _check_own(path: Path, found: os.stat_result) -> None:
    if found.st_uid not in (os.geteuid(), 0):
        raise KeyringError(
            f"The keyring {path} belongs to another user of this machine, who could change it. "
            "Run this as that user, or make this user its owner (chown)."
        )
    if found.st_mode & 0o077:
        raise KeyringError(f"The keyring {path} can be read by other users of this machine; run: chmod 600 {path}")


def _check_folder(folder: Path) -> None:
    """Who may write into the folder may put another keyring there, unless the folder is sticky as /tmp is."""
    found = folder.stat()
    if found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX:
        raise KeyringError(f"Other users of this machine can replace the keyring in {folder}; run: chmod go-w {folder}")


def stamp(path: Path) -> Stamp | None:
    """What the file is like now; None where it cannot be looked at."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def write_new(path: Path, text: str) -> None:
    """Write a keyring where there is none. Raises KeyringError."""
    try:
        _write(path, text)
    except FileExistsError:
        raise KeyringError(f"The keyring {path} exists already; it is never overwritten.") from None


def replace(path: Path, text: str) -> None:
    """Write the keyring anew; whoever reads, and whatever fails, finds the old file or the new one. Raises OSError."""
    path = path.resolve()  # a link stays a link
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)  # left by one that was killed
    _write(new, text)
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """Hold the right to replace the keyring on this machine. Raises AlreadyRunning."""
    folder = os.open(path.resolve().parent, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning("Another command changes the keyring; wait until that has ended.") from None
        yield
    finally:
        os.close(folder)


def move_keyring(source: Path, target: Path) -> None:
    """Move the keyring to another disk, where it is whole before it is overwritten here. Raises KeyringError.

    A disk may keep what was overwritten in places of its own; against that only an encrypted disk helps.
    """
    try:
        kept = source.read_bytes()
        with os.fdopen(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "wb+") as copy:
            copy.write(kept)
            copy.flush()
            os.fsync(copy.fileno())
            copy.seek(0)
            if copy.read() != kept:
                raise KeyringError(f"{target} does not hold what was written to it; the keyring stays where it is.")
        with source.open("rb+") as old:
            old.write(bytes(len(kept)))
            old.flush()
            os.fsync(old.fileno())
        source.unlink()
    except FileExistsError:
        raise KeyringError(f"{target} exists already; the keyring stays where it is.") from None
    except OSError as error:
        raise KeyringError(f"The keyring {source} cannot be moved to {target}: {error.strerror}.") from None
