"""Key rotation: afterwards the old keyring opens nothing, and nothing is lost whoever works or is killed meanwhile."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, select

from campaign.cli import keyring as keyring_command
from campaign.crypto.keyring import Keyring
from campaign.crypto.vault import Vault
from campaign.db import Base
from campaign.errors import KeyringError
from campaign.installation.wiring import Installation, wire
from campaign.models import LinkRequest, Organizer, Signature
from campaign.services.operations.key_rotation import SEALED, count_sealed
from campaign.text.email_address import parse_email_address
from tests.conftest import MakeInstallation, close_installation
from tests.crash.workers import environment
from tests.scenes.commands import Command
from tests.scenes.people import add_readers, find_petition, sign

Opened = dict[tuple[str, str], bytes]
# Run the command in a process that kills itself as `point` says; each batch is of two rows.
DYING = """
import os, signal, sys
from campaign.cli import keyring as command
from campaign.services.operations import key_rotation
from campaign.__main__ import main

point = sys.argv.pop()
reseal, replace, batches = key_rotation.reseal_next, command.Keyring.replace, 0
key_rotation.BATCH = 2

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def reseal_or_die(*arguments):
    global batches
    batches += 1
    done = reseal(*arguments)
    if point == "in a batch" and batches == 3:
        die()
    return done

def replace_or_die(self, path):
    if point == "before the old key goes" and len(self.sealing) == 1:
        die()
    replace(self, path)
    if point == "after the new key came":
        die()

key_rotation.reseal_next, command.Keyring.replace = reseal_or_die, replace_or_die
main()
"""


def fill(installation: Installation) -> None:
    """Something in every sealed column."""
    add_readers(installation, *(f"reader{number}@example.org" for number in range(5)))
    for number in range(5):
        sign(installation, f"pending{number}@example.org", comment="From the mine.")
    fingerprint = installation.vault.fingerprint(parse_email_address("lost@example.org"))
    petition = find_petition(installation)
    with installation.database.sessions.begin() as session:
        session.add(
            LinkRequest(
                mails=1,
                petition_id=petition.id,
                fingerprint=fingerprint,
                sealed_address=installation.vault.seal(
                    b"lost@example.org", row=f"link:{petition.id}:{fingerprint.hex()}"
                ),
                language="en",
                asked_at=installation.now(),
            )
        )
        organizer = Organizer(email="o@example.org", session_key="s")
        session.add(organizer)
        session.flush()
        organizer.sealed_totp = installation.vault.seal(b"secret", row=f"organizer:{organizer.id}")


def open_all(installation: Installation, vault: Vault) -> Opened:
    """Every sealed value, by column and row."""
    opened = {}
    with installation.database.snapshots() as session:
        for sealed in SEALED:
            key = list(sealed.table.primary_key.columns)
            for *row, value in session.execute(select(*key, sealed.column).where(sealed.column.is_not(None))):
                name = sealed.row_name(*row)
                opened[f"{sealed.column}", name] = vault.open(value, row=name)
    return opened


def versions(installation: Installation) -> set[int]:
    with installation.database.snapshots() as session:
        return set(count_sealed(session))


def keys_of(installation: Installation) -> Keyring:
    return Keyring.read(installation.settings.keyring)


@pytest.fixture
def apart(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The command finds the campaign's installation as another process does, with keys and connections of its own."""
    made: list[Installation] = []

    def wired() -> Installation:
        made.append(wire(installation.settings, now=installation.now))
        return made[-1]

    monkeypatch.setattr(keyring_command, "wired", wired)
    yield
    for each in made:
        close_installation(each)


@pytest.fixture
def rotate(command: Command, apart: None) -> Callable[..., str]:
    """Run the command on the campaign's installation; what it printed."""

    def run(*words: str) -> str:
        done = command("keyring", "rotate", *words)
        assert (done.status, done.err) == (0, "")
        return done.out

    return run


def test_every_sealed_column_is_rotated() -> None:
    """A column whose name says that it is sealed, and is not in the list, would be lost with the old key."""
    named = {
        str(column)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary) and column.name.startswith("sealed_")
    }
    assert named == {str(sealed.column) for sealed in SEALED}


def test_after_a_rotation_the_old_keyring_opens_nothing_and_the_new_one_everything(
    installation: Installation, rotate: Callable[..., str]
) -> None:
    fill(installation)
    old = keys_of(installation)
    before = open_all(installation, Vault(old))
    assert {column for column, _ in before} == {str(sealed.column) for sealed in SEALED}
    said = rotate()
    assert f"{len(before)} values were sealed anew with key 2." in said
    new = keys_of(installation)
    assert set(new.sealing) == versions(installation) == {2}
    assert (new.lookup, new.links, new.sessions) == (old.lookup, old.links, old.sessions)
    assert installation.settings.keyring.stat().st_mode & 0o777 == 0o600
    assert open_all(installation, Vault(new)) == before
    # What runs has the old keys in memory, and takes the new ones up by itself.
    assert open_all(installation, installation.vault) == before
    with pytest.raises(KeyringError):
        open_all(installation, Vault(old))
    sign(installation, "later@example.org")
    assert versions(installation) == {2}


