"""Campaign files: each mistake in one is told in one sentence that names its place."""

from datetime import date, datetime, time
from pathlib import Path

import pytest

from campaign.errors import InvalidFile
from campaign.models import PictureKind
from campaign.run.supervisor import BUILT_IN
from campaign.services.petitions.file_reader import read_petition_file, read_pictures, read_update_file
from tests.scenes.campaign_files import SMALL, UPDATE, read, write
from tests.scenes.pictures import png


def test_the_built_in_campaign_is_complete_in_three_languages() -> None:
    file = read_petition_file(BUILT_IN)
    assert file.languages == ["en", "ru", "kk"]
    assert len(file.demands) == 4
    assert all(set(demand.text) == {"en", "ru", "kk"} for demand in file.demands)


def test_a_file_is_read_as_it_is_written(tmp_path: Path) -> None:
    file = read(tmp_path)
    assert (file.slug, file.goal, file.milestones, file.digest.time) == ("small", 100, [50, 10], time(10))
    assert file.demands[1].text == {"en": "Do that.", "ru": "Сделайте то."}
    assert file.updates[0].date == date(2026, 11, 1)


PROBLEMS = [
    pytest.param("goal = 100", "goal = 100\ngoal_steps = [50, 100]", "goal_steps", "below the goal", id="step too far"),
    pytest.param("goal = 100", "goal = 100\ngoal_steps = [0]", "goal_steps[1]", "greater than 0", id="step of none"),
    pytest.param(
        "goal = 100", "goal = 100\ncloses = 2027-01-31T23:59:00Z", "closes", "without one", id="closes elsewhere"
    ),
    pytest.param("goal = 100", "goal = 100\ncloses = 2027", "closes", "is a number", id="closes in a year"),
    pytest.param("goal = 100", 'goal = 100\ncloses = "in May"', "closes", "a day like", id="closes in words"),
    pytest.param('time = "10:00"', "time = 10", "digest.time", "is a number", id="ten seconds"),
    pytest.param("date = 2026-11-01", "date = 20261101", "updates[1].date", "is a number", id="day in digits"),
    pytest.param("goal = 100", 'goal = 100\nlook = {colour = "red"}', "look.colour", "not a colour", id="no colour"),
    pytest.param("goal = 100", 'goal = 100\nrelated = ["A b"]', "related[1]", "should match", id="no slug"),
    pytest.param(
        "goal = 100",
        'goal = 100\nlook = {logo = {file = "l.png", alt = {en = "x"}}}',
        "look.logo.alt",
        "the language “ru” is missing",
        id="logo without words",
    ),
    pytest.param('ru = "Сделайте то."', "", "demands[2].text", "the language “ru” is missing", id="missing language"),
    pytest.param(
        'ru = "Название"',
        'ru = "Название"\nkk = "Атауы"',
        "title",
        "the language “kk” is not among",
        id="unannounced language",
    ),
    pytest.param("goal = 100", "goal = 100\nfoo = 1", "foo", "not a key", id="unknown key"),
    pytest.param('key = "first"', 'key = "first"\nnote = "x"', "demands[1].note", "not a key", id="unknown nested key"),
    pytest.param('en = "Do this."', 'en = ""', "demands[1].text.en", "is empty", id="empty demand"),
    pytest.param('en = "Do this."', 'en = "  \\n "', "demands[1].text.en", "is empty", id="blank demand"),
    pytest.param('"Asia/Almaty"', '"Asia/Nowhere"', "timezone", "not the name of a timezone", id="unknown timezone"),
    pytest.param('"Asia/Almaty"', '""', "timezone", "not the name of a timezone", id="empty timezone"),
    pytest.param('"Asia/Almaty"', '"Asia"', "timezone", "not the name of a timezone", id="timezone is a folder"),
    pytest.param('"Asia/Almaty"', '"../../etc/passwd"', "timezone", "not the name", id="timezone is a path"),
    pytest.param('"Asia/Almaty"', '"Asia/\\u0000"', "timezone", "not the name", id="timezone with NUL"),
    pytest.param('key = "second"', 'key = "first"', "demands", "uses the key “first” twice", id="duplicate key"),
    pytest.param('slug = "small"', 'slug = "Small Town"', "slug", "should match", id="bad slug"),
    pytest.param('slug = "small"\n', "", "slug", "is missing", id="missing slug"),
    pytest.param("goal = 100", "goal = 0", "goal", "should be greater than 0", id="no goal"),
    pytest.param("goal = 100", 'goal = "many"', "goal", "should be a valid integer", id="goal in words"),
    pytest.param('time = "10:00"', 'time = "25:00"', "digest.time", "", id="no such hour"),
    pytest.param('time = "10:00"', 'window = "8-20"', "digest.window", "like 08:00-20:00", id="no times of day"),
    pytest.param('time = "10:00"', 'window = "08:00-24:00"', "digest.window", "like 08:00-20:00", id="no such hour"),
    pytest.param('time = "10:00"', 'window = "08:00-08:00"', "digest.window", "at the same time", id="empty window"),
    pytest.param('time = "10:00"', "cool_down = -1", "digest.cool_down", "greater than", id="negative cool-down"),
    pytest.param('time = "10:00"', "approval = 2", "digest.approval", "boolean", id="approval is yes or no"),
    pytest.param('weekday = "friday"', 'weekday = "caturday"', "digest.weekday", "should be 'monday'", id="weekday"),
    pytest.param("date = 2026-11-01", 'date = "soon"', "updates[1].date", "", id="no date"),
    pytest.param('"https://example.org/"', '"javascript:x"', "source.url", "should match", id="script for a link"),
    pytest.param('en = "Sender"', 'en = "A <b@c>"', "sender.en", "should match", id="address in the sender's name"),
    pytest.param('en = "Sender"', 'en = "A\\nBcc: x"', "sender.en", "must be one line", id="line end in the sender"),
    pytest.param(
        'en = "Please confirm"', 'en = "A\\r\\nB"', "confirmation_subject.en", "must be one line", id="subject"
    ),
    pytest.param('title]\nen = "Title"\nru = "Название"', "title]", "title", "the language “en” is missing", id="none"),
    pytest.param("[title]", "title = 1\n[tytle]", "", "", id="text for a table"),
    pytest.param(
        'ru = "Что-то произошло."',
        'ru = "Нас {cuont}."',
        "updates[1]",
        "“news”: body in “ru” has the unknown placeholder “{cuont}”",
        id="unknown placeholder",
    ),
    pytest.param(
        'ru = "Новости"', 'ru = "{"', "updates[1]", "“news”: title in “ru” has a single “{”", id="broken placeholder"
    ),
    pytest.param(
        'en = "News"', 'en = "@@a-b@@"', "updates[1]", "“news”: title in “en” has “@@a-b@@”", id="reserved in a title"
    ),
    *(
        pytest.param(
            '"Something happened."',
            f"'{hidden}'",
            "updates[1]",
            "“news”: body in “en” has “@@",
            id=f"reserved: {hidden}",
        )
        for hidden in (
            "@@unsubscribe-url@@",
            "&#64;@x@@",
            "@\\@x@@",
            "@@a*b*c@@",
            "[x](https://x.org/@@x@@)",
            "@@`x`@@",
        )
    ),
    pytest.param('en = "The call"', 'en = "{x}"', "call in “en”", "unknown placeholder", id="placeholder in the call"),
    pytest.param('en = "Title"', 'en = "@@x@@"', "title in “en”", "“@@x@@”", id="reserved in the petition's title"),
    pytest.param('slug = "small"', 'slug = "small', "line 1", "", id="broken TOML"),
    pytest.param("goal = 100", "goal = 100\ngoal = 200", "line 5", "", id="key given twice"),
]


