"""What goes out with words from outside in it, read back: mails and lists."""

import csv
import io
import json
import re

import pytest
from hypothesis import strategies as st
from pydantic import ValidationError

from campaign.errors import InvalidInput
from campaign.models import SignatureState
from campaign.run.supervisor import BUILT_IN
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.exports import rows as export_rows
from campaign.services.exports.rows import Format
from campaign.services.petitions.file_reader import read_petition_file
from campaign.services.petitions.file_schema import PetitionFile
from campaign.services.petitions.store import get_petition, load_petition
from campaign.services.signatures.sign import Person
from campaign.text.personal_text import clean_comment, clean_name
from tests.conftest import SLUG, MakeInstallation
from tests.fuzz.answers import check_page
from tests.fuzz.hostile import TYPED
from tests.fuzz.running import fuzz, sandbox
from tests.scenes.mails import parse, write_message
from tests.scenes.people import list_deliveries, sign_within

ADDRESS = "signer@example.org"
URL = re.compile(r"https?://[^\s)>\]\"<]+")


def _accepted(kept: list[Person], name: str, comment: str) -> Person | None:
    try:
        person = Person(name=clean_name(name), comment=clean_comment(comment))
    except InvalidInput:
        return None
    kept.append(person)
    return person


def test_a_confirmation_says_nothing_that_its_signer_typed_and_its_structure_stays(
    make_sqlite_installation: MakeInstallation,
) -> None:
    """Whatever the petition's own texts are, too: its title, sender and subject stand in headers and in both parts."""
    installation = make_sqlite_installation()
    file = read_petition_file(BUILT_IN)
    headers: set[tuple[str, ...]] = set()
    kept: list[Person] = []
    texts = st.dictionaries(
        st.sampled_from(["title", "sender", "confirmation_subject", "addressee"]), TYPED, max_size=2
    )
    with sandbox(installation) as box:

        def check(case: tuple[str, str, dict[str, str]]) -> None:
            name, comment, changed = case
            person = _accepted(kept, name, comment)
            if person is None:
                return
            try:
                whole = file.model_dump() | {key: dict.fromkeys(file.languages, text) for key, text in changed.items()}
                other = PetitionFile.model_validate(whole)
            except ValidationError:
                other = file
            with box.case():
                with box.installation.database.sessions.begin() as session:
                    load_petition(session, other, actor=COMMAND_LINE, now=installation.now())
                    sign_within(session, box.installation, ADDRESS, name=person.name, comment=person.comment)
                with box.installation.database.snapshots() as session:
                    message = write_message(
                        session,
                        box.installation.identity,
                        list_deliveries(box.installation)[-1],
                        now=installation.now(),
                    )
            mail = parse(message)
            headers.add(tuple(mail.keys()))
            assert mail["To"].addresses[0].addr_spec == ADDRESS
            assert len(mail["From"].addresses) == 1
            assert not mail.defects
            assert [part.get_content_type() for part in mail.walk()] == [
                "multipart/alternative",
                "text/plain",
                "text/html",
            ]
            plain, html = (part.get_content() for part in mail.iter_parts())
            check_page(html)
            typed = [
                word
                for word in (person.name, person.comment)
                if word and len(word) > 6 and word not in changed.values()
            ]
            everything = "".join([plain, html, *map(str, mail.values())])
            assert not [word for word in typed if word in everything]
            ours = box.installation.settings.base_url
            links = [link for link in URL.findall(plain) if link not in "".join(changed.values())]
            assert links
            assert all(link.startswith(ours) or any(link in text for text in changed.values()) for link in links), links

        fuzz("mail confirmation", st.tuples(TYPED, TYPED, texts), check)
    assert len(headers) == 1
    assert len(kept) > 20


@pytest.mark.parametrize("kind", list(Format))
def test_a_list_gives_back_what_was_typed_and_no_cell_begins_like_a_formula(
    kind: Format, make_sqlite_installation: MakeInstallation
) -> None:
    installation = make_sqlite_installation()
    kept: list[Person] = []
    with sandbox(installation) as box:

        def check(case: tuple[str, str]) -> None:
            person = _accepted(kept, *case)
            if person is None:
                return
            with box.case():
                with box.installation.database.sessions.begin() as session:
                    sign_within(session, box.installation, ADDRESS, name=person.name, comment=person.comment)
                with box.installation.database.snapshots() as session:
                    petition = get_petition(session, SLUG)
                    rows = export_rows.list_signatures(session, installation.vault, petition, SignatureState.PENDING)
                    written = b"".join(export_rows.write_rows(rows, export_rows.SIGNATURE_COLUMNS, kind)).decode()
            if kind is Format.JSONL:
                (row,) = (json.loads(line) for line in written.split("\n") if line)
            else:
                heads, cells = csv.reader(io.StringIO(written, newline=""), strict=True)
                row = dict(zip(heads, cells, strict=True))
                for cell in cells:
                    assert not cell.strip(" \u00a0").startswith(
                        ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
                    )
            for told, meant in ((row["name"], person.name), (row["comment"] or "", person.comment or "")):
                assert told in (meant, f"'{meant}")

        fuzz(f"export {kind}", st.tuples(TYPED, TYPED), check)
    assert len(kept) > 50
