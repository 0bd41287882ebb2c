"""The file with the keys: it is read only if nobody else can read or change it, and replaced whole or not at all."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from campaign.errors import AlreadyRunning, KeyringError

# Inode, time of the last change, size. A file that was replaced has another inode, a file that was written again has
# another time.
Stamp = tuple[int, int, int]


def read_alone(path: Path) -> str:
    """The text of the file ``path``.

    Raises KeyringError if it is missing or another user can read or replace it, ValueError if it is not ASCII.
    """
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
    """Raise KeyringError if others can write into the folder: they could put another keyring there.

    In a folder with the sticky bit, as /tmp has it, they cannot.
    """
    found = folder.stat()
    if found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX:
        raise KeyringError(f"Other users of this machine can replace the keyring in {folder}; run: chmod go-w {folder}")


def stamp(path: Path) -> Stamp | None:
    """The present state of the file; None if it cannot be looked at."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def write_new(path: Path, text: str) -> None:
    """Write a new keyring. Raises KeyringError if there is one already."""
    try:
        _write(path, text)
    except FileExistsError:
        raise KeyringError(f"The keyring {path} exists already; it is never overwritten.") from None


def replace(path: Path, text: str) -> None:
    """Replace the keyring. Every reader finds the old file or the new one, also after a failure. Raises OSError."""
    path = path.resolve()  # a symbolic link stays one
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)  # left by a process that was killed
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
    """Hold the lock for replacing the keyring on this machine. Raises AlreadyRunning."""
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
    """Move the keyring to another disk. The copy is complete before the old file is overwritten. Raises KeyringError.

    A disk may keep overwritten data in blocks that no program can reach; only an encrypted disk helps against that.
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
