"""``campaign doctor``: words and an exit status, whatever is broken."""

import re
from pathlib import Path

import dns.resolver
import pytest

from campaign.doctor.check import Check, Colour
from campaign.doctor.examination import examine
from campaign.doctor.names import DnsUnreachable, Names
from campaign.installation.wiring import Installation
from tests.conftest import MakeInstallation
from tests.scenes.commands import Command, Done
from tests.servers.dns import NameServer
from tests.servers.smtp import Mailbox

PUBLIC = "https://petition.example.org"
LINE = re.compile(r"(ok|look|broken) +([^:]+): .+\.|        → .+|\d+ ok, \d+ look, \d+ broken")


def words(done: Done) -> dict[str, str]:
    """What is said of what; every line has its form, and every line that is not ok is followed by its mend."""
    lines = done.out.splitlines()
    assert done.err == ""
    assert "\x1b" not in done.out
    assert [line for line in lines if not (LINE.fullmatch(line) or line.endswith("?"))] == []
    for number, line in enumerate(lines):
        if line.startswith(("look ", "broken ")):
            assert lines[number + 1].startswith("        → ")
    return {line[8:].partition(":")[0]: line.split()[0] for line in lines[:-1] if not line.startswith(" ")}


def test_a_new_installation_on_one_machine_is_not_broken(command: Command, installed: Installation) -> None:
    installed.settings.data_dir.chmod(0o700)
    done = command("doctor")
    found = words(done)
    assert done.status == 0
    assert {
        name: found[name] for name in ("Keyring", "Data directory", "Database", "Migrations", "Mail")
    } == dict.fromkeys(("Keyring", "Data directory", "Database", "Migrations", "Mail"), "ok")
    assert "mail server and DNS are not checked" in done.out


def test_where_nothing_is_there_everything_is_told_and_nothing_is_made(command: Command, tmp_path: Path) -> None:
    done = command("doctor")
    found = words(done)
    assert done.status == 1
    assert (found["Keyring"], found["Data directory"], found["Database"]) == ("broken", "broken", "broken")
    assert not (tmp_path / "var").exists()


def test_a_broken_keyring_does_not_hide_the_rest(command: Command, installed: Installation) -> None:
    installed.settings.keyring.write_text("no keys")
    done = command("doctor")
    found = words(done)
    assert done.status == 1
    assert (found["Keyring"], found["Database"], found["Mail"]) == ("broken", "ok", "ok")


def test_a_mail_server_out_of_reach_is_told_unless_the_network_is_left_out(
    command: Command, installed: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMPAIGN_SMTP_URL", "smtp://us:secret@127.0.0.1:9")
    done = command("doctor")
    assert (done.status, words(done)["Mail server"]) == (1, "broken")
    assert "secret" not in done.out
    done = command("doctor", "--no-network")
    assert (done.status, "--no-network" in done.out) == (0, True)
    assert "Mail server" not in words(done)


def test_a_public_server_whose_mails_become_files_is_to_be_looked_at(
    command: Command, installed: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMPAIGN_BASE_URL", PUBLIC)
    done = command("doctor")
    assert (done.status, words(done)["Mail"]) == (0, "look")


def examined(installation: Installation, names: Names | None) -> dict[str, Check]:
    def open_names() -> Names:
        if names is None:
            raise DnsUnreachable("NoResolverConfiguration")
        return names

    checks = examine(
        installation.settings, installation.database, now=installation.now(), network=True, open_names=open_names
    )
    return {check.name: check for check in checks}


def test_the_whole_examination_asks_the_mail_server_and_the_dns(make_sqlite_installation: MakeInstallation) -> None:
    table = {
        "example.org": {"TXT": ['"v=spf1 mx -all"'], "MX": ["10 mx.example.org."]},
        "mx.example.org": {"A": ["203.0.113.7"]},
        "_dmarc.example.org": {"TXT": ['"v=DMARC1; p=none"']},
    }
    with Mailbox() as mailbox, NameServer(table) as server:
        installation = make_sqlite_installation(smtp_url=mailbox.url, base_url=PUBLIC)
        found = examined(installation, Names(server.resolver))
    assert [name for name in found if found[name].colour is Colour.GREEN][-2:] == [
        "DMARC of example.org",
        "MX of example.org",
    ]
    assert list(found)[-10:] == [
        "Mail server",
        "Encryption",
        "Signing in",
        "What the server can do",
        "Sender",
        "SPF of example.org",
        "DKIM",
        "DMARC of example.org",
        "Name of the sending machine",
        "MX of example.org",
    ]
    assert mailbox.messages == []


def test_bounces_to_another_domain_are_looked_at_there(make_sqlite_installation: MakeInstallation) -> None:
    with Mailbox() as mailbox, NameServer({}) as server:
        installation = make_sqlite_installation(smtp_url=mailbox.url, base_url=PUBLIC, bounces_to="us@bounces.example")
        found = examined(installation, Names(server.resolver))
    assert {"SPF of bounces.example", "MX of example.org", "MX of bounces.example"} <= set(found)
    assert "SPF of example.org" not in found


@pytest.mark.parametrize("configured", [True, False])
def test_a_dns_that_does_not_answer_is_told_once(
    make_sqlite_installation: MakeInstallation, *, configured: bool
) -> None:
    resolver = dns.resolver.Resolver(configure=False)  # it has no server to ask
    with Mailbox() as mailbox:
        installation = make_sqlite_installation(smtp_url=mailbox.url, base_url=PUBLIC)
        found = examined(installation, Names(resolver) if configured else None)
    last = list(found.values())[-1]
    assert (last.name, last.colour) == ("DNS", Colour.RED)
    assert "SPF of example.org" not in found


def test_a_server_that_only_this_machine_knows_needs_no_dns(make_sqlite_installation: MakeInstallation) -> None:
    with Mailbox() as mailbox:
        found = examined(make_sqlite_installation(smtp_url=mailbox.url), None)
    assert found["DNS"].colour is Colour.GREEN
    assert found["Sender"].colour is Colour.GREEN
