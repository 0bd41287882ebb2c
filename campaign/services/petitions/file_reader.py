"""Reads campaign files (TOML). A mistake in a file is one sentence that names the place."""

import codecs
import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from campaign.errors import InvalidFile
from campaign.media.pictures import MOST_BYTES, Picture, read_picture
from campaign.models import PictureKind
from campaign.services.petitions.file_schema import PetitionFile, UpdateFile, check_languages

Part = TypeVar("Part", bound=BaseModel)
_MOST_BYTES = 4 * 1024 * 1024


def _place(location: tuple[int | str, ...]) -> str:
    """``("demands", 1, "text", "ru")`` → ``demands[2].text.ru``, counted from one."""
    place = ""
    for step in location:
        place += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if place else step
    return place


_SENTENCES = {
    "extra_forbidden": "is not a key that a campaign file has",
    "missing": "is missing",
    "string_too_short": "is empty",
    "dict_type": "must have a text for each language",
}


def _sentence(problem: Any) -> str:
    place = _place(problem["loc"])
    said = _SENTENCES.get(problem["type"]) or problem["msg"].removeprefix("Value error, ")
    said = re.sub(r"^String should", "should", re.sub(r"^Input should", "should", said))
    return f"{place} {said}" if place else said


def _text(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise InvalidFile(f"The file {path.name} is too large for a campaign file; 4 MiB are the most.")
    # The editor of Windows begins a file with a byte order mark, in UTF-8 or, if “Unicode” was chosen, in UTF-16.
    is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if is_utf16 else "utf-8-sig")


def _read(path: Path, kind: type[Part]) -> Part:
    try:
        return kind.model_validate(tomllib.loads(_text(path)))
    except FileNotFoundError:
        raise InvalidFile(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise InvalidFile(f"{path} is a folder, not a file.") from None
    except (OSError, UnicodeDecodeError):
        raise InvalidFile(f"The file {path} cannot be read as UTF-8 text.") from None
    except tomllib.TOMLDecodeError as error:
        raise InvalidFile(f"{path.name}: {error}.") from None
    except ValidationError as error:
        raise InvalidFile(f"{path.name}: {_sentence(error.errors()[0])}.") from None
    except RecursionError:
        raise InvalidFile(f"{path.name}: lists or tables are nested too deeply.") from None
    except ValueError:  # a number of thousands of digits, or a name that no file can have
        raise InvalidFile(f"{path.name} is no campaign file: a part of it cannot be read.") from None


def read_petition_file(path: Path) -> PetitionFile:
    """The content of the campaign file ``path``. Raises InvalidFile with the first mistake and its place."""
    return _read(path, PetitionFile)


def read_pictures(path: Path, file: PetitionFile) -> dict[PictureKind, Picture]:
    """The pictures of the campaign file ``path``; their files are beside it, or below. Raises InvalidFile."""
    return {
        kind: _read_picture(path, kind, named.file)
        for kind in PictureKind
        if (named := getattr(file.look, kind)) is not None
    }


def _read_picture(path: Path, kind: PictureKind, name: str) -> Picture:
    place = f"{path.name}: look.{kind}"
    beside = path.resolve().parent
    try:
        named = (beside / name).resolve()
        if not named.is_relative_to(beside):
            raise InvalidFile(f"{place}.file: a picture stands in the folder of the campaign file, or below it.")
        with named.open("rb") as opened:
            return read_picture(opened.read(MOST_BYTES + 1))
    except (OSError, RuntimeError):
        raise InvalidFile(f"{place}.file: “{name}” cannot be read.") from None
    except ValueError as error:
        raise InvalidFile(f"{place}.file: “{name}” {error}.") from None


def read_update_file(path: Path, languages: list[str]) -> UpdateFile:
    """The update in the TOML file ``path``, complete in ``languages``. Raises InvalidFile."""
    update = _read(path, UpdateFile)
    try:
        check_languages(update, languages)
    except ValueError as error:
        raise InvalidFile(f"{path.name}: {error}.") from None
    return update
