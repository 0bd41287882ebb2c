"""The command line: what each command says and keeps, one sentence for a refusal, and the exit status."""

import csv
import io
import json
import pkgutil
import stat
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import click
import pytest
from sqlalchemy import delete, select

import campaign.cli
from campaign.cli import cli
from campaign.clock import now
from campaign.installation.wiring import Installation
from campaign.models import AuditEntry, Delivery, DeliveryKind, Schedule
from campaign.services.organizers.members import get_welcomed
from tests.conftest import SLUG, Clock
from tests.crash.workers import run
from tests.scenes.campaign_files import SMALL, UPDATE
from tests.scenes.commands import Command, refused
from tests.scenes.people import add_readers, confirm, confirm_all, find_petition, list_deliveries, sign


def actions(installation: Installation) -> list[tuple[str, Mapping[str, object]]]:
    with installation.database.snapshots() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert {entry.actor for entry in entries} <= {"command line"}
    return [(entry.action, entry.details) for entry in entries]


def test_every_command_is_at_its_place(command: Command) -> None:
    listed = command("--help").out
    places = {"campaign.run.commands", "campaign.run.freeze"}
    for found in pkgutil.iter_modules(campaign.cli.__path__, "campaign.cli."):
        if hasattr(import_module(found.name), "add_to"):
            places.add(found.name)
    for place in places:
        here = click.Group()
        import_module(place).add_to(here)
        assert {cli.modules[name] for name in here.commands} == {place}
        for name in here.commands:
            assert f"\n  {name} " in listed
    refused_name = command("nonsense")
    assert (refused_name.status, "No such command" in refused_name.err) == (2, True)


def test_init_makes_an_installation_once_and_a_petition_lives_in_it(command: Command, tmp_path: Path) -> None:
    refused(command("petition", "list"), "campaign init")
    done = command("init")
    assert (done.status, done.err) == (0, "")
    keyring = tmp_path / "var" / "keyring.json"
    assert stat.S_IMODE(keyring.stat().st_mode) == 0o600
    keys = keyring.read_bytes()
    assert "stay as they are" in command("init").out
    assert command("migrate").status == 0
    assert keyring.read_bytes() == keys
    done = command("petition", "list")
    assert (done.status, done.out) == (0, "")
    (tmp_path / "small.toml").write_text(SMALL)
    assert "its state: draft" in command("petition", "load", "small.toml").out
    assert command("petition", "list").out == "small\tdraft\t0 of 100\n"
    assert "http://127.0.0.1:8000/en/p/small" in command("petition", "open", "small").out
    assert command("petition", "list").out == "small\topen\t0 of 100\n"
    assert command("petition", "close", "small").status == 0
    assert command("petition", "list").out == "small\tclosed\t0 of 100\n"
    refused(command("sign", "small", "--name", "A", "--email", "a@example.org"), "does not take signatures")


def test_organizer_add_prints_a_link_that_welcomes_them(command: Command, installed: Installation) -> None:
    done = command("organizer", "add", "Dana@example.org", "--petition", SLUG, "--role", "exporter")
    assert done.status == 0
    (link,) = done.out.splitlines()
    organizer_id, token = link.removeprefix("http://127.0.0.1:8000/organize/welcome/").split("/")
    with installed.database.snapshots() as session:
        organizer = get_welcomed(session, installed.vault, int(organizer_id), token, now=now())
        assert organizer.email == "dana@example.org"
    assert actions(installed) == [("organizer added", {"role": "exporter"})]


def test_sign_queues_a_mail_and_worker_once_sends_it(command: Command, installed: Installation) -> None:
    words = ("sign", SLUG, "--name", "Aigul", "--email", "a@example.org", "--country", "Germany", "--updates")
    first, second = command(*words), command(*words)
    assert first == second
    assert first.status == 0
    done = command("worker", "--once")
    assert (done.status, done.out, done.err) == (0, "", "")
    assert len(list(installed.settings.outbox.glob("*.eml"))) == 1
    confirm(installed, "a@example.org")
    row = json.loads(command("export", SLUG, "--format", "jsonl").out)
    assert (row["name"], row["country"]) == ("Aigul", "DE")
    assert "a@example.org" in command("export", SLUG, "--subscribers").out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("--email", "nobody"), "does not look like"),
        (("--country", "Atlantis"), "not a country"),
        (("--language", "de"), "not in “de”"),
        (("--name", "see spam.com"), "web address"),
        (("--comment", "x" * 1001), "too long"),
    ],
)
def test_sign_refuses_what_the_form_refuses(
    command: Command, installed: Installation, change: tuple[str, str], words: str
) -> None:
    refused(command("sign", SLUG, "--name", "A", "--email", "a@example.org", *change), words)
    assert list_deliveries(installed) == []


