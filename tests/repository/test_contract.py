"""The interface contract (addresses and commands that acceptance checks use): all of it that exists answers."""

from datetime import datetime
from pathlib import Path
from shutil import copytree

import pytest
from flask import Flask

from campaign.installation.wiring import Installation
from campaign.run.supervisor import BUILT_IN
from tests.conftest import SLUG
from tests.scenes.campaign_files import UPDATE
from tests.scenes.commands import Command
from tests.scenes.people import add_readers, sign
from tests.scenes.serving import free_port, serving
from tests.scenes.visiting import confirm_path, unsubscribe_path

# In this order on one new installation: the words, the exit status, a part of what is printed.
COMMANDS = [
    (["petition", "list"], 1, "campaign init"),
    (["init"], 0, "database is ready"),
    (["init"], 0, "stay as they are"),
    (["migrate"], 0, "up to date"),
    (["petition", "list"], 0, "no petition yet"),
    (["petition", "load", str(BUILT_IN)], 0, SLUG),
    (["sign", SLUG, "--name", "Aigerim", "--email", "a@example.org"], 1, "does not take signatures"),
    (["petition", "open", SLUG], 0, f"/en/p/{SLUG}"),
    (["petition", "list"], 0, f"{SLUG}\topen\t0 of 10000"),
    (["organizer", "add", "o@example.org", "--petition", SLUG, "--role", "owner"], 0, "/organize/welcome/"),
    (["sign", SLUG, "--name", "Aigerim", "--email", "a@example.org", "--country", "KZ", "--updates"], 0, "mail"),
    (["sign", SLUG, "--name", "Aigerim", "--email", "nonsense"], 1, "e-mail address"),
    (["worker", "--once"], 0, ""),
    (["export", SLUG, "--format", "csv"], 0, "number,name,country"),
    (["export", SLUG, "--format", "jsonl", "--state", "pending"], 0, '"name": "Aigerim"'),
    (["export", SLUG, "--subscribers", "--output", "readers.csv"], 0, "readers.csv"),
    (["update", "add", SLUG, "update.toml"], 0, "later"),
    (["digest", "preview", SLUG], 0, "=== kk · subject ==="),
    (["digest", "pause", SLUG], 0, SLUG),
    (["digest", "resume", SLUG], 0, SLUG),
    (["digest", "send", SLUG], 0, "Skipped: nobody is subscribed"),
    (["digest", "audit", SLUG], 0, "balances"),
    (["keyring", "rotate"], 0, "sealed anew with key 2"),
    (["backup", "copy.campaign"], 0, "copy.campaign"),
    (["restore", "--yes", "copy.campaign"], 0, "The database is as it was"),
    (["petition", "close", SLUG], 0, "closed"),
    (["sign", SLUG, "--name", "Aigerim", "--email", "b@example.org"], 1, "does not take signatures"),
    (["unknown"], 2, "unknown"),
]


def test_every_command_does_its_work_on_a_new_installation(command: Command, tmp_path: Path) -> None:
    """Exit status 0, 1 with one sentence on stderr, or 2 for wrong usage; never a traceback."""
    update = UPDATE
    for section, title in (("[title]", "Кейін"), ("[body]", "Тағы.")):
        update = update.replace(section, f'{section}\nkk = "{title}"')
    (tmp_path / "update.toml").write_text(update, encoding="utf-8")
    for words, status, told in COMMANDS:
        done = command(*words)
        assert (words, done.status, done.err) == (words, status, done.err)
        assert told in done.out + done.err, words
        assert "Traceback" not in done.err, words
        if status == 1:
            assert not done.out, words
            assert done.err.count("\n") == 1, words


def test_serve_answers_and_ends_well_when_told_to(tmp_path: Path, sqlite_template: Path) -> None:
    copytree(sqlite_template, tmp_path / "var")
    with serving(["-m", "campaign", "serve"], tmp_path, free_port()) as printed:
        assert printed.read_text(encoding="utf-8") == ""


@pytest.mark.parametrize(
    ("address", "mimetype"),
    [
        ("/", "text/html"),
        *((f"/{lang}/p/{SLUG}", "text/html") for lang in ("en", "ru", "kk")),
        *((f"/{lang}/p/{SLUG}/updates", "text/html") for lang in ("en", "ru", "kk")),
        *((f"/{lang}/p/{SLUG}/feed.xml", "application/atom+xml") for lang in ("en", "ru", "kk")),
        (f"/p/{SLUG}/count.json", "application/json"),
        ("/healthz", "application/json"),
    ],
)
def test_an_address_of_the_contract_answers(app: Flask, address: str, mimetype: str) -> None:
    answer = app.test_client().get(address)
    assert (answer.status_code, answer.mimetype) == (200, mimetype)


def test_the_links_of_mails_answer(app: Flask, installation: Installation) -> None:
    add_readers(installation, "reader@example.org")
    sign(installation, "signer@example.org")
    for path in (
        confirm_path(installation, "signer@example.org"),
        unsubscribe_path(installation, "reader@example.org"),
    ):
        assert app.test_client().get(path).status_code == 200


def test_organizers_have_a_page_behind_a_sign_in(app: Flask) -> None:
    answer = app.test_client().get("/organize/")
    assert answer.status_code in (302, 303)
    assert app.test_client().get("/organize/", follow_redirects=True).status_code == 200


def test_the_count_has_exactly_three_values(app: Flask, installation: Installation) -> None:
    add_readers(installation, "a@example.org", "b@example.org")
    sign(installation, "pending@example.org")
    told = app.test_client().get(f"/p/{SLUG}/count.json").get_json()
    assert sorted(told) == ["as_of", "confirmed", "goal"]
    assert (told["confirmed"], told["goal"]) == (2, 10_000)
    assert datetime.fromisoformat(told["as_of"]) == installation.now()


def test_the_form_has_the_fields_of_the_contract(app: Flask) -> None:
    html = app.test_client().get(f"/en/p/{SLUG}").get_data(as_text=True)
    for name in ("name", "email", "country", "comment", "display", "updates", "consent"):
        assert f'name="{name}"' in html
