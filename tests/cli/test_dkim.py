"""`campaign dkim`: a key is made once, and what the DNS must say is printed."""

import stat
from pathlib import Path

import pytest

from campaign.mail.dkim import read_keys
from tests.scenes.commands import Command, refused


@pytest.mark.parametrize(("options", "kind"), [((), "rsa"), (("--type", "ed25519"), "ed25519")])
def test_new_makes_a_key_and_show_repeats_what_to_publish(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], kind: str
) -> None:
    monkeypatch.setenv("CAMPAIGN_MAIL_FROM", "news@petition.example.org")
    monkeypatch.setenv("CAMPAIGN_DKIM_SELECTORS", "older")
    done = command("dkim", "new", "s2026", *options)
    assert (done.status, done.err) == (0, "")
    path = tmp_path / "var" / "dkim" / "s2026.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (key,) = read_keys(path.parent, ["s2026"])
    record = key.record("petition.example.org")
    assert f"k={kind};" in record.value
    printed = done.out.splitlines()
    assert "The key is in var/dkim/s2026.pem. It is never overwritten." in printed
    assert "name   s2026._domainkey.petition.example.org" in printed
    assert f"value  {record.value}" in printed
    assert record.zone_line in printed
    assert "CAMPAIGN_DKIM_SELECTORS=older,s2026" in printed
    shown = command("dkim", "show", "s2026")
    assert (shown.status, shown.out.splitlines()) == (0, printed[1:])
    assert "PRIVATE" not in done.out


def test_new_never_overwrites(command: Command, tmp_path: Path) -> None:
    assert command("dkim", "new", "s2026", "--type", "ed25519").status == 0
    path = tmp_path / "var" / "dkim" / "s2026.pem"
    kept = path.read_bytes()
    refused(command("dkim", "new", "s2026"), "never overwritten")
    assert path.read_bytes() == kept


@pytest.mark.parametrize(
    ("words", "says"), [(("show", "s2026"), "campaign dkim new s2026"), (("new", "../s2026"), "cannot be a selector")]
)
def test_a_refusal_is_one_sentence(command: Command, words: tuple[str, ...], says: str) -> None:
    refused(command("dkim", *words), says)


def test_a_kind_that_no_receiver_knows_is_wrong_usage(command: Command, tmp_path: Path) -> None:
    assert command("dkim", "new", "s2026", "--type", "dsa").status == 2
    assert not (tmp_path / "var").exists()
