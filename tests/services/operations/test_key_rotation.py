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
from campaign.installation.wiring import Campaign, wire
from campaign.models import LinkRequest, Organizer, Signature
from campaign.services.operations.key_rotation import SEALED, count_sealed
from campaign.text.email_address import parse_email_address
from tests.conftest import MakeCampaign, close_campaign
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


def fill(campaign: Campaign) -> None:
    """Something in every sealed column."""
    add_readers(campaign, *(f"reader{number}@example.org" for number in range(5)))
    for number in range(5):
        sign(campaign, f"pending{number}@example.org", comment="From the mine.")
    fingerprint = campaign.vault.fingerprint(parse_email_address("lost@example.org"))
    petition = find_petition(campaign)
    with campaign.database.sessions.begin() as session:
        session.add(
            LinkRequest(
                petition_id=petition.id,
                fingerprint=fingerprint,
                sealed_address=campaign.vault.seal(b"lost@example.org", row=f"link:{petition.id}:{fingerprint.hex()}"),
                language="en",
                asked_at=campaign.now(),
            )
        )
        organizer = Organizer(email="o@example.org", session_key="s")
        session.add(organizer)
        session.flush()
        organizer.sealed_totp = campaign.vault.seal(b"secret", row=f"organizer:{organizer.id}")


def open_all(campaign: Campaign, vault: Vault) -> Opened:
    """Every sealed value, by column and row."""
    opened = {}
    with campaign.database.snapshots() as session:
        for sealed in SEALED:
            key = list(sealed.table.primary_key.columns)
            for *row, value in session.execute(select(*key, sealed.column).where(sealed.column.is_not(None))):
                name = sealed.row_name(*row)
                opened[f"{sealed.column}", name] = vault.open(value, row=name)
    return opened


def versions(campaign: Campaign) -> set[int]:
    with campaign.database.snapshots() as session:
        return set(count_sealed(session))


def keys_of(campaign: Campaign) -> Keyring:
    return Keyring.read(campaign.settings.keyring)


@pytest.fixture
def apart(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The command finds the campaign's installation as another process does, with keys and connections of its own."""
    made: list[Campaign] = []

    def wired() -> Campaign:
        made.append(wire(campaign.settings, now=campaign.now))
        return made[-1]

    monkeypatch.setattr(keyring_command, "wired", wired)
    yield
    for each in made:
        close_campaign(each)


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
    campaign: Campaign, rotate: Callable[..., str]
) -> None:
    fill(campaign)
    old = keys_of(campaign)
    before = open_all(campaign, Vault(old))
    assert {column for column, _ in before} == {str(sealed.column) for sealed in SEALED}
    said = rotate()
    assert f"{len(before)} values were sealed anew with key 2." in said
    new = keys_of(campaign)
    assert set(new.sealing) == versions(campaign) == {2}
    assert (new.lookup, new.links, new.sessions) == (old.lookup, old.links, old.sessions)
    assert campaign.settings.keyring.stat().st_mode & 0o777 == 0o600
    assert open_all(campaign, Vault(new)) == before
    # What runs has the old keys in memory, and takes the new ones up by itself.
    assert open_all(campaign, campaign.vault) == before
    with pytest.raises(KeyringError):
        open_all(campaign, Vault(old))
    sign(campaign, "later@example.org")
    assert versions(campaign) == {2}


def test_what_runs_seals_with_the_new_key_from_the_moment_it_is_there(
    make_sqlite_campaign: MakeCampaign,
) -> None:
    campaign = make_sqlite_campaign()
    vault = campaign.vault
    assert vault.seal(b"x", row="r")[0] == 1
    keys = keys_of(campaign).with_new_key()
    keys.replace(campaign.settings.keyring)
    assert vault.seal(b"x", row="r")[0] == 2
    keys.with_new_key().replace(campaign.settings.keyring)
    assert vault.open(Vault(keys_of(campaign)).seal(b"x", row="r"), row="r") == b"x"


def test_a_keyring_that_is_gone_or_anothers_changes_nothing_for_what_runs(make_sqlite_campaign: MakeCampaign) -> None:
    campaign = make_sqlite_campaign()
    vault, path = campaign.vault, campaign.settings.keyring
    path.unlink()
    assert vault.seal(b"x", row="r")[0] == 1
    Keyring.fresh().with_new_key().write(path)
    assert vault.open(vault.seal(b"x", row="r"), row="r") == b"x"
    assert vault.seal(b"x", row="r")[0] == 1
    path.write_text("{}")
    assert vault.open(vault.seal(b"x", row="r"), row="r") == b"x"