def test_what_runs_seals_with_the_new_key_from_the_moment_it_is_there(
    make_sqlite_installation: MakeInstallation,
) -> None:
    installation = make_sqlite_installation()
    vault = installation.vault
    assert vault.seal(b"x", row="r")[0] == 1
    keys = keys_of(installation).with_new_key()
    keys.replace(installation.settings.keyring)
    assert vault.seal(b"x", row="r")[0] == 2
    keys.with_new_key().replace(installation.settings.keyring)
    assert vault.open(Vault(keys_of(installation)).seal(b"x", row="r"), row="r") == b"x"


def test_a_keyring_that_is_gone_or_anothers_changes_nothing_for_what_runs(
    make_sqlite_installation: MakeInstallation,
) -> None:
    installation = make_sqlite_installation()
    vault, path = installation.vault, installation.settings.keyring
    path.unlink()
    assert vault.seal(b"x", row="r")[0] == 1
    Keyring.fresh().with_new_key().write(path)
    assert vault.open(vault.seal(b"x", row="r"), row="r") == b"x"
    assert vault.seal(b"x", row="r")[0] == 1
    path.write_text("{}")
    assert vault.open(vault.seal(b"x", row="r"), row="r") == b"x"


def test_the_old_key_is_kept_where_that_is_asked_for_and_dropped_the_next_time(
    installation: Installation, rotate: Callable[..., str]
) -> None:
    sign(installation, "a@example.org")
    assert "still in the keyring" in rotate("--keep-old")
    assert set(keys_of(installation).sealing) == {1, 2}
    assert versions(installation) == {2}
    said = rotate()
    assert "Key 2 is in the keyring already; the rotation goes on with it." in said
    assert "To make another new key, run the command again" in said
    assert set(keys_of(installation).sealing) == {2}
    rotate()
    assert set(keys_of(installation).sealing) == versions(installation) == {3}


@pytest.mark.machine
@pytest.mark.parametrize("make_installation", ["sqlite"], indirect=True)
def test_killed_anywhere_and_run_again_it_goes_on_and_loses_nothing(
    installation: Installation, rotate: Callable[..., str], tmp_path: Path
) -> None:
    fill(installation)
    before = open_all(installation, installation.vault)
    for point in ("after the new key came", "in a batch", "before the old key goes"):
        words = [sys.executable, "-c", DYING, "keyring", "rotate", point]
        died = subprocess.run(
            words, cwd=tmp_path, env=environment(installation), capture_output=True, check=False, timeout=60
        )
        assert died.returncode == -signal.SIGKILL, died.stderr
        assert set(keys_of(installation).sealing) == {1, 2}
        assert versions(installation) == ({1, 2} if point == "in a batch" else {1} if "new key" in point else {2})
        assert open_all(installation, installation.vault) == before
    rotate()
    assert set(keys_of(installation).sealing) == versions(installation) == {2}
    assert open_all(installation, Vault(keys_of(installation))) == before


# On SQLite there is one writer at a time, and the rotation's first batch waits for it.
@pytest.mark.parametrize("make_installation", ["postgresql"], indirect=True)
def test_the_old_key_stays_while_a_transaction_is_open_that_may_have_used_it(
    installation: Installation, rotate: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring_command, "_WAIT_FOR_OTHERS", 0.0)
    sign(installation, "a@example.org")
    with installation.database.sessions.begin() as session:
        signature = session.scalars(select(Signature)).one()
        session.expunge(signature)
        sealed = installation.vault.seal(b"{}", row=f"signature:{signature.id}")
        said = rotate()
        assert "may still use it" in said
        session.get_one(Signature, signature.id).sealed_person = sealed
    assert versions(installation) == {1, 2}
    rotate()
    assert versions(installation) == set(keys_of(installation).sealing) == {2}
    assert b"{}" in open_all(installation, Vault(keys_of(installation))).values()


def test_a_row_that_no_key_opens_stops_the_rotation_and_keeps_every_key(
    command: Command, installation: Installation, apart: None
) -> None:
    sign(installation, "a@example.org")
    with installation.database.sessions.begin() as session:
        signature = session.scalars(select(Signature)).one()
        signature.sealed_person = Vault(Keyring.fresh()).seal(b"{}", row=f"signature:{signature.id}")
    done = command("keyring", "rotate")
    assert done.status == 1
    assert done.err == f"The data of signature:{signature.id} cannot be opened: it was sealed with another keyring.\n"
    assert set(keys_of(installation).sealing) == {1, 2}


def test_the_last_version_is_followed_by_none() -> None:
    keys = Keyring.fresh()
    last = Keyring({255: keys.sealing[1]}, keys.lookup, keys.links, keys.sessions)
    with pytest.raises(KeyringError, match="255 versions"):
        last.with_new_key()


def test_a_file_of_a_rotation_that_was_killed_while_writing_does_no_harm(
    make_sqlite_installation: MakeInstallation,
) -> None:
    path = make_sqlite_installation().settings.keyring
    path.with_name("keyring.json.new").write_text(json.dumps("half of a key"))
    keys = Keyring.read(path).with_new_key()
    keys.replace(path)
    assert Keyring.read(path) == keys
    assert not path.with_name("keyring.json.new").exists()
