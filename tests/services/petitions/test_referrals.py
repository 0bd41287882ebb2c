"""Links by which signers came: counted in the transaction that counts the signature, and kept with nobody."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from campaign.installation.wiring import Campaign
from campaign.models import ReviewAction, Signature
from campaign.services.petitions.referrals import MOST, OTHER, clean_source, count_sources, list_sources
from tests.scenes.people import confirm, count, disown, find_petition, get_signature, sign, withdraw
from tests.scenes.suspects import quarantine, review, undo

ACCEPT, INVALIDATE = ReviewAction
ADDRESS = "a@example.org"


def counted(campaign: Campaign) -> dict[str, int]:
    with campaign.database.snapshots() as session:
        return dict(list_sources(session, find_petition(campaign).id))


def kept(campaign: Campaign) -> list[str | None]:
    """What the rows of signatures hold of how their signers came."""
    with campaign.database.snapshots() as session:
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


def test_a_link_is_counted_when_the_signature_is_and_forgotten_then(campaign: Campaign) -> None:
    sign(campaign, ADDRESS, source="telegram")
    assert (counted(campaign), kept(campaign)) == ({}, ["telegram"])
    confirm(campaign, ADDRESS)
    confirm(campaign, ADDRESS)
    assert (counted(campaign), kept(campaign)) == ({"telegram": 1}, [None])
    withdraw(campaign, ADDRESS)
    assert counted(campaign) == {"telegram": 1}


def test_who_came_by_no_link_is_counted_under_none(campaign: Campaign) -> None:
    sign(campaign, ADDRESS)
    confirm(campaign, ADDRESS)
    assert (count(campaign), counted(campaign)) == (1, {})


@pytest.mark.parametrize(
    ("first", "second", "stays"),
    [("radio", "telegram", "radio"), (None, "telegram", "telegram"), ("radio", None, "radio"), (None, None, None)],
)
def test_of_two_posts_the_link_of_the_first_stays(
    campaign: Campaign, first: str | None, second: str | None, stays: str | None
) -> None:
    sign(campaign, ADDRESS, source=first)
    sign(campaign, ADDRESS, source=second)
    assert kept(campaign) == [stays]


def test_what_is_erased_keeps_no_link(campaign: Campaign) -> None:
    sign(campaign, ADDRESS, source="telegram")
    disown(campaign, ADDRESS)
    assert (counted(campaign), kept(campaign)) == ({}, [None])


def test_a_signature_that_waits_for_a_review_is_counted_by_its_link_when_it_is_accepted_and_once(
    campaign: Campaign,
) -> None:
    quarantine(campaign, ADDRESS, source="telegram")
    quarantine(campaign, "b@example.org", "c@example.org", source="radio")
    assert counted(campaign) == {}
    decision = review(campaign, ACCEPT)
    assert counted(campaign) == {"radio": 2, "telegram": 1}
    undo(campaign, decision)
    review(campaign, ACCEPT)
    assert counted(campaign) == {"radio": 2, "telegram": 1}
    assert set(kept(campaign)) == {None}


def test_an_invalidated_one_is_never_counted_by_its_link(campaign: Campaign) -> None:
    quarantine(campaign, ADDRESS, source="telegram")
    decision = review(campaign, INVALIDATE)
    undo(campaign, decision)
    review(campaign, ACCEPT)
    assert (count(campaign), counted(campaign), kept(campaign)) == (1, {}, [None])


def test_beyond_two_hundred_links_all_further_ones_count_as_one(campaign: Campaign) -> None:
    petition = find_petition(campaign)
    with campaign.database.sessions.begin() as session:
        count_sources(session, petition.id, Counter({f"link-{number:03}": 1 for number in range(MOST - 1)}))
        count_sources(session, petition.id, Counter({OTHER: 1, "x-last-one": 1, "y-too-many": 2}))
        count_sources(session, petition.id, Counter({"z-too-many": 1, "link-000": 5}))
    found = counted(campaign)
    assert len(found) == MOST + 1
    assert {found["x-last-one"], found["link-001"]} == {1}
    assert (found["link-000"], found[OTHER]) == (6, 4)


def test_of_many_at_once_each_is_counted(campaign: Campaign) -> None:
    people = [f"p{number}@example.org" for number in range(12)]
    for number, person in enumerate(people):
        sign(campaign, person, source=f"link-{number % 3}")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda person: confirm(campaign, person), people))
    assert counted(campaign) == {"link-0": 4, "link-1": 4, "link-2": 4}
    assert all(get_signature(campaign, person).source is None for person in people)
