"""The gate: an edition with a mail that the linter refuses is not made, by hand or by schedule, and says why."""

from datetime import timedelta

import pytest

from campaign.installation.wiring import Installation
from campaign.models import DeliveryKind, EditionState
from campaign.services.digests.editions import list_editions, make_due_editions
from campaign.services.digests.lint_check import LintRefused, check_next_edition
from campaign.services.petitions.store import get_petition
from tests.conftest import SLUG, Clock
from tests.scenes.long_updates import LONG, publish
from tests.scenes.people import add_readers, find_petition, list_deliveries, make_digest

WEEK = timedelta(days=7)


def findings(installation: Installation) -> list[str]:
    with installation.database.snapshots() as session:
        petition = get_petition(session, SLUG)
        return [str(finding) for finding in check_next_edition(session, petition, installation.links)]


def test_what_the_built_in_campaign_says_needs_no_mending(sqlite_installation: Installation) -> None:
    assert findings(sqlite_installation) == []


def test_an_update_that_is_too_long_in_one_language_is_found_there_alone(sqlite_installation: Installation) -> None:
    publish(sqlite_installation, ru=LONG)
    (found,) = findings(sqlite_installation)
    assert found.startswith("ru, HTML: The HTML has 1")
    assert "Shorten the updates" in found


def test_a_title_that_turns_the_direction_of_writing_is_found(sqlite_installation: Installation) -> None:
    publish(sqlite_installation, title="News \u202etxt.exe")
    assert all("Subject holds an invisible character" in found for found in findings(sqlite_installation))
    assert len(findings(sqlite_installation)) == 3


def test_a_title_with_a_control_character_is_found_before_a_message_is_made(sqlite_installation: Installation) -> None:
    publish(sqlite_installation, title="News \x1b[31m")
    assert all("Subject holds a control character" in found for found in findings(sqlite_installation))


def test_by_hand_the_edition_is_refused_and_nothing_is_made(installation: Installation) -> None:
    add_readers(installation, "a@example.org")
    publish(installation, kk=LONG)
    with pytest.raises(LintRefused, match=r"^The edition was not made\. In kk, HTML: .+ KB; .+\.$"):
        make_digest(installation)
    with installation.database.snapshots() as session:
        assert list_editions(session, find_petition(installation).id) == []
    assert DeliveryKind.DIGEST not in {item.kind for item in list_deliveries(installation)}
    publish(installation)
    assert make_digest(installation).number == 1


def test_several_problems_are_counted_in_the_one_sentence(sqlite_installation: Installation) -> None:
    add_readers(sqlite_installation, "a@example.org")
    publish(sqlite_installation, en=LONG, kk=LONG)
    with pytest.raises(LintRefused, match=r"In en, HTML: .+ And 1 more: campaign digest preview shows them\."):
        make_digest(sqlite_installation)


def test_by_schedule_the_run_is_skipped_with_the_reason_and_what_is_new_waits(
    installation: Installation, clock: Clock
) -> None:
    add_readers(installation, "a@example.org")
    publish(installation, en=LONG)
    clock.turn(WEEK)
    with installation.database.sessions.begin() as session:
        (skipped,) = make_due_editions(session, installation.links, installation.dispatch, now=clock())
    assert (skipped.state, skipped.number, skipped.candidates) == (EditionState.SKIPPED, None, 0)
    assert skipped.reason is not None
    assert skipped.reason.startswith("The edition was not made. In en, HTML: ")
    assert len(skipped.reason) <= 200
    publish(installation)
    clock.turn(WEEK)
    with installation.database.sessions.begin() as session:
        (made,) = make_due_editions(session, installation.links, installation.dispatch, now=clock())
    assert (made.number, made.candidates) == (1, 1)