def test_the_old_key_is_kept_where_that_is_asked_for_and_dropped_the_next_time(
    campaign: Campaign, rotate: Callable[..., str]
) -> None:
    sign(campaign, "a@example.org")
    assert "still in the keyring" in rotate("--keep-old")
    assert set(keys_of(campaign).sealing) == {1, 2}
    assert versions(campaign) == {2}
    said = rotate()
    assert "Key 2 is in the keyring already; the rotation goes on with it." in said
    assert "To make another new key, run the command again" in said
    assert set(keys_of(campaign).sealing) == {2}
    rotate()
    assert set(keys_of(campaign).sealing) == versions(campaign) == {3}


@pytest.mark.machine
@pytest.mark.parametrize("make_campaign", ["sqlite"], indirect=True)
def test_killed_anywhere_and_run_again_it_goes_on_and_loses_nothing(
    campaign: Campaign, rotate: Callable[..., str], tmp_path: Path
) -> None:
    fill(campaign)
    before = open_all(campaign, campaign.vault)
    for point in ("after the new key came", "in a batch", "before the old key goes"):
        words = [sys.executable, "-c", DYING, "keyring", "rotate", point]
        died = subprocess.run(
            words, cwd=tmp_path, env=environment(campaign), capture_output=True, check=False, timeout=60
        )
        assert died.returncode == -signal.SIGKILL, died.stderr
        assert set(keys_of(campaign).sealing) == {1, 2}
        assert versions(campaign) == ({1, 2} if point == "in a batch" else {1} if "new key" in point else {2})
        assert open_all(campaign, campaign.vault) == before
    rotate()
    assert set(keys_of(campaign).sealing) == versions(campaign) == {2}
    assert open_all(campaign, Vault(keys_of(campaign))) == before


# On SQLite there is one writer at a time, and the rotation's first batch waits for it.
@pytest.mark.parametrize("make_campaign", ["postgresql"], indirect=True)
def test_the_old_key_stays_while_a_transaction_is_open_that_may_have_used_it(
    campaign: Campaign, rotate: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring_command, "_WAIT_FOR_OTHERS", 0.0)
    sign(campaign, "a@example.org")
    with campaign.database.sessions.begin() as session:
        signature = session.scalars(select(Signature)).one()
        session.expunge(signature)
        sealed = campaign.vault.seal(b"{}", row=f"signature:{signature.id}")
        said = rotate()
        assert "may still use it" in said
        session.get_one(Signature, signature.id).sealed_person = sealed
    assert versions(campaign) == {1, 2}
    rotate()
    assert versions(campaign) == set(keys_of(campaign).sealing) == {2}
    assert b"{}" in open_all(campaign, Vault(keys_of(campaign))).values()


def test_a_row_that_no_key_opens_stops_the_rotation_and_keeps_every_key(
    command: Command, campaign: Campaign, apart: None
) -> None:
    sign(campaign, "a@example.org")
    with campaign.database.sessions.begin() as session:
        signature = session.scalars(select(Signature)).one()
        signature.sealed_person = Vault(Keyring.fresh()).seal(b"{}", row=f"signature:{signature.id}")
    done = command("keyring", "rotate")
    assert done.status == 1
    assert done.err == f"The data of signature:{signature.id} cannot be opened: it was sealed with another keyring.\n"
    assert set(keys_of(campaign).sealing) == {1, 2}


def test_the_last_version_is_followed_by_none() -> None:
    keys = Keyring.fresh()
    last = Keyring({255: keys.sealing[1]}, keys.lookup, keys.links, keys.sessions)
    with pytest.raises(KeyringError, match="255 versions"):
        last.with_new_key()


def test_a_file_of_a_rotation_that_was_killed_while_writing_does_no_harm(make_sqlite_campaign: MakeCampaign) -> None:
    path = make_sqlite_campaign().settings.keyring
    path.with_name("keyring.json.new").write_text(json.dumps("half of a key"))
    keys = Keyring.read(path).with_new_key()
    keys.replace(path)
    assert Keyring.read(path) == keys
    assert not path.with_name("keyring.json.new").exists()
