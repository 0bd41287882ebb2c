"""What a petition looks like is data: its colour in shades that can be read, its picture, its logo."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from campaign.installation.wiring import Installation
from campaign.media.pictures import read_picture
from campaign.models import PictureKind
from campaign.services.petitions.store import get_petition
from tests.conftest import SLUG
from tests.scenes.pictures import add_picture, png
from tests.scenes.visiting import page_of, read


@pytest.fixture
def looked(installation: Installation) -> Installation:
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        petition.look = {"colour": "#ffcc00"}
        for kind in PictureKind:
            add_picture(session, petition.id, read_picture(png(12, 8 + len(kind))), kind)
    return installation


def test_the_page_has_the_petitions_own_look(app: Flask, looked: Installation) -> None:
    client = app.test_client()
    page = read(client.get(page_of("ru")))
    style = client.get("/look/ffcc00.css")
    assert "/look/ffcc00.css" in [link["href"] for link in page.all("link")]
    assert style.mimetype == "text/css"
    assert "--brand-fill: #" in style.get_data(as_text=True)
    assert "#ffcc00" in style.get_data(as_text=True)  # bright enough for the night as it is
    pictures = page.all("img")
    assert [picture["alt"] for picture in pictures] == ["A red square (ru)"] * 2
    for picture, kind in zip(pictures, (PictureKind.LOGO, PictureKind.PICTURE), strict=True):
        answer = client.get(picture["src"])
        assert answer.mimetype == "image/png"
        assert answer.get_data() == png(12, 8 + len(kind))
        assert (picture["width"], picture["height"]) == ("12", str(8 + len(kind)))
        assert "immutable" in answer.headers["Cache-Control"]


def test_a_petition_without_a_look_has_ours_alone(app: Flask) -> None:
    page = read(app.test_client().get(page_of()))
    assert page.all("img") == []
    assert [link["href"] for link in page.all("link") if "/look/" in link["href"]] == []


@pytest.mark.parametrize("path", ["/look/red.css", "/look/FFCC00.css", "/look/ffcc0.css", "/look/ffcc00}.css"])
def test_what_is_no_colour_has_no_style(app: Flask, path: str) -> None:
    assert app.test_client().get(path).status_code == 404


def test_a_picture_is_had_by_its_content_alone(app: Flask, looked: Installation, session: Session) -> None:
    logo = read_picture(png(12, 12))
    client = app.test_client()
    assert client.get(f"/p/{SLUG}/logo-{logo.digest}.png").status_code == 200
    for wrong in (
        f"logo-{logo.digest}.jpg",
        f"picture-{logo.digest}.png",
        f"logo-{'0' * 64}.png",
        f"other-{logo.digest}.png",
    ):
        assert client.get(f"/p/{SLUG}/{wrong}").status_code == 404
