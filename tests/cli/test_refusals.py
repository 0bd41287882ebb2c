"""The command line's refusals: one sentence on standard error and status 1; wrong usage is status 2."""

import pytest

from campaign.installation.wiring import Installation
from tests.conftest import SLUG
from tests.scenes.commands import Command, refused
from tests.scenes.people import sign


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("export", "nowhere"), "There is no petition “nowhere”"),
        (("petition", "open", "nowhere"), "nowhere"),
        (("digest", "send", "nowhere"), "nowhere"),
        (("digest", "audit", "nowhere"), "nowhere"),
        (("digest", "pause", "nowhere"), "nowhere"),
        (("petition", "load", "missing.toml"), "missing.toml"),
        (("update", "add", SLUG, "missing.toml"), "missing.toml"),
        (("organizer", "add", "nobody", "--petition", SLUG, "--role", "owner"), "e-mail address"),
        (("export", SLUG, "--output", "no/such/folder/list.csv"), "cannot be written"),
        (("digest", "preview", SLUG, "--language", "de"), "de"),
        (("petition", "load", "var"), "var is a folder"),
        (("update", "add", SLUG, "var"), "var is a folder"),
        (("key", "show", "var"), "var is a folder"),
        (("open", "list", "--key", "var"), "var is a folder"),
        (("backup", "var"), "var is a folder"),
        (("restore", "var"), "There is no file var"),
        (("restore", "var/keyring.json", "--tombstones", "none"), "There is no file none"),
        (("freeze", "var/keyring.json"), "var/keyring.json is a file"),
    ],
)
def test_a_refusal_is_one_sentence_and_status_1(
    command: Command, installed: Installation, words: tuple[str, ...], says: str
) -> None:
    refused(command(*words), says)


@pytest.mark.parametrize(
    "words",
    [
        ("fly",),
        ("sign", SLUG),
        ("export",),
        ("export", SLUG, "--format", "exe"),
        ("export", SLUG, "--state", "gone"),
        ("organizer", "add", "a@example.org", "--petition", SLUG, "--role", "king"),
        ("digest", "preview", SLUG, "--frequency", "hourly"),
        ("worker", "--twice"),
    ],
)
def test_wrong_usage_is_status_2(command: Command, words: tuple[str, ...]) -> None:
    done = command(*words)
    assert (done.status, done.out) == (2, "")
    assert "Usage: " in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        (("PORT", "0"), "CAMPAIGN_PORT"),
        (("DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:9/none"), "CAMPAIGN_DATABASE_URL"),
        (("DATABASE_URL", "sqlite:////no/such/folder/x.sqlite"), "CAMPAIGN_DATABASE_URL"),
        (("KEYRING", "/dev/null"), "keyring"),
    ],
)
def test_an_installation_that_cannot_be_used_is_one_sentence(
    command: Command, installed: Installation, monkeypatch: pytest.MonkeyPatch, setting: tuple[str, str], says: str
) -> None:
    monkeypatch.setenv(f"CAMPAIGN_{setting[0]}", setting[1])
    refused(command("petition", "list"), says)


def test_the_worker_says_that_mails_wait_for_a_server(
    command: Command, installed: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign(installed, "a@example.org")
    monkeypatch.setenv("CAMPAIGN_SMTP_URL", "smtp://127.0.0.1:9")
    refused(command("worker", "--once"), "the mails wait")
