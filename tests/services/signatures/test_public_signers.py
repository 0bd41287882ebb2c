"""The wall and the comments: only those who want it, only while they are counted, and nobody else is opened."""

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from campaign.crypto.link_purposes import LinkPurpose
from campaign.crypto.vault import Vault
from campaign.errors import NotFound
from campaign.installation.wiring import Installation
from campaign.models import CommentState, Display, Petition, ReviewAction
from campaign.services.moderation.comments import count_comments, decide_comments, list_offers, version_of
from campaign.services.petitions.store import get_petition
from campaign.services.privacy.burn import burn
from campaign.services.signatures import public_signers
from campaign.services.signatures.erase import erase_names, erase_person
from campaign.services.signatures.public_names import SHOWN, WITH_COMMENT
from campaign.services.signatures.public_signers import list_latest_comments, read_comments, read_signers
from campaign.services.signatures.self_service import Details, change_details, get_personal_data
from campaign.services.signatures.sign import Person
from tests.conftest import SLUG
from tests.scenes.comments import decide, offer
from tests.scenes.people import find_petition, get_signature, sign, withdraw
from tests.scenes.suspects import COUNTED, count_in, quarantine, review, undo

ME = "me@example.org"


def names(installation: Installation, page: int = 1) -> list[str]:
    with installation.database.snapshots() as session:
        found = read_signers(session, installation.vault, get_petition(session, SLUG), page=page)
        return [signer.name for signer in found.items]


def comments(installation: Installation) -> list[tuple[str, str | None]]:
    with installation.database.snapshots() as session:
        found = read_comments(session, installation.vault, get_petition(session, SLUG), page=1)
        return [(comment.text, comment.name) for comment in found.items]


def latest(installation: Installation) -> list[tuple[str, str | None]]:
    with installation.database.snapshots() as session:
        found = list_latest_comments(session, installation.vault, get_petition(session, SLUG))
        return [(comment.text, comment.name) for comment in found]


def change(installation: Installation, **changed: object) -> CommentState:
    """Change something on one's own page; who may read the comment then."""
    token = installation.vault.token(LinkPurpose.SIGNER, get_signature(installation, ME).id)
    with installation.database.sessions.begin() as session:
        kept = get_personal_data(session, installation.vault, token, for_update=True)
        values = {
            "name": "Dana Akhmetova",
            "comment": "Freedom.",
            "country": None,
            "display": Display.NAME,
            "offers_comment": True,
        }
        change_details(installation.vault, kept, Details(**{**values, **changed}))  # type: ignore[arg-type]
    return get_signature(installation, ME).comment_state


def test_a_name_is_shown_as_its_owner_chose_newest_first(installation: Installation) -> None:
    count_in(installation, "a@example.org", name="Aigerim Serikova", display=Display.NAME)
    count_in(installation, "b@example.org", name="Hidden Person")
    count_in(installation, "c@example.org", name="Jean-Luc әсия", display=Display.INITIALS)
    assert names(installation) == ["J.-L. Ә.", "Aigerim Serikova"]


