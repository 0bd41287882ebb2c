"""Organizers' keys: a file of their own that is never overwritten, and a public line whose damage is noticed."""

import stat
from pathlib import Path

import pytest

from campaign.crypto.organizer_keys import OrganizerKey, PublicKeys
from campaign.errors import OrganizerKeyError


def test_a_key_is_kept_for_its_owner_alone_and_never_overwritten(tmp_path: Path) -> None:
    path, key = tmp_path / "mine.key", OrganizerKey.fresh()
    key.write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert OrganizerKey.read(path).public.line == key.public.line
    before = path.read_bytes()
    with pytest.raises(OrganizerKeyError, match="exists already; a key is never overwritten"):
        OrganizerKey.fresh().write(path)
    assert path.read_bytes() == before
    path.chmod(0o640)
    with pytest.raises(OrganizerKeyError, match="chmod 600"):
        OrganizerKey.read(path)


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", '"key"', "nonsense", '{"names": 1, "files": 2, "kind": 3, "public": 4}', "[" * 100_000, "ключ"],
)
def test_what_is_no_key_is_refused_with_a_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "mine.key"
    path.write_text(content, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(OrganizerKeyError, match="is not an organizer's key"):
        OrganizerKey.read(path)


def test_a_key_file_with_halves_of_two_keys_is_refused(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("one", "other")]
    for path in paths:
        OrganizerKey.fresh().write(path)
    one, other = (path.read_text().splitlines() for path in paths)
    paths[0].write_text("\n".join([*one[:-2], *other[-2:]]))
    with pytest.raises(OrganizerKeyError, match="is damaged"):
        OrganizerKey.read(paths[0])


def test_a_key_that_is_not_there_or_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(OrganizerKeyError, match="There is no key"):
        OrganizerKey.read(tmp_path / "none")
    (tmp_path / "folder").mkdir(mode=0o700)
    with pytest.raises(OrganizerKeyError, match="is a folder"):
        OrganizerKey.read(tmp_path / "folder")
    with pytest.raises(OrganizerKeyError, match="cannot be written: No such file"):
        OrganizerKey.fresh().write(tmp_path / "no" / "folder")


def test_a_line_that_was_written_by_an_older_version_is_read() -> None:
    line = (
        "campaign1-ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p-"
        "qrrpwpyhtd474lbz6obdxna42px744f3lsaxgw7enikdcnofqrklagf54u"
    )
    assert PublicKeys.read(line).line == line


def test_a_public_line_is_one_word_of_letters_and_digits() -> None:
    line = OrganizerKey.fresh().public.line
    assert line.startswith("campaign1-")
    assert line.isascii()
    assert line.replace("-", "").isalnum()
    assert PublicKeys.read(f"  {line}\n").line == line


def test_each_damaged_letter_of_a_public_line_is_noticed() -> None:
    line = OrganizerKey.fresh().public.line
    changed = [line[:place] + ("q" if line[place] != "q" else "p") + line[place + 1 :] for place in range(len(line))]
    shorter = [line[:place] + line[place + 1 :] for place in range(len(line))]
    for damaged in [*changed, *shorter, line.upper(), line + "a", line + "=", line[:-20], "", "campaign1-", "age1-x-y"]:
        with pytest.raises(OrganizerKeyError, match="missing or damaged"):
            PublicKeys.read(damaged)


def test_the_halves_of_two_lines_make_no_line() -> None:
    one, other = (OrganizerKey.fresh().public.line.rpartition("-") for _ in range(2))
    with pytest.raises(OrganizerKeyError):
        PublicKeys.read(f"{one[0]}-{other[2]}")
