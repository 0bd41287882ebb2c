"""Links by which signers came: counted in the transaction that counts the signature, and kept with nobody."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from campaign.installation.wiring import Installation
from campaign.models import ReviewAction, Signature
from campaign.services.petitions.referrals import MOST, OTHER, clean_source, count_sources, list_sources
from tests.scenes.people import confirm, count, disown, find_petition, get_signature, sign, withdraw
from tests.scenes.suspects import quarantine, review, undo

ACCEPT, INVALIDATE = ReviewAction
ADDRESS = "a@example.org"


def counted(installation: Installation) -> dict[str, int]:
    with installation.database.snapshots() as session:
        return dict(list_sources(session, find_petition(installation).id))


def kept(installation: Installation) -> list[str | None]:
    """What the rows of signatures hold of how their signers came."""
    with installation.database.snapshots() as session:
        return list(session.scalars(select(Signature.source).order_by(Signature.id)))


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("telegram", "telegram"),
        ("may-day-2026", "may-day-2026"),
        (" Telegram ", "telegram"),
        ("a" * 40, "a" * 40),
        ("a" * 41, None),
        ("", None),
        ("two words", None),
        ("täglich", None),
        ("<b>", None),
        ("a\n", "a"),
        ("a\x00", None),
    ],
)
def test_a_word_is_small_letters_figures_and_hyphens(typed: str, word: str | None) -> None:
    assert clean_source(typed) == word


def test_a_link_is_counted_when_the_signature_is_and_forgotten_then(installation: Installation) -> None:
    sign(installation, ADDRESS, source="telegram")
    assert (counted(installation), kept(installation)) == ({}, ["telegram"])
    confirm(installation, ADDRESS)
    confirm(installation, ADDRESS)
    assert (counted(installation), kept(installation)) == ({"telegram": 1}, [None])
    withdraw(installation, ADDRESS)
    assert counted(installation) == {"telegram": 1}


def test_who_came_by_no_link_is_counted_under_none(installation: Installation) -> None:
    sign(installation, ADDRESS)
    confirm(installation, ADDRESS)
    assert (count(installation), counted(installation)) == (1, {})


@pytest.mark.parametrize(
    ("first", "second", "stays"),
    [("radio", "telegram", "radio"), (None, "telegram", "telegram"), ("radio", None, "radio"), (None, None, None)],
)
def test_of_two_posts_the_link_of_the_first_stays(
    installation: Installation, first: str | None, second: str | None, stays: str | None
) -> None:
    sign(installation, ADDRESS, source=first)
    sign(installation, ADDRESS, source=second)
    assert kept(installation) == [stays]


def test_what_is_erased_keeps_no_link(installation: Installation) -> None:
    sign(installation, ADDRESS, source="telegram")
    disown(installation, ADDRESS)
    assert (counted(installation), kept(installation)) == ({}, [None])


def test_a_signature_that_waits_for_a_review_is_counted_by_its_link_when_it_is_accepted_and_once(
    installation: Installation,
) -> None:
    quarantine(installation, ADDRESS, source="telegram")
    quarantine(installation, "b@example.org", "c@example.org", source="radio")
    assert counted(installation) == {}
    decision = review(installation, ACCEPT)
    assert counted(installation) == {"radio": 2, "telegram": 1}
    undo(installation, decision)
    review(installation, ACCEPT)
    assert counted(installation) == {"radio": 2, "telegram": 1}
    assert set(kept(installation)) == {None}


def test_an_invalidated_one_is_never_counted_by_its_link(installation: Installation) -> None:
    quarantine(installation, ADDRESS, source="telegram")
    decision = review(installation, INVALIDATE)
    undo(installation, decision)
    review(installation, ACCEPT)
    assert (count(installation), counted(installation), kept(installation)) == (1, {}, [None])


def test_beyond_two_hundred_links_all_further_ones_count_as_one(installation: Installation) -> None:
    petition = find_petition(installation)
    with installation.database.sessions.begin() as session:
        count_sources(session, petition.id, Counter({f"link-{number:03}": 1 for number in range(MOST - 1)}))
        count_sources(session, petition.id, Counter({OTHER: 1, "x-last-one": 1, "y-too-many": 2}))
        count_sources(session, petition.id, Counter({"z-too-many": 1, "link-000": 5}))
    found = counted(installation)
    assert len(found) == MOST + 1
    assert {found["x-last-one"], found["link-001"]} == {1}
    assert (found["link-000"], found[OTHER]) == (6, 4)


def test_of_many_at_once_each_is_counted(installation: Installation) -> None:
    people = [f"p{number}@example.org" for number in range(12)]
    for number, person in enumerate(people):
        sign(installation, person, source=f"link-{number % 3}")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda person: confirm(installation, person), people))
    assert counted(installation) == {"link-0": 4, "link-1": 4, "link-2": 4}
    assert all(get_signature(installation, person).source is None for person in people)