@pytest.mark.parametrize(("old", "new", "place", "says"), PROBLEMS)
def test_a_mistake_is_one_sentence_with_its_place(tmp_path: Path, old: str, new: str, place: str, says: str) -> None:
    with pytest.raises(InvalidFile) as refused:
        read(tmp_path, (old, new))
    sentence = refused.value.sentence
    assert sentence.startswith("small.toml: ")
    assert place in sentence
    assert says in sentence
    assert sentence.endswith(".")
    assert not sentence.endswith("..")
    assert "\n" not in sentence


def test_a_digest_can_ask_for_approval_a_cool_down_and_hours(tmp_path: Path) -> None:
    plain = read(tmp_path).digest
    assert (plain.approval, plain.cool_down, plain.window_times) == (False, 0, (None, None))
    careful = read(tmp_path, ('time = "10:00"', 'approval = true\ncool_down = 30\nwindow = "20:00-06:30"')).digest
    assert (careful.approval, careful.cool_down, careful.window_times) == (True, 30, (time(20), time(6, 30)))


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match=r"^There is no file .*missing\.toml\.$"):
        read_petition_file(tmp_path / "missing.toml")


@pytest.mark.parametrize("content", ["slug = 'Қ".encode("utf-16")[:-1], b'slug = "\xcc\xf3"', b"\xff\xfe\x00"])
def test_a_file_that_is_not_utf8_is_said_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "old.toml"
    path.write_bytes(content)
    with pytest.raises(InvalidFile, match=r"old\.toml.*UTF-8"):
        read_petition_file(path)