def test_export_goes_to_standard_output_or_a_file_of_ones_own_and_is_recorded(
    command: Command, installed: Installation, tmp_path: Path
) -> None:
    for name in ("=one", "two"):
        sign(installed, f"{name[-3:]}@example.org", name=name)
    confirm_all(installed)
    sign(installed, "three@example.org", name="three")
    done = command("export", SLUG)
    assert done.err == ""
    assert [row["name"] for row in csv.DictReader(io.StringIO(done.out, newline=""))] == ["'=one", "two"]
    output = tmp_path / "list.jsonl"
    output.write_text("an older and longer list")
    done = command("export", SLUG, "--format", "jsonl", "--state", "pending", "--output", str(output))
    assert (done.status, done.out) == (0, "")
    assert [json.loads(line)["name"] for line in output.read_text().splitlines()] == ["three"]
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.glob("list*")) == ["list.jsonl"]
    assert command("export", SLUG, "--subscribers").status == 0
    assert actions(installed) == [
        ("export", {"list": "signatures", "format": "csv", "state": "confirmed"}),
        ("export", {"list": "signatures", "format": "jsonl", "state": "pending"}),
        ("export", {"list": "subscribers", "format": "csv"}),
    ]


def test_a_digest_is_previewed_made_and_audited(command: Command, installed: Installation, tmp_path: Path) -> None:
    add_readers(installed, "a@example.org", "b@example.org")
    (tmp_path / "later.toml").write_text(UPDATE + "[title.x]\n", encoding="utf-8")
    refused(command("update", "add", SLUG, "later.toml"), "later.toml")
    whole = UPDATE.replace('ru = "Позже"', 'ru = "Позже"\nkk = "Кейін"')
    (tmp_path / "later.toml").write_text(whole + 'kk = "{cuont}"\n', encoding="utf-8")
    refused(command("update", "add", SLUG, "later.toml"), "“later”: body in “kk” has the unknown placeholder “{cuont}”")
    (tmp_path / "later.toml").write_text(whole + 'kk = "Тағы да."\n', encoding="utf-8")
    assert "Published “later”" in command("update", "add", SLUG, "later.toml").out
    preview = command("digest", "preview", SLUG).out
    assert [word in preview for word in ("Later", "Позже", "Кейін")] == [True] * 3
    only = command("digest", "preview", SLUG, "--language", "kk").out
    assert [word in only for word in ("Later", "Позже", "Кейін")] == [False, False, True]
    assert "@@" not in preview
    assert "/unsubscribe/…" in only
    monthly = command("digest", "preview", SLUG, "--language", "kk", "--frequency", "monthly")
    assert (monthly.status, monthly.err, "=== kk · html ===" in monthly.out) == (0, "", True)
    milestones = command("digest", "preview", SLUG, "--frequency", "milestones")
    assert (milestones.status, "do not get this edition" in milestones.err) == (0, True)
    assert "Edition 1 is made. Readers: 2." in command("digest", "send", SLUG).out
    assert "Skipped: nothing new" in command("digest", "send", SLUG).out
    assert command("worker", "--once").status == 0
    done = command("digest", "audit", SLUG)
    assert done.status == 0
    assert "Edition 1: expected 2 = 2 (accepted 2): balances" in done.out
    with installed.database.sessions.begin() as session:
        session.execute(delete(Delivery).where(Delivery.id == list_deliveries(installed)[-1].id))
    done = command("digest", "audit", SLUG)
    assert (done.status, done.err) == (1, "")
    assert "Edition 1: expected 2 = 1 (accepted 1): DOES NOT BALANCE" in done.out


def test_pause_and_resume_turn_the_schedule_off_and_on(command: Command, installed: Installation) -> None:
    def paused() -> bool:
        with installed.database.snapshots() as session:
            return session.get_one(Schedule, find_petition(installed).id).paused

    assert command("digest", "pause", SLUG).status == 0
    assert paused()
    assert command("digest", "resume", SLUG).status == 0
    assert not paused()
    assert [action for action, _ in actions(installed)] == ["digest paused", "digest resumed"]


def test_as_a_process_on_both_databases(installation: Installation, clock: Clock) -> None:
    clock.moment = now()
    signed = run(installation, "sign", SLUG, "--name", "Айгүл", "--email", "a@example.org")
    assert (signed.returncode, signed.stderr) == (0, "")
    confirm(installation, "a@example.org")
    exported = run(installation, "export", SLUG)
    assert exported.returncode == 0
    assert [row["name"] for row in csv.DictReader(io.StringIO(exported.stdout, newline=""))] == ["Айгүл"]
    failed = run(installation, "export", "nowhere")
    assert (failed.returncode, failed.stdout, failed.stderr) == (1, "", "There is no petition “nowhere” here.\n")
    assert run(installation, "export").returncode == 2
    assert [item.kind for item in list_deliveries(installation)] == [DeliveryKind.CONFIRMATION]
