"""A static copy of the public pages: files that any web host can serve while the server is attacked or down.

It is made of the pages that this program itself answers with, without its keys: no personal data can get into it.
"""

import json
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from flask import url_for
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from campaign.errors import CampaignError, InvalidFile
from campaign.i18n import available_languages
from campaign.installation.wiring import Installation
from campaign.models import PetitionState
from campaign.services.digests.archive import list_public_editions
from campaign.services.petitions.store import list_petitions
from campaign.web.app import create_app
from campaign.web.core.context import languages_of
from campaign.web.server.static_links import file_of, readdress_page

MARK = "copy.json"  # the file that marks a folder as a copy of ours, which may be replaced
_COPIED = {"petition", "look", "numbers", "feed", "static"}


class FrozenCopy:
    """The copy that is being made. ``language`` is that of the front page, which has one address for all readers."""

    def __init__(self, installation: Installation, language: str | None = None) -> None:
        if language is not None and language not in available_languages():
            raise CampaignError(f"The pages are not in “{language}”, only in {', '.join(available_languages())}.")
        self._base_url = installation.settings.base_url
        self._at = installation.now()
        self._app = create_app(installation, frozen=True)
        self._client = self._app.test_client(use_cookies=False)
        self._answers: dict[str, TestResponse | None] = {}
        with installation.database.snapshots() as session, self._app.test_request_context(base_url=self._base_url):
            self.pages = _list_pages(session)
            petitions = list_petitions(session, state=PetitionState.OPEN)
        self._language = language or (petitions[0].languages[0] if petitions else available_languages()[0])

    def write(self, target: Path) -> Iterator[str]:
        """Make the copy beside ``target``, report each page, and put it in place when it is complete.

        Raises InvalidFile if something else is there or it cannot be written; then nothing is changed.
        """
        _require_ours(target)
        part = target.with_name(f".{target.name}.part")
        try:
            if part.exists():
                _require_ours(part)
                shutil.rmtree(part)
            _write_file(part / MARK, _mark(self._base_url, self._at))
            for path in self.pages:
                answer = self._answer(path)
                if answer is None:
                    raise CampaignError(f"The page {path} cannot be made; there is no copy.")
                self._write_answer(part, path, answer)
                yield path
            written = set(self.pages)
            while needed := [
                path for path in self._answers if path not in written
            ]:  # files that the pages need: styles, icon
                for path in needed:
                    if (answer := self._answers[path]) is not None:
                        self._write_answer(part, path, answer)
                written.update(needed)
            _put_in_place(part, target)
        except OSError as error:
            raise InvalidFile(f"{target} cannot be written: {error.strerror}.") from None

    def _write_answer(self, folder: Path, path: str, answer: TestResponse) -> None:
        content = answer.get_data()
        if answer.mimetype == "text/html":
            content = readdress_page(content.decode(), path, self._base_url, self._is_copied).encode()
        _write_file(folder / file_of(path), content)

    def _is_copied(self, path: str) -> bool:
        return self._answer(path) is not None

    def _answer(self, path: str) -> TestResponse | None:
        """The server's answer to a visitor without a cookie; None for an address that is not copied."""
        if path not in self._answers:
            self._answers[path] = self._ask(path)
        return self._answers[path]

    def _ask(self, path: str) -> TestResponse | None:
        try:
            endpoint, _ = self._app.url_map.bind("").match(path)
        except HTTPException:
            return None
        if endpoint.partition(".")[0] not in _COPIED:
            return None
        language = {"Accept-Language": self._language}
        answer = self._client.get(path, base_url=self._base_url, headers=language, buffered=True)
        return answer if answer.status_code == 200 else None


def _list_pages(session: Session) -> list[str]:
    """The addresses of all public pages."""
    pages = [url_for("petition.front")]
    for petition in list_petitions(session):
        if petition.state is PetitionState.DRAFT:
            continue
        pages.append(url_for("petition.count", slug=petition.slug))
        for lang in languages_of(petition):
            pages.append(url_for("petition.show", lang=lang, slug=petition.slug))
            pages.append(url_for("petition.updates", lang=lang, slug=petition.slug))
            pages.append(url_for("feed.show", lang=lang, slug=petition.slug))
            pages.append(url_for("numbers.show", lang=lang, slug=petition.slug))
            pages.extend(
                url_for("petition.edition", lang=lang, slug=petition.slug, number=edition.number)
                for edition in list_public_editions(session, petition.id, lang)
            )
    return pages


def _mark(base_url: str, at: datetime) -> bytes:
    return json.dumps({"copy_of": base_url, "at": at.isoformat()}).encode()


def _require_ours(folder: Path) -> None:
    if folder.is_file():
        raise InvalidFile(f"{folder} is a file. Name a new folder, or one with an older copy.")
    if folder.exists() and not (folder / MARK).is_file() and any(folder.iterdir()):
        raise InvalidFile(f"{folder} has something else in it. Name a new folder, or one with an older copy.")


def _write_file(path: Path, content: bytes) -> None:
    """Write a file that a web server can read, though this program's own files cannot be read by others."""
    for folder in reversed(path.parents):
        if not folder.exists():
            folder.mkdir()
            folder.chmod(0o755)
    path.write_bytes(content)
    path.chmod(0o644)


def _put_in_place(part: Path, target: Path) -> None:
    older = target.with_name(f".{target.name}.older")
    if older.exists():
        _require_ours(older)
        shutil.rmtree(older)
    if target.exists():
        target.rename(older)
    part.rename(target)
    if older.exists():
        shutil.rmtree(older)
