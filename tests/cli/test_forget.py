"""`campaign forget` and `campaign receipt`: all under an address goes, and the receipt can be checked."""

import re

import pytest
from sqlalchemy import func, select

from campaign.installation.wiring import Installation
from campaign.models import ConfirmationAllowance, LinkRequest, SignatureState, SubscriptionState, Tombstone
from campaign.run.supervisor import BUILT_IN
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.petitions.file_reader import read_petition_file
from campaign.services.petitions.store import load_petition
from campaign.services.signatures.link_requests import request_link
from campaign.text.email_address import parse_email_address
from tests.conftest import SLUG
from tests.scenes.commands import Command, refused
from tests.scenes.organizing import list_all_audit
from tests.scenes.people import (
    add_readers,
    count,
    disown,
    find_petition,
    get_signature,
    get_signature_by_id,
    get_subscription,
    list_personal,
    sign,
)
from tests.scenes.readers import SECOND, add_second_petition, follow
from tests.scenes.spellings import KEPT, NO_ADDRESSES, SPELLINGS
from tests.scenes.visiting import dump

PERSON, OTHER = "person@example.org", "other@example.org"


def ask_link(installation: Installation, email: str) -> None:
    with installation.database.sessions.begin() as session:
        request_link(
            session,
            installation.vault,
            find_petition(installation).id,
            parse_email_address(email),
            "en",
            now=installation.now(),
        )


def test_it_erases_a_person_under_every_petition_and_nobody_else(command: Command, installed: Installation) -> None:
    add_second_petition(installed, installed.settings.data_dir)
    follow(installed, PERSON, SLUG, SECOND)
    add_readers(installed, OTHER)
    ask_link(installed, PERSON)
    rows = [get_signature(installed, PERSON, slug).id for slug in (SLUG, SECOND)]
    done = command("forget", PERSON)
    assert (done.status, done.err) == (0, "")
    assert [line for line in done.out.splitlines() if line.startswith("Petition")] == [
        f"Petition “{slug}”: erased: the signature and the updates." for slug in (SLUG, SECOND)
    ]
    assert "The request for the link to the person's own page: erased" in done.out
    assert PERSON not in done.out
    for row in rows:
        kept = get_signature_by_id(installed, row)
        assert (kept.state, list_personal(kept)) == (SignatureState.WITHDRAWN, [None] * 5)
    assert count(installed) == 1
    assert get_subscription(installed, OTHER).state is SubscriptionState.ACTIVE
    with installed.database.snapshots() as session:
        assert session.scalars(select(func.count()).select_from(Tombstone)).one() == 4
        assert session.scalars(select(func.count()).select_from(LinkRequest)).one() == 0
    assert list_all_audit(installed) == [("command line", "person forgotten", {})] * 2
    again = command("forget", PERSON)
    assert again.status == 0
    assert again.out.startswith("Nothing is known about this address.")


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_a_signer_is_found_with_a_domain_in_its_own_script(
    command: Command, installed: Installation, spelled: str
) -> None:
    add_readers(installed, KEPT)
    assert "signature: confirmed" in command("history", spelled).out
    assert f"Petition “{SLUG}”: erased: the signature and the updates." in command("forget", spelled).out
    assert count(installed) == 0


def test_text_that_is_no_address_is_refused_and_erases_nobody(command: Command, installed: Installation) -> None:
    add_readers(installed, KEPT)
    for typed in NO_ADDRESSES:
        if "\0" not in typed:  # no argument of a command can have one
            for name in ("history", "forget"):
                refused(command(name, typed), "address")
    assert count(installed) == 1


def test_its_receipt_is_checked_by_a_command(command: Command, installed: Installation) -> None:
    add_readers(installed, PERSON)
    (code,) = re.findall(r"^Receipt: (\S+)$", command("forget", PERSON).out, re.MULTILINE)
    done = command("receipt", code.lower().replace("-", " "))
    assert done.status == 0
    assert f"on {installed.now().date()} (UTC) everything stored about one person under all petitions" in done.out
    changed = code[:-1] + ("0" if code[-1] != "0" else "1")
    for wrong in (changed, "1", "", "ж" * 24, "U" * 24):
        refused(command("receipt", wrong), "has not written this receipt")


def test_who_waits_for_their_confirmation_is_forgotten_too(command: Command, installed: Installation) -> None:
    sign(installed, PERSON)
    row = get_signature(installed, PERSON).id
    assert "The number of confirmation mails to the address: erased." in command("forget", PERSON, "--yes").out
    assert get_signature_by_id(installed, row).state is SignatureState.EXPIRED
    with installed.database.snapshots() as session:
        assert session.scalars(select(func.count()).select_from(ConfirmationAllowance)).one() == 0


def test_a_suppression_stays_and_is_told(command: Command, installed: Installation) -> None:
    add_readers(installed, PERSON)
    disown(installed, PERSON)
    done = command("forget", PERSON)
    assert done.status == 0
    assert done.out.startswith("Kept: the suppression of the address (not me, since 20")
    assert "Receipt" not in done.out


def test_of_a_stranger_it_says_one_sentence_and_writes_nothing(command: Command, installed: Installation) -> None:
    before = dump(installed)
    done = command("forget", "stranger@example.org")
    assert (done.status, done.err, done.out.count("\n")) == (0, "", 1)
    assert dump(installed) == before
    refused(command("forget", "nobody"), "does not look like an e-mail address")


def test_at_a_terminal_it_asks_once(command: Command, installed: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    add_readers(installed, PERSON)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    answers = iter([False, True])
    asked: list[str] = []

    def ask(question: str, *, abort: bool) -> None:
        asked.append(question)
        if not next(answers) and abort:
            raise KeyboardInterrupt

    monkeypatch.setattr("click.confirm", ask)
    assert command("forget", PERSON).status == 1
    assert get_signature(installed, PERSON).state is SignatureState.CONFIRMED
    assert command("forget", PERSON).status == 0
    assert count(installed) == 0
    assert len(asked) == 2


def test_retention_prints_what_would_go_and_then_lets_it_go(command: Command, installed: Installation) -> None:
    add_readers(installed, PERSON)
    assert command("petition", "hand-over", SLUG).status == 0
    closed = command("petition", "close", SLUG)
    assert "Readers’ addresses are erased on 20" in closed.out
    before = dump(installed)
    done = command("retention", "--dry-run")
    assert (done.status, done.err) == (0, "")
    assert dump(installed) == before
    heading, *lines = done.out.splitlines()
    assert heading.split() == ["would", "go", "what", "petition", "next"]
    petition = find_petition(installed)
    assert petition.closed_on == petition.handed_over_on
    (names,) = (line for line in lines if "names of signers" in line)
    assert names.split() == ["0", "names", "of", "signers", SLUG, names.split()[-1]]
    assert command("retention").out.splitlines()[0].split()[0] == "went"
    assert [action for _, action, _ in list_all_audit(installed)] == ["list handed over", "petition closed"]


def test_a_draft_is_not_handed_over(command: Command, installed: Installation) -> None:
    with installed.database.sessions.begin() as session:
        load_petition(
            session,
            read_petition_file(BUILT_IN).model_copy(update={"slug": "draft"}),
            actor=COMMAND_LINE,
            now=installed.now(),
        )
    refused(command("petition", "hand-over", "draft"), "nothing to hand over")
