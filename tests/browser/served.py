"""The application in this process, served on a port of its own: pages to be looked at, with people in every state."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import update
from werkzeug.serving import make_server

from campaign.models import Petition, Role, Signature
from campaign.services.lifecycle import open_petition
from campaign.services.petition_file import PetitionFile
from campaign.services.petitions import load_petition
from campaign.setting_up import set_up
from campaign.wiring import Campaign, wire
from tests.conftest import SLUG, Clock, quick_app, settings_for
from tests.services.people import confirm, get_signature, sign
from tests.web.organizing import invite
from tests.web.serving import free_port


@dataclass
class Served:
    """An installation, where it is served, and how many people there are in it."""

    campaign: Campaign
    app: Flask
    base_url: str
    clock: Clock
    _people: int = 0
    owner: list[Any] = field(default_factory=list)  # the cookies of one who is signed in
    paper_code: str = ""  # of a line that was entered

    def endpoint_of(self, url: str) -> str:
        """Which of the program's pages an address is."""
        return str(self.app.url_map.bind("").match(urlsplit(url).path)[0])

    def address(self) -> str:
        """Somebody who was not here yet."""
        self._people += 1
        return f"person-{self._people}@example.org"

    def signer(self, lang: str, *, updates: bool = False, confirmed: bool = True) -> str:
        """The address of somebody who has signed; most have confirmed too."""
        address = self.address()
        sign(self.campaign, address, language=lang, updates=updates, comment="From the mine.", country="KZ")
        if confirmed:
            confirm(self.campaign, address)
        return address

    def code(self, address: str) -> str:
        """The code in the mail of a signer."""
        return self.campaign.vault.code(get_signature(self.campaign, address).id)

    def expire(self, address: str) -> None:
        """Let the time to confirm pass for one signer."""
        with self.campaign.database.sessions.begin() as session:
            found = get_signature(self.campaign, address).id
            before = self.clock() - timedelta(minutes=1)
            session.execute(update(Signature).where(Signature.id == found).values(expires_at=before))

    def organizer(self, role: Role = Role.OWNER, *, email: str = "") -> str:
        """The one-time link of a new organizer."""
        return self.base_url + invite(self.campaign, role, email or self.address())

    @contextmanager
    def petition(self, **values: object) -> Iterator[None]:
        """The petition with other ``values`` for a while."""
        with self.campaign.database.sessions.begin() as session:
            petition = session.query(Petition).filter_by(slug=SLUG).one()
            before = {name: getattr(petition, name) for name in values}
            for name, value in values.items():
                setattr(petition, name, value)
        try:
            yield
        finally:
            with self.campaign.database.sessions.begin() as session:
                petition = session.query(Petition).filter_by(slug=SLUG).one()
                for name, value in before.items():
                    setattr(petition, name, value)


@contextmanager
def served(folder: Path, file: PetitionFile) -> Iterator[Served]:
    """Serve a new installation with the petition of ``file`` open."""
    clock, port = Clock(), free_port()
    campaign = wire(settings_for(folder, port=port), now=clock)
    set_up(campaign)
    with campaign.database.sessions.begin() as session:
        open_petition(load_petition(session, file, now=clock()), now=clock())
    app = quick_app(campaign)
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Served(campaign, app, f"http://127.0.0.1:{port}", clock)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        campaign.database.engine.dispose()
        campaign.jobs.close()
