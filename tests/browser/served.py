"""The application in this process, served on a port of its own: pages to be looked at, with people in every state."""

import logging
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, abort, request, template_rendered
from jinja2 import Template
from sqlalchemy import update
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from campaign.installation.setup import set_up
from campaign.installation.wiring import Installation, wire
from campaign.media.pictures import read_picture
from campaign.models import Edition, Petition, PictureKind, Role, Signature
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.petitions.file_schema import PetitionFile
from campaign.services.petitions.lifecycle import open_petition
from campaign.services.petitions.store import load_petition
from campaign.web.app import create_app
from campaign.web.core import locked_mode
from campaign.web.core.locked_mode import Keyless
from tests.conftest import SLUG, Clock, close_installation, quick_app, settings_for
from tests.scenes.organizing import OTHER, OTHER_TITLE, invite
from tests.scenes.people import confirm, get_signature, sign
from tests.scenes.pictures import add_picture, png
from tests.scenes.serving import free_port


@dataclass
class Served:
    """An installation, where it is served, and how many people there are in it."""

    installation: Installation
    app: Flask
    base_url: str
    clock: Clock
    _people: int = 0
    owner: list[Any] = field(default_factory=list)  # the cookies of one who is signed in
    paper_code: str = ""  # of a line that was entered
    asked_to_confirm: dict[str, str] = field(default_factory=dict)  # who got the mail for it in each language
    rendered: list[str] = field(default_factory=list)  # the pages that were made, by their templates

    def endpoint_of(self, url: str) -> str:
        """Which of the program's pages an address is."""
        return str(self.app.url_map.bind("").match(urlsplit(url).path)[0])

    def note_page(self, _app: Flask, template: Template, **_told: object) -> None:
        """Keep in mind which page was made."""
        self.rendered.append(str(template.name))

    def address(self) -> str:
        """Somebody who was not here yet."""
        self._people += 1
        return f"person-{self._people}@example.org"

    def signer(self, lang: str, *, updates: bool = False, confirmed: bool = True) -> str:
        """The address of somebody who has signed; most have confirmed too."""
        address = self.address()
        sign(self.installation, address, language=lang, updates=updates, comment="From the mine.", country="KZ")
        if confirmed:
            confirm(self.installation, address)
        return address

    def code(self, address: str) -> str:
        """The code in the mail of a signer."""
        return self.installation.vault.code(get_signature(self.installation, address).id)

    def expire(self, address: str) -> None:
        """Let the time to confirm pass for one signer."""
        with self.installation.database.sessions.begin() as session:
            found = get_signature(self.installation, address).id
            before = self.clock() - timedelta(minutes=1)
            session.execute(update(Signature).where(Signature.id == found).values(expires_at=before))

    def organizer(self, role: Role = Role.OWNER, *, email: str = "", slug: str = SLUG) -> str:
        """The one-time link of a new organizer."""
        return self.base_url + invite(self.installation, role, email or self.address(), slug)

    def petition(self, slug: str = SLUG, **values: object) -> AbstractContextManager[None]:
        """The petition with other ``values`` for a while."""
        return self._changed(Petition, {"slug": slug}, values)

    def edition(self, **values: object) -> AbstractContextManager[None]:
        """The first edition with other ``values`` for a while."""
        return self._changed(Edition, {"number": 1}, values)

    @contextmanager
    def _changed(self, kind: type[Any], found_by: dict[str, object], values: dict[str, object]) -> Iterator[None]:
        with self.installation.database.sessions.begin() as session:
            row = session.query(kind).filter_by(**found_by).one()
            before = {name: getattr(row, name) for name in values}
            for name, value in values.items():
                setattr(row, name, value)
        try:
            yield
        finally:
            with self.installation.database.sessions.begin() as session:
                row = session.query(kind).filter_by(**found_by).one()
                for name, value in before.items():
                    setattr(row, name, value)

    @contextmanager
    def without_keys(self, *, frozen: bool) -> Iterator["Served"]:
        """The same installation, locked, or as a copy of it shows its pages."""
        app = create_app(self.installation, frozen=frozen)
        if not frozen:
            locked_mode.install(app, Keyless())
        with _serving(app, free_port()) as base_url:
            yield replace(self, app=app, base_url=base_url)


@contextmanager
def _serving(app: Flask, port: int) -> Iterator[str]:
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _fail_on_demand() -> None:
    """Answer /error/500 with that error: most are met where something is broken that here is not."""
    found = re.fullmatch(r"/error/(\d+)", request.path)
    if found:
        abort(int(found[1]))


def _load(session: Session, file: PetitionFile, clock: Clock) -> None:
    """The petition of ``file``, open; beside it a draft with pictures, which nobody has signed."""
    open_petition(
        session, load_petition(session, file, actor=COMMAND_LINE, now=clock()), actor=COMMAND_LINE, now=clock()
    )
    texts = {"slug": OTHER, "title": dict.fromkeys(file.languages, OTHER_TITLE), "updates": [], "timeline": []}
    other = load_petition(session, file.model_copy(update=texts), actor=COMMAND_LINE, now=clock())
    other.look = {"colour": "#8f1d2c"}
    add_picture(session, other.id, read_picture(png(120, 40)), PictureKind.LOGO)
    add_picture(session, other.id, read_picture(png(1200, 400)), PictureKind.PICTURE)


@contextmanager
def served(folder: Path, file: PetitionFile) -> Iterator[Served]:
    """Serve a new installation with the petition of ``file`` open."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    clock, port = Clock(), free_port()
    installation = wire(settings_for(folder, port=port), now=clock)
    set_up(installation)
    with installation.database.sessions.begin() as session:
        _load(session, file, clock)
    app = quick_app(installation)
    app.before_request(_fail_on_demand)
    try:
        with _serving(app, port) as base_url:
            place = Served(installation, app, base_url, clock)
            template_rendered.connect(place.note_page, app)
            yield place
    finally:
        close_installation(installation)