def test_nobody_else_is_ever_shown_or_opened(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    count_in(installation, "shown@example.org", name="Shown", display=Display.NAME)
    count_in(installation, "hidden@example.org", name="Hidden", comment="Hidden")
    sign(installation, "pending@example.org", name="Pending", display=Display.NAME)
    quarantine(installation, "waits@example.org", name="Waits", display=Display.NAME)
    count_in(installation, "gone@example.org", name="Gone", display=Display.NAME)
    withdraw(installation, "gone@example.org")
    for email, erase in (("person@example.org", erase_person), ("name@example.org", erase_names)):
        count_in(installation, email, name="Erased", display=Display.NAME)
        with installation.database.sessions.begin() as session:
            erase(session, [get_signature(installation, email).id], now=installation.now())
    opened: list[int] = []
    plain: Callable[..., Person] = Person.open

    def note(vault: Vault, signature_id: int, sealed: bytes) -> Person:
        opened.append(signature_id)
        return plain(vault, signature_id, sealed)

    monkeypatch.setattr(Person, "open", note)
    assert names(installation) == ["Shown"]
    assert opened == [get_signature(installation, "shown@example.org").id]


def test_an_invalidated_name_goes_and_comes_back_when_that_is_taken_back(installation: Installation) -> None:
    offer(installation, ME, name="Dana Akhmetova", display=Display.NAME, comment="Freedom.")
    decide(installation, CommentState.SHOWN, ME)
    decision = review(installation, ReviewAction.INVALIDATE, COUNTED)
    assert (names(installation), comments(installation)) == ([], [])
    undo(installation, decision)
    assert (names(installation), comments(installation)) == (["Dana Akhmetova"], [("Freedom.", "Dana Akhmetova")])


def test_burning_takes_all_names_and_comments_away(installation: Installation) -> None:
    offer(installation, ME, name="Dana Akhmetova", display=Display.NAME, comment="Freedom.")
    decide(installation, CommentState.SHOWN, ME)
    list(burn(installation.database.sessions, find_petition(installation).id, actor="x", now=installation.now()))
    assert (names(installation), comments(installation), latest(installation)) == ([], [], [])


def test_pages_end_where_the_names_do(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_signers, "NAMES", 2)
    for number in range(5):
        count_in(installation, f"{number}@example.org", name=f"Name{number}x", display=Display.NAME)
    assert [names(installation, page) for page in (1, 2, 3)] == [["Name4x", "Name3x"], ["Name2x", "Name1x"], ["Name0x"]]
    for page in (0, 4):
        with pytest.raises(NotFound):
            names(installation, page)


@pytest.mark.parametrize(
    ("condition", "index"),
    [(SHOWN, "ix_signature_shown"), (f"{WITH_COMMENT} AND comment_state = 'shown'", "ix_signature_comments")],
)
def test_a_page_is_found_by_the_index_of_those_who_are_shown(session: Session, condition: object, index: str) -> None:
    """On PostgreSQL a table of this size would be read as a whole, so that is ruled out."""
    query = f"SELECT number FROM signature WHERE petition_id = 1 AND {condition} ORDER BY number DESC LIMIT 9 OFFSET 9"
    if session.get_bind().dialect.name == "postgresql":
        for way in ("seqscan", "bitmapscan"):
            session.execute(text(f"SET LOCAL enable_{way} = off"))
        plan = " ".join(session.scalars(text(f"EXPLAIN {query}")))
    else:
        plan = " ".join(row[3] for row in session.execute(text(f"EXPLAIN QUERY PLAN {query}")))
    assert index in plan


def test_a_comment_is_shown_once_it_was_read_and_either_decision_has_a_way_back(installation: Installation) -> None:
    offer(installation, ME, name="Dana Akhmetova", display=Display.NAME, comment="Freedom.")
    count_in(installation, "private@example.org", comment="For organizers alone.", display=Display.NAME)
    assert comments(installation) == []
    for state, shown in (
        (CommentState.SHOWN, [("Freedom.", "Dana Akhmetova")]),
        (CommentState.REFUSED, []),
        (CommentState.SHOWN, [("Freedom.", "Dana Akhmetova")]),
    ):
        assert decide(installation, state, ME) == 1
        assert comments(installation) == shown
    assert decide(installation, CommentState.SHOWN, "private@example.org") == 0
    withdraw(installation, ME)
    assert comments(installation) == []


def test_what_was_changed_since_it_was_read_is_not_shown(installation: Installation) -> None:
    offer(installation, ME, name="Dana Akhmetova", display=Display.NAME, comment="Freedom.")
    read = version_of(get_signature(installation, ME))
    change(installation, comment="Buy cheap watches.")
    with installation.database.sessions.begin() as session:
        petition, number = get_petition(session, SLUG), get_signature(installation, ME).number or 0
        shown = CommentState.SHOWN
        assert decide_comments(session, petition.id, {number: read}, shown, actor="x", now=installation.now()) == 0
    assert comments(installation) == []


@pytest.mark.parametrize(
    ("changed", "becomes"),
    [
        ({}, CommentState.SHOWN),
        ({"country": "KZ"}, CommentState.SHOWN),
        ({"display": Display.HIDDEN}, CommentState.SHOWN),
        ({"comment": "Other words."}, CommentState.OFFERED),
        ({"name": "Another Name"}, CommentState.OFFERED),
        ({"offers_comment": False}, CommentState.PRIVATE),
        ({"comment": None}, CommentState.PRIVATE),
    ],
)
def test_a_change_is_read_again_before_it_is_shown(
    installation: Installation, changed: dict[str, object], becomes: CommentState
) -> None:
    offer(installation, ME, name="Dana Akhmetova", display=Display.NAME, comment="Freedom.")
    decide(installation, CommentState.SHOWN, ME)
    assert change(installation, **changed) is becomes
    assert len(comments(installation)) == (becomes is CommentState.SHOWN)


def test_organizers_read_oldest_first_and_the_page_of_the_petition_has_the_newest(installation: Installation) -> None:
    emails = [f"{number}@example.org" for number in range(5)]
    for number, email in enumerate(emails):
        offer(installation, email, name="Dana Akhmetova", comment=f"Words {number}", display=[*Display][number % 3])
    with installation.database.snapshots() as session:
        petition: Petition = get_petition(session, SLUG)
        found = list_offers(session, installation.vault, petition, CommentState.OFFERED, page=1)
        assert [(item.text, item.name) for item in found.items][:3] == [
            ("Words 0", "Dana Akhmetova"),
            ("Words 1", "D. A."),
            ("Words 2", None),
        ]
        assert count_comments(session, petition.id)[CommentState.OFFERED] == 5
    decide(installation, CommentState.SHOWN, *emails)
    assert [words for words, _ in comments(installation)] == [f"Words {number}" for number in (4, 3, 2, 1, 0)]
    # Search engines list the petition's page: a whole name is on the wall alone.
    assert latest(installation) == [("Words 4", "D. A."), ("Words 3", "D. A."), ("Words 2", None)]
    with installation.database.sessions.begin() as session:
        get_petition(session, SLUG).indexes_names = True
    assert latest(installation)[1] == ("Words 3", "Dana Akhmetova")
    with installation.database.sessions.begin() as session:
        get_petition(session, SLUG).shows_names = False
    assert latest(installation) == []
