"""What the doctor says of the machine: keys, folders, disk, clock, database, worker."""

import fcntl
import shutil
from collections import namedtuple
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from campaign.doctor.check import Colour
from campaign.doctor.machine import (
    check_clock,
    check_database,
    check_disk,
    check_folder,
    check_keyring,
    check_proxy,
    check_worker,
    kernel_keeps_time,
)
from campaign.installation.wiring import Installation
from campaign.models import Edition, EditionState, Heartbeat
from campaign.settings import Settings
from tests.conftest import Clock, MakeInstallation
from tests.scenes.people import add_readers, make_digest, sign


def test_a_keyring_that_is_nobody_elses_is_green_and_a_copy_is_asked_for(sqlite_installation: Installation) -> None:
    settings = sqlite_installation.settings
    found = check_keyring(settings.keyring, settings.data_dir, local=True)
    assert (found.colour, "copy" in found.sentence) == (Colour.GREEN, True)


def test_a_keyring_beside_the_data_of_a_server_for_the_world_is_to_be_looked_at(
    sqlite_installation: Installation, tmp_path: Path
) -> None:
    settings = sqlite_installation.settings
    found = check_keyring(settings.keyring, settings.data_dir, local=False)
    assert (found.colour, "CAMPAIGN_KEYRING" in found.fix) == (Colour.YELLOW, True)
    (tmp_path / "keys").mkdir(mode=0o700)
    apart = settings.keyring.rename(tmp_path / "keys" / "keyring.json")
    assert check_keyring(apart, settings.data_dir, local=False).colour is Colour.GREEN
    # A link to it from the data directory is no copy.
    settings.keyring.symlink_to(apart)
    assert check_keyring(settings.keyring, settings.data_dir, local=False).colour is Colour.GREEN


@pytest.mark.parametrize("state", ["gone", "open", "broken"])
def test_a_keyring_that_cannot_be_used_is_red_and_what_to_do_is_told(
    sqlite_installation: Installation, state: str
) -> None:
    path = sqlite_installation.settings.keyring
    if state == "gone":
        path.unlink()
    elif state == "open":
        path.chmod(0o644)
    else:
        path.write_text("{}")
    found = check_keyring(path, sqlite_installation.settings.data_dir, local=True)
    assert (found.colour, str(path) in found.sentence) == (Colour.RED, True)
    assert bool(found.fix)


def test_a_data_directory_that_others_can_look_into_is_to_be_looked_at(sqlite_installation: Installation) -> None:
    folder = sqlite_installation.settings.data_dir
    folder.chmod(0o700)
    assert check_folder(folder).colour is Colour.GREEN
    folder.chmod(0o755)
    found = check_folder(folder)
    assert (found.colour, found.fix) == (Colour.YELLOW, f"Run: chmod 700 {folder}")
    assert check_folder(folder / "gone").colour is Colour.RED
    assert check_disk(folder / "gone").colour is Colour.RED


@pytest.mark.parametrize(
    ("free", "colour"), [(3 * 1024**3, Colour.GREEN), (1024**3, Colour.YELLOW), (1024**2, Colour.RED)]
)
def test_a_disk_that_fills_up_is_told_in_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, colour: Colour
) -> None:
    usage = namedtuple("usage", "total used free")  # noqa: PYI024 (as shutil has it)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10 * 1024**3, 0, free))
    found = check_disk(tmp_path)
    assert (found.colour, "of 10.0 GB are free" in found.sentence) == (colour, True)


def test_a_clock_that_nothing_keeps_right_is_to_be_looked_at() -> None:
    assert check_clock(lambda: True).colour is Colour.GREEN
    unset, unknown = check_clock(lambda: False), check_clock(lambda: None)
    assert {unset.colour, unknown.colour} == {Colour.YELLOW}
    assert "is not synchronized" in unset.sentence
    assert "does not say" in unknown.sentence
    assert kernel_keeps_time() in (True, False, None)


def test_a_database_of_this_version_is_green(installation: Installation) -> None:
    version, migrations = check_database(installation.settings.database_url, installation.database.engine)
    assert (version.colour, migrations.colour) == (Colour.GREEN, Colour.GREEN)
    assert version.sentence.startswith(
        "SQLite 3." if "sqlite" in installation.settings.database_url else "PostgreSQL 1"
    )


@pytest.mark.parametrize(("revision", "says"), [("0001", "campaign migrate"), ("9999", "newer version")])
def test_a_database_of_another_version_is_red(installation: Installation, revision: str, says: str) -> None:
    with installation.database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    _, migrations = check_database(installation.settings.database_url, installation.database.engine)
    assert (migrations.colour, says in migrations.sentence) == (Colour.RED, True)


