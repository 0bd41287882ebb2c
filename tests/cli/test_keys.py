"""`campaign key` and `campaign open` on an organizer's own machine: no server, no settings, no keyring, no database."""

import csv
import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from campaign.crypto.organizer_keys import OrganizerKey
from campaign.installation.wiring import Installation
from campaign.models import Petition
from campaign.services.petitions.store import get_petition
from tests.conftest import SLUG
from tests.scenes.commands import Command, Done, refused
from tests.scenes.organizer_keys import seal_petition
from tests.scenes.organizing import list_audit
from tests.scenes.people import add_readers, confirm_all, find_petition, sign

ROOT = Path(__file__).parents[2]
NAMES = ["=Айгерім", "Zhanargul", "李"]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """An organizer's machine: a folder in which there is nothing."""
    (tmp_path / "machine").mkdir()
    return tmp_path / "machine"


def alone(machine: Path, *words: str) -> Done:
    """The command in a process of its own, which knows of no installation."""
    done = subprocess.run(
        ["env", "-i", f"PYTHONPATH={ROOT}", sys.executable, "-m", "campaign", *words],
        cwd=machine,
        capture_output=True,
        check=False,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def make_key(folder: Path, name: str) -> OrganizerKey:
    key = OrganizerKey.fresh()
    key.write(folder / name)
    return key


def sign_all(installation: Installation) -> None:
    for number, name in enumerate(NAMES):
        sign(installation, f"person{number}@example.org", name=name, comment="Qx\nQy")
    confirm_all(installation)


def test_from_the_key_to_the_list_on_an_organizers_machine(
    command: Command, installed: Installation, machine: Path, tmp_path: Path
) -> None:
    made = alone(machine, "key", "new", "mine.key")
    assert made.status == 0
    assert stat.S_IMODE((machine / "mine.key").stat().st_mode) == 0o600
    refused(command("key", "new", str(machine / "mine.key")), "never overwritten")
    with installed.database.sessions.begin() as session:
        get_petition(session, SLUG).sealed_to = [made.out.strip()]
    sign_all(installed)
    list_file = machine / "list.age"
    done = command("export", SLUG, "--reason", "To hand it over", "--output", str(list_file))
    assert (done.status, done.out) == (0, "")
    content = list_file.read_bytes()
    assert not [part for part in (*NAMES, SLUG) if part.encode() in content]
    assert list_audit(installed)[-1][2] == {
        "list": "signatures", "format": "age", "state": "confirmed", "reason": "To hand it over"
    }  # fmt: skip

    opened = alone(machine, "open", "list.age", "--key", "mine.key", "--output", "list.csv")
    assert (opened.status, opened.out) == (0, "")
    assert "3 rows were written into list.csv" in opened.err
    assert stat.S_IMODE((machine / "list.csv").stat().st_mode) == 0o600
    with (machine / "list.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["name"], row["comment"]) for row in rows] == [(name, "Qx\nQy") for name in ["'=Айгерім", *NAMES[1:]]]
    key = str(machine / "mine.key")
    lines = command("open", str(list_file), "--key", key, "--format", "jsonl").out.splitlines()
    assert [json.loads(line)["name"] for line in lines] == NAMES
    assert {path.name for path in machine.iterdir()} == {"mine.key", "list.age", "list.csv"}


def test_a_file_that_cannot_be_opened_leaves_no_list(
    command: Command, installed: Installation, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(machine)
    key = make_key(machine, "mine.key")
    make_key(machine, "other.key")
    seal_petition(installed, key)
    sign_all(installed)
    monkeypatch.setenv("CAMPAIGN_DATA_DIR", str(installed.settings.data_dir))
    assert command("export", SLUG, "--output", "list.age").status == 0
    content = Path("list.age").read_bytes()
    Path("short.age").write_bytes(content[:-20])
    Path("damaged.age").write_bytes(content[:-20] + bytes([content[-20] ^ 1]) + content[-19:])
    Path("empty.age").touch()
    (machine / "folder").mkdir()
    before = set(machine.iterdir())
    for output in ((), ("--output", "out.csv")):
        for file, key_file, words in (
            ("list.age", "other.key", "not encrypted to this key"),
            ("list.age", "none.key", "There is no key"),
            ("list.age", "list.age", "is not an organizer's key"),
            ("short.age", "mine.key", "damaged, cut short"),
            ("damaged.age", "mine.key", "damaged, cut short"),
            ("empty.age", "mine.key", "damaged, cut short"),
            ("mine.key", "mine.key", "damaged, cut short"),
            ("none.age", "mine.key", "none.age cannot be read: No such file"),
            ("folder", "mine.key", "folder cannot be read: Is a directory"),
        ):
            refused(command("open", file, "--key", key_file, *output), words)
    refused(command("open", "list.age", "--key", "mine.key", "--output", "no/such/list.csv"), "cannot be written")
    assert set(machine.iterdir()) == before
    assert command("open", "list.age", "--key", "other.key", "--key", "mine.key").status == 0
    assert command("open", "list.age").status == 2


def test_a_list_of_a_petition_that_is_not_sealed_is_encrypted_to_whom_it_is_for(
    command: Command, installed: Installation, tmp_path: Path
) -> None:
    add_readers(installed, "a@example.org")
    key = make_key(tmp_path, "mine.key")
    line = command("key", "show", "mine.key").out.strip()
    assert line == key.public.line
    for chosen, expected in (((), "Aigerim Serikova"), (("--subscribers",), "a@example.org")):
        assert command("export", SLUG, *chosen, "--to", line, "--output", "list.age").status == 0
        assert expected.encode() not in Path("list.age").read_bytes()
        assert expected in command("open", "list.age", "--key", "mine.key").out
    assert list_audit(installed)[-1][2] == {"list": "subscribers", "format": "age", "to": line[:24]}
    refused(command("export", SLUG, "--age"), "names no organizers' keys")
    refused(command("export", SLUG, "--to", line[:-1]), "missing or damaged")
    refused(command("export", SLUG, "--reason", "x"), "in a few words")
    assert len(list_audit(installed)) == 2


def test_names_of_keys_that_are_gone_are_exported_to_a_key_that_is_named(
    command: Command, installed: Installation, tmp_path: Path
) -> None:
    old, new = make_key(tmp_path, "old.key"), make_key(tmp_path, "new.key")
    seal_petition(installed, old)
    sign_all(installed)
    seal_petition(installed)
    refused(command("export", SLUG), "sealed to organizers' keys")
    assert command("export", SLUG, "--to", new.public.line, "--output", "list.age").status == 0
    refused(command("open", "list.age", "--key", "new.key"), "3 of 3 names were sealed to other keys")
    partial = command("open", "list.age", "--key", "new.key", "--partial", "--format", "jsonl")
    assert [json.loads(line)["name"] for line in partial.out.splitlines()] == ["", "", ""]
    assert "3 names are empty" in partial.err
    both = command("open", "list.age", "--key", "new.key", "--key", "old.key", "--format", "jsonl")
    assert [json.loads(line)["name"] for line in both.out.splitlines()] == NAMES


def test_a_petition_file_is_loaded_with_the_keys_of_its_organizers(
    command: Command, installed: Installation, tmp_path: Path
) -> None:
    line = command("key", "new", "mine.key").out.strip()
    path = tmp_path / "sealed.toml"
    content = (ROOT / "campaign/campaigns/kazakhstan.toml").read_text(encoding="utf-8")
    path.write_text(f'sealed_to = ["{line}"]\nexport_needs_approval = true\n{content}', encoding="utf-8")
    assert command("petition", "load", str(path)).status == 0
    petition: Petition = find_petition(installed)
    assert (petition.sealed_to, petition.export_needs_approval) == ([line], True)
    assert list_audit(installed)[-1][1:] == ("petition loaded", {"keys": 1})
    path.write_text(f'sealed_to = ["{line[:-3]}"]\n{content}', encoding="utf-8")
    refused(command("petition", "load", str(path)), "sealed.toml: sealed_to cannot be used")
