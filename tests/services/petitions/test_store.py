"""Petitions: loading a file is repeatable, and nobody's signature moves to another text."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.errors import InvalidFile, NotFound
from campaign.installation.wiring import Installation
from campaign.media.pictures import read_picture
from campaign.models import Demand, Petition, PetitionState, PictureKind, Schedule, TextVersion, Update
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.digests.archive import preview_digest
from campaign.services.petitions.file_parts import Look, PictureTexts
from campaign.services.petitions.file_schema import PetitionFile, UpdateTexts
from campaign.services.petitions.lifecycle import open_petition
from campaign.services.petitions.pictures import list_pictures
from campaign.services.petitions.store import (
    get_petition,
    get_text_version,
    list_petitions,
    list_related,
    list_updates,
    load_petition,
    publish_update,
)
from tests.conftest import SLUG, START, Clock
from tests.scenes.campaign_files import read
from tests.scenes.people import find_petition, get_signature, sign
from tests.scenes.pictures import png

CHANGED = ('en = "Do this."', 'en = "Do this today."')


def load(installation: Installation, file: PetitionFile) -> Petition:
    with installation.database.sessions.begin() as session:
        petition = load_petition(session, file, actor=COMMAND_LINE, now=installation.now())
        open_petition(session, petition, actor=COMMAND_LINE, now=START)
    return petition


def everything(session: Session) -> list[object]:
    return [
        sorted(tuple(map(str, row)) for row in session.execute(select(model.__table__)))
        for model in (Petition, Demand, TextVersion, Update, Schedule)
    ]


def versions(installation: Installation, language: str) -> list[tuple[str, bool]]:
    """Text of the first demand and whether the version is current, oldest first."""
    petition = find_petition(installation, "small")
    with installation.database.snapshots() as session:
        found = session.scalars(
            select(TextVersion)
            .where(TextVersion.petition_id == petition.id, TextVersion.language == language)
            .order_by(TextVersion.id)
        )
        return [(version.demands[0]["text"], version.current) for version in found]


def test_a_file_names_steps_a_closing_time_and_a_look(session: Session, tmp_path: Path) -> None:
    wanted = 'goal = 100\ngoal_steps = [50, 10]\ncloses = 2027-01-31T23:59:00\nrelated = ["kazakhstan"]'
    file = read(tmp_path, ("goal = 100", f'{wanted}\nlook = {{colour = "#0a5c36"}}'))
    picture = read_picture(png(4, 3))
    looked = file.model_copy(update={"look": Look(logo=PictureTexts(file="x", alt={"en": "A star", "ru": "Звезда"}))})
    petition = load_petition(session, looked, actor=COMMAND_LINE, now=START, pictures={PictureKind.LOGO: picture})
    assert petition.goal_steps == [10, 50]
    assert petition.closes_at == datetime(2027, 1, 31, 18, 59, tzinfo=UTC)  # five hours behind Almaty
    assert [each.slug for each in list_related(session, petition)] == [SLUG]
    logo = list_pictures(session, petition.id)[PictureKind.LOGO]
    assert (logo.digest, logo.alt["ru"]["alt"]) == (picture.digest, "Звезда")
    again = load_petition(session, file, actor=COMMAND_LINE, now=START)
    assert (again.look, list_pictures(session, petition.id)) == ({"colour": "#0a5c36"}, {})


def test_a_closing_time_that_has_passed_is_refused_unless_signing_has_ended_at_it(
    session: Session, tmp_path: Path
) -> None:
    day = START.date().isoformat()
    late = read(tmp_path, ("goal = 100", "goal = 100\ncloses = 2020-01-01"))
    with pytest.raises(InvalidFile, match="closes: 2020-01-01 23:59 has passed"), session.begin_nested():
        load_petition(session, late, actor=COMMAND_LINE, now=START)
    today = read(tmp_path, ("goal = 100", f"goal = 100\ncloses = {day}"))
    petition = load_petition(session, today, actor=COMMAND_LINE, now=START)
    assert petition.closes_at is not None
    assert petition.closes_at.astimezone(ZoneInfo("Asia/Almaty")).isoformat() == f"{day}T23:59:59.999999+05:00"
    # The same file is loaded again later, with a new update.
    load_petition(session, today, actor=COMMAND_LINE, now=START + timedelta(days=9))
    with pytest.raises(InvalidFile, match="has passed"):
        load_petition(session, late, actor=COMMAND_LINE, now=START + timedelta(days=9))


def test_a_new_petition_is_a_draft_with_sorted_milestones(session: Session, tmp_path: Path) -> None:
    petition = load_petition(session, read(tmp_path, ("[50, 10]", "[50, 10, 50]")), actor=COMMAND_LINE, now=START)
    assert (petition.state, petition.milestones) == (PetitionState.DRAFT, [10, 50])
    assert [item.slug for item in list_petitions(session)] == [SLUG, "small"]
    assert [item.slug for item in list_petitions(session, state=PetitionState.OPEN)] == [SLUG]


def test_loading_a_file_again_changes_nothing(installation: Installation, clock: Clock, tmp_path: Path) -> None:
    load(installation, read(tmp_path))
    with installation.database.snapshots() as session:
        before = everything(session)
    clock.turn(timedelta(hours=1))
    load(installation, read(tmp_path))
    with installation.database.snapshots() as session:
        assert everything(session) == before


def test_a_changed_demand_makes_a_new_version_and_old_signatures_keep_theirs(
    installation: Installation, tmp_path: Path
) -> None:
    load(installation, read(tmp_path))
    sign(installation, "before@example.org", "small")
    load(installation, read(tmp_path, CHANGED))
    sign(installation, "after@example.org", "small")
    assert versions(installation, "en") == [("Do this.", False), ("Do this today.", True)]
    assert versions(installation, "ru") == [("Сделайте это.", True)]
    with installation.database.snapshots() as session:
        signed = [
            session.get_one(TextVersion, get_signature(installation, email, "small").text_version_id).demands[0]["text"]
            for email in ("before@example.org", "after@example.org")
        ]
    assert signed == ["Do this.", "Do this today."]


def test_a_text_that_is_changed_back_is_the_old_version_again(installation: Installation, tmp_path: Path) -> None:
    for changes in ([], [CHANGED], []):
        load(installation, read(tmp_path, *changes))
    assert versions(installation, "en") == [("Do this.", True), ("Do this today.", False)]


@pytest.mark.parametrize(
    "change",
    [
        ('en = "First demand"', 'en = "The first demand"'),
        ('key = "first"', 'key = "third"'),
        ('[[demands]]\nkey = "second"', '[[demands]]\nkey = "zeroth"'),
    ],
)
def test_whatever_changes_in_the_demands_makes_a_version(
    installation: Installation, tmp_path: Path, change: tuple[str, str]
) -> None:
    load(installation, read(tmp_path))
    load(installation, read(tmp_path, change))
    with installation.database.snapshots() as session:
        petition = get_petition(session, "small")
        assert len(versions(installation, "en")) == 2
        assert [demand.position for demand in petition.demands] == [1, 2]
        assert [item["key"] for item in get_text_version(session, petition, "en").demands] == [
            demand.key for demand in petition.demands
        ]


def test_a_changed_title_is_no_new_version(installation: Installation, tmp_path: Path) -> None:
    load(installation, read(tmp_path))
    load(installation, read(tmp_path, ('en = "Title"', 'en = "Another title"')))
    assert find_petition(installation, "small").texts["en"]["title"] == "Another title"
    assert len(versions(installation, "en")) == 1


def test_updates_are_matched_by_key_and_never_taken_away(installation: Installation, tmp_path: Path) -> None:
    load(installation, read(tmp_path))
    more = UpdateTexts(
        key="more", date=START.date(), title={"en": "More", "ru": "Ещё"}, body={"en": "Text", "ru": "Текст"}
    )
    with installation.database.sessions.begin() as session:
        publish_update(session, get_petition(session, "small"), more, actor=COMMAND_LINE, now=installation.now())
    load(installation, read(tmp_path, ('en = "News"', 'en = "Corrected news"')))
    with installation.database.snapshots() as session:
        updates = list_updates(session, get_petition(session, "small").id)
    assert [(item.key, item.sequence, item.texts["en"]["title"]) for item in updates] == [
        ("more", 2, "More"),
        ("news", 1, "Corrected news"),
    ]


@pytest.mark.parametrize(
    ("languages", "says"), [(["en"], "“ru” cannot be removed"), (["en", "ru", "de"], "not translated into “de”")]
)
def test_a_language_that_cannot_be_is_refused(
    installation: Installation, tmp_path: Path, languages: list[str], says: str
) -> None:
    load(installation, read(tmp_path))
    file = read(tmp_path).model_copy(update={"languages": languages})
    with pytest.raises(InvalidFile, match=says):
        load(installation, file)
    assert find_petition(installation, "small").languages == ["en", "ru"]


def test_after_a_language_was_added_every_update_has_it(installation: Installation, tmp_path: Path) -> None:
    """Or the file is refused with a sentence; a digest that cannot be made would be found out on its day."""
    whole = read(tmp_path)
    load(installation, whole.model_copy(update={"languages": ["en"]}))
    later = UpdateTexts(key="later", date=START.date(), title={"en": "Later"}, body={"en": "More"})
    with installation.database.sessions.begin() as session:
        publish_update(session, get_petition(session, "small"), later, actor=COMMAND_LINE, now=installation.now())
    try:
        load(installation, whole)
    except InvalidFile:
        return
    with installation.database.snapshots() as session:
        assert set(
            preview_digest(session, get_petition(session, "small"), installation.links, now=installation.now()).contents
        ) == {"en", "ru"}


def test_a_petition_that_is_not_there_is_said_so(session: Session) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        get_petition(session, "nowhere")


def test_a_run_that_is_due_stays_due_unless_the_plan_changes(
    installation: Installation, clock: Clock, tmp_path: Path
) -> None:
    petition = load(installation, read(tmp_path))

    def next_at() -> object:
        with installation.database.snapshots() as session:
            return session.get_one(Schedule, petition.id).next_at

    due = next_at()
    clock.turn(timedelta(days=5))
    load(installation, read(tmp_path))
    assert next_at() == due
    load(installation, read(tmp_path, ('"friday"', '"monday"')))
    assert next_at() != due


def test_whether_names_are_shown_and_indexed_follows_the_file(session: Session, tmp_path: Path) -> None:
    for changed, found in (
        ([], (True, False)),
        ([("goal = 100", "goal = 100\nshows_names = false\nindexes_names = true")], (False, True)),
    ):
        petition = load_petition(session, read(tmp_path, *changed), actor=COMMAND_LINE, now=START)
        assert (petition.shows_names, petition.indexes_names) == found