def test_a_database_that_is_not_there_is_red_and_not_made(
    make_sqlite_installation: MakeInstallation, tmp_path: Path
) -> None:
    missing = tmp_path / "missing.sqlite"
    installation = make_sqlite_installation(database_url=f"sqlite:///{missing}")
    (found,) = check_database(installation.settings.database_url, installation.database.engine)
    assert (found.colour, "no database at" in found.sentence, missing.exists()) == (Colour.RED, True, False)


def test_a_file_that_is_no_database_is_red(make_sqlite_installation: MakeInstallation, tmp_path: Path) -> None:
    (tmp_path / "words.sqlite").write_text("these are words, and no database\n" * 99)
    installation = make_sqlite_installation(database_url=f"sqlite:///{tmp_path / 'words.sqlite'}")
    (found,) = check_database(installation.settings.database_url, installation.database.engine)
    assert (found.colour, "cannot be used" in found.sentence) == (Colour.RED, True)


def test_a_server_that_is_out_of_reach_is_red(make_sqlite_installation: MakeInstallation) -> None:
    installation = make_sqlite_installation(database_url="postgresql+psycopg://nobody:word@127.0.0.1:9/none")
    (found,) = check_database(installation.settings.database_url, installation.database.engine)
    assert (found.colour, "word" in found.sentence) == (Colour.RED, False)


def worker(installation: Installation) -> tuple[Colour, str]:
    found = check_worker(installation.database, installation.settings, now=installation.now())
    return found.colour, found.sentence


def test_no_worker_is_to_be_looked_at_and_red_once_mails_are_late(installation: Installation, clock: Clock) -> None:
    assert worker(installation) == (Colour.YELLOW, "No worker is running; no mail is waiting now.")
    sign(installation, "a@example.org")
    assert worker(installation)[0] is Colour.YELLOW
    clock.turn(timedelta(minutes=11))
    assert worker(installation) == (Colour.RED, "No worker is running, and 1 mails are late.")


def test_a_sign_of_life_is_green_while_it_is_fresh(installation: Installation, clock: Clock) -> None:
    with installation.database.sessions.begin() as session:
        session.add_all(
            [Heartbeat(worker="old", at=clock() - timedelta(days=9)), Heartbeat(worker="worker-7", at=clock())]
        )
    assert worker(installation) == (Colour.GREEN, "worker-7 is running.")
    sign(installation, "a@example.org")
    clock.turn(timedelta(minutes=2))
    assert worker(installation)[0] is Colour.GREEN
    clock.turn(timedelta(minutes=9))
    assert worker(installation)[0] is Colour.RED
    with installation.database.sessions.begin() as session:
        session.get_one(Heartbeat, "worker-7").at = clock()
    assert worker(installation) == (Colour.YELLOW, "worker-7 is running, but 1 mails are late.")


def test_a_lock_that_is_held_is_a_sign_of_life_too(sqlite_installation: Installation) -> None:
    path = sqlite_installation.settings.data_dir / f"{sqlite_installation.settings.worker_name}.lock"
    with path.open("w") as file:
        assert worker(sqlite_installation)[0] is Colour.YELLOW
        fcntl.flock(file, fcntl.LOCK_EX)
        assert worker(sqlite_installation) == (Colour.GREEN, "worker-1 is running on this machine.")
    assert worker(sqlite_installation)[0] is Colour.YELLOW


def test_mails_of_an_edition_that_a_person_paused_are_not_late(installation: Installation, clock: Clock) -> None:
    add_readers(installation, "a@example.org")
    edition = make_digest(installation)
    clock.turn(timedelta(minutes=11))
    late = worker(installation)[1]
    with installation.database.sessions.begin() as session:
        session.get_one(Edition, edition.id).state = EditionState.PAUSED
    assert late != worker(installation)[1]


@pytest.mark.parametrize(
    ("values", "colour"),
    [
        ({}, Colour.GREEN),
        ({"base_url": "https://petition.example.org"}, Colour.YELLOW),
        ({"base_url": "https://petition.example.org", "trusted_proxies": 1}, Colour.GREEN),
        ({"base_url": "https://petition.example.org", "host": "10.0.0.1"}, Colour.GREEN),
        ({"base_url": "http://petitionpetition.onion"}, Colour.GREEN),
    ],
)
def test_a_proxy_that_is_not_told_of_is_noticed(values: dict[str, object], colour: Colour) -> None:
    found = check_proxy(Settings.model_validate(values))
    assert (found.colour, "CAMPAIGN_TRUSTED_PROXIES" in found.fix) == (colour, colour is Colour.YELLOW)
