"""The doctor checks this machine: keys, data directory, disk, clock, database, and whether a worker runs."""

import ctypes
import fcntl
import os
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Engine, func, make_url, select, text
from sqlalchemy.exc import SQLAlchemyError

from campaign.crypto.keyring import Keyring
from campaign.db import SAFE_WAL, Database
from campaign.doctor.check import Check, green, red, yellow
from campaign.errors import DatabaseError, KeyringError
from campaign.models import Delivery, DeliveryState, Edition, EditionState, Heartbeat
from campaign.periods import HEARTBEAT_WITHIN, MAIL_LATE_AFTER
from campaign.services.operations.schema import check_schema
from campaign.settings import Settings

LITTLE_SPACE, NO_SPACE = 2 * 1024**3, 200 * 1024**2
OLDEST_POSTGRESQL = 14

_ADJTIMEX_BYTES = 1024  # struct timex is smaller on every platform
_TIME_ERROR = 5


def check_keyring(path: Path, data_dir: Path, *, local: bool) -> Check:
    """Whether the keyring exists, is complete, is readable by this user alone, and lies apart from the data it
    opens."""
    name = "Keyring"
    try:
        Keyring.read(path)
    except KeyringError as error:
        return red(name, error.sentence, "Without the keys no name can be read and no link works.")
    if not local and path.resolve().is_relative_to(data_dir.resolve()):
        return yellow(
            name,
            f"{path} is readable by this user alone, but lies in the data directory: a copy of that folder contains "
            "both the sealed data and the keys.",
            "Move it to a folder that is in no backup, such as /etc/campaign, and set CAMPAIGN_KEYRING to it.",
        )
    return green(name, f"{path} is readable by this user alone. Is a copy of it in another place?")


def check_folder(data_dir: Path) -> Check:
    """Whether the data directory exists, is writable by this user, and is closed to other users."""
    name = "Data directory"
    try:
        mode = data_dir.stat().st_mode
    except OSError as error:
        return red(name, f"{data_dir} cannot be read: {error.strerror}.", "For a new installation run: campaign init")
    if not os.access(data_dir, os.W_OK | os.X_OK):
        return red(name, f"This user cannot write into {data_dir}.", "Make this user its owner (chown).")
    if mode & 0o077:
        return yellow(name, f"Other users of this machine can read {data_dir}.", f"Run: chmod 700 {data_dir}")
    return green(name, f"{data_dir} is closed to other users.")


def check_disk(data_dir: Path) -> Check:
    """Whether the disk has enough space for new signatures and mails."""
    name = "Disk"
    try:
        usage = shutil.disk_usage(data_dir)
    except OSError as error:
        return red(name, f"{data_dir} cannot be read: {error.strerror}.", "For a new installation run: campaign init")
    sentence = f"{usage.free / 1024**3:.1f} GB of {usage.total / 1024**3:.1f} GB are free for {data_dir}"
    fix = "Free some space: with a full disk the server accepts no signatures and sends no mails."
    if usage.free < NO_SPACE:
        return red(name, f"Only {sentence}.", fix)
    return yellow(name, f"Only {sentence}.", fix) if usage.free < LITTLE_SPACE else green(name, f"{sentence}.")