def test_a_folder_is_not_a_campaign_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="is a folder"):
        read_petition_file(tmp_path)


def test_a_text_with_our_placeholders_is_kept_as_it_is_written(tmp_path: Path) -> None:
    written = "{count} of {goal} signed “{title}”: {petition_url}, {updates_url}, {{braces}}"
    file = read(tmp_path, ("Something happened.", written), ('en = "News"', 'en = "{count}!"'))
    assert (file.updates[0].body["en"], file.updates[0].title["en"]) == (written, "{count}!")


def test_an_update_is_read_alone(tmp_path: Path) -> None:
    update = read_update_file(write(tmp_path, content=UPDATE), ["en", "ru"])
    assert (update.key, update.title["ru"]) == ("later", "Позже")


@pytest.mark.parametrize(
    ("old", "new", "languages", "says"),
    [
        ("", "", ["en", "ru", "kk"], "title: the language “kk” is missing"),
        ("", "", ["en"], "title: the language “ru” is not among"),
        ('ru = "Произошло ещё."', "", ["en", "ru"], "body: the language “ru” is missing"),
        ("date = 2026-11-20\n", "", ["en", "ru"], "date is missing"),
        ("key = ", "kee = ", ["en", "ru"], "key is missing"),
        ("More happened.", "{name}", ["en", "ru"], "“later”: body in “en” has the unknown placeholder “{name}”"),
        ('ru = "Позже"', 'ru = "}"', ["en", "ru"], "“later”: title in “ru” has a single “}”"),
    ],
)
def test_a_mistake_in_an_update_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, languages: list[str], says: str
) -> None:
    with pytest.raises(InvalidFile, match=r"^small\.toml: ") as refused:
        read_update_file(write(tmp_path, (old, new), content=UPDATE), languages)
    assert says in refused.value.sentence
    assert "\n" not in refused.value.sentence


LOGO = '\n[look]\ncolour = "#0A5C36"\n[look.logo]\nfile = "FILE"\n[look.logo.alt]\nen = "A star"\nru = "Звезда"\n'


def test_a_look_is_read_with_the_pictures_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "logo.png").write_bytes(png(4, 3))
    path = write(tmp_path, content=SMALL + LOGO.replace("FILE", "media/logo.png"))
    file = read_petition_file(path)
    assert file.look.colour == "#0a5c36"
    pictures = read_pictures(path, file)
    assert {kind: picture.content for kind, picture in pictures.items()} == {PictureKind.LOGO: png(4, 3)}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("missing.png", "cannot be read"),
        ("folder", "cannot be read"),
        ("../small.png", "in the folder of the campaign file"),
        ("/etc/hostname", "in the folder of the campaign file"),
        ("link.png", "in the folder of the campaign file"),
        ("small.toml", "neither a PNG"),
        ("a\\u0000b", "no picture's name|cannot be read|neither|embedded"),
    ],
)
def test_what_is_no_picture_is_named(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.png").symlink_to("/etc/hostname")
    path = write(tmp_path, content=SMALL + LOGO.replace("FILE", name))
    with pytest.raises(InvalidFile, match=why) as refused:
        read_pictures(path, read_petition_file(path))
    assert refused.value.sentence.startswith("small.toml: look.logo.file: ")


@pytest.mark.parametrize(
    ("written", "end"),
    [
        ("2027-01-31", datetime(2027, 1, 31, 23, 59, 59, 999_999)),  # noqa: DTZ001 (in the timezone of the petition)
        ('"2027-01-31"', datetime(2027, 1, 31, 23, 59, 59, 999_999)),  # noqa: DTZ001
        ("2027-01-31T18:00:00", datetime(2027, 1, 31, 18)),  # noqa: DTZ001
        ("2027-01-31 18:00:00", datetime(2027, 1, 31, 18)),  # noqa: DTZ001
        ('"2027-01-31T18:00"', datetime(2027, 1, 31, 18)),  # noqa: DTZ001
    ],
)
def test_a_day_alone_means_its_end(tmp_path: Path, written: str, end: datetime) -> None:
    assert read(tmp_path, ("goal = 100", f"goal = 100\ncloses = {written}")).closes == end


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_that_windows_saved_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "notepad.toml"
    mark = "\ufeff" if encoding.endswith("e") else ""
    path.write_bytes(f"{mark}{SMALL}".replace("\n", "\r\n").encode(encoding))
    assert read_petition_file(path) == read(tmp_path)
    half = path.read_bytes()[:-1]
    path.write_bytes(half if "16" in encoding else b"\xcf\xf0\xe8")
    with pytest.raises(InvalidFile, match="cannot be read as UTF-8 text"):
        read_petition_file(path)