def kernel_keeps_time() -> bool | None:
    """Whether the kernel reports that its clock is synchronized (adjtimex(2)); None if it cannot be asked."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_ADJTIMEX_BYTES))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _TIME_ERROR


def check_clock(keeps_time: Callable[[], bool | None] = kernel_keeps_time) -> Check:
    """Whether the clock is right, as far as the machine knows. Links and schedules depend on it."""
    kept = keeps_time()
    if kept:
        return green("Clock", "It is synchronized (NTP).")
    sentence = "The machine does not say whether its clock is synchronized"
    sentence = sentence if kept is None else "The clock is not synchronized"
    return yellow(
        "Clock", f"{sentence}.", "Run a time service such as systemd-timesyncd or chrony; in a container, on its host."
    )


def check_proxy(settings: Settings) -> Check:
    """Whether the proxy in front of the server is known: without it all visitors count as one network."""
    name = "Proxy"
    public = urlsplit(settings.base_url).hostname or ""
    # An onion service has no proxy that could name a visitor's address.
    if settings.trusted_proxies or settings.is_local or not settings.listens_locally or public.endswith(".onion"):
        return green(name, f"CAMPAIGN_TRUSTED_PROXIES is {settings.trusted_proxies}.")
    return yellow(
        name,
        f"The server listens at {settings.host} alone, so visitors of {settings.base_url} come through a proxy. "
        "All of them count as one network: after some signatures in an hour everybody is refused.",
        "Set CAMPAIGN_TRUSTED_PROXIES to the number of proxies that add X-Forwarded-For, usually 1.",
    )


def check_database(url: str, engine: Engine) -> list[Check]:
    """Whether the database exists, whether its version is supported, and whether migrations are pending."""
    name = "Database"
    address = make_url(url)
    if address.get_backend_name() == "sqlite" and not Path(str(address.database)).is_file():
        return [red(name, f"There is no database at {address.database}.", "For a new installation run: campaign init")]
    try:
        version = _check_version(engine)
    except SQLAlchemyError as error:
        return [red(name, f"The database cannot be used ({type(error).__name__}).", "Check CAMPAIGN_DATABASE_URL.")]
    try:
        check_schema(engine)
    except DatabaseError as error:
        return [version, red("Migrations", error.sentence, "Make a backup before that.")]
    return [version, green("Migrations", "No migration is pending.")]


def _check_version(engine: Engine) -> Check:
    name = "Database"
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("SELECT count(*) FROM sqlite_master"))  # fails if the file is no database
            library = str(connection.scalar(text("SELECT sqlite_version()")))
            if tuple(map(int, library.split("."))) >= SAFE_WAL:
                return green(name, f"SQLite {library}.")
            sentence = (
                f"SQLite {library} is older than {'.'.join(map(str, SAFE_WAL))}: readers have to wait for writers."
            )
            return yellow(name, sentence, "Use a newer SQLite, such as the one in the package pysqlite3.")
        server = str(connection.scalar(text("SHOW server_version"))).split()[0]
    if int(server.partition(".")[0]) < OLDEST_POSTGRESQL:
        return yellow(name, f"PostgreSQL {server} gets no security fixes any more.", "Upgrade it.")
    return green(name, f"PostgreSQL {server}.")


def check_worker(database: Database, settings: Settings, *, now: datetime) -> Check:
    """Whether a worker runs, by its heartbeat in the database or by its lock file on this machine."""
    name = "Worker"
    with database.snapshots() as session:
        seen = session.scalars(select(Heartbeat).order_by(Heartbeat.at.desc()).limit(1)).one_or_none()
        waiting = Delivery.state.in_((DeliveryState.QUEUED, DeliveryState.DEFERRED)) & (
            Delivery.due_at <= now - MAIL_LATE_AFTER
        )
        # Mails of an edition that a person has paused are not late.
        goes_out = Delivery.edition_id.is_(None) | (Edition.state == EditionState.SENDING)
        late = session.scalar(select(func.count(Delivery.id)).outerjoin(Edition).where(waiting, goes_out))
    if seen is not None and seen.at > now - HEARTBEAT_WITHIN:
        if late:
            return yellow(
                name,
                f"{seen.worker} is running, but {late} mails are late.",
                "Check the mail server and the worker's log.",
            )
        return green(name, f"{seen.worker} is running.")
    if _is_locked(settings.data_dir / f"{settings.worker_name}.lock"):
        return green(name, f"{settings.worker_name} is running on this machine.")
    fix = "Start one: campaign worker (or regularly: campaign worker --once)"
    if late:
        return red(name, f"No worker is running, and {late} mails are late.", fix)
    return yellow(name, "No worker is running; no mail is waiting now.", fix)


def _is_locked(path: Path) -> bool:
    """Whether a process on this machine holds the lock file ``path``."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
