"""Spreading a petition: what is passed on is its public address; pictures, posters, badges and boxes say what is so."""

import json
import re
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest
import segno
import typst
from flask import Flask
from flask.testing import FlaskClient

from campaign.installation.wiring import Installation
from campaign.media.pdf import DOCUMENTS, PrintCache
from campaign.models import PetitionState
from campaign.services.petitions.store import get_petition
from campaign.web.app import create_app
from campaign.web.public.printed import round_down
from tests.conftest import SLUG
from tests.scenes.people import add_readers, find_petition
from tests.scenes.printed import read_pdf, read_png, squeeze
from tests.scenes.visiting import FROM_HERE, confirm_path, page_of, post, read

LIVE = "http://127.0.0.1:8000"
EVERYWHERE = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}


@pytest.fixture
def installation(sqlite_installation: Installation) -> Installation:
    """One database is enough for pages: the services are tested on both."""
    return sqlite_installation


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def set_count(installation: Installation, confirmed: int) -> None:
    with installation.database.sessions.begin() as session:
        get_petition(session, SLUG).counter.confirmed = confirmed


def shared(page: str) -> dict[str, str]:
    """The address that each way of sharing passes on, by the source that it names."""
    found = re.findall(re.escape(LIVE) + r"/[\w/-]+\?source=\w+", page)
    return {address.rpartition("=")[2]: address.partition("?")[0] for address in found}


def test_every_way_of_sharing_passes_the_public_address_on_and_says_which_way_it_was(client: FlaskClient) -> None:
    page = read(client.get(page_of("ru")))
    links = {urlsplit(at).netloc or urlsplit(at).scheme: at for _, at in page.addresses()}
    telegram = parse_qs(urlsplit(links["t.me"]).query)
    whatsapp = parse_qs(urlsplit(links["wa.me"]).query)
    mail = parse_qs(urlsplit(links["mailto"]).query)
    title, address = page.one("h1").text, f"{LIVE}{page_of('ru')}"
    assert telegram == {"url": [f"{address}?source=telegram"], "text": [title]}
    assert whatsapp == {"text": [f"{title} {address}?source=whatsapp"]}
    assert mail == {"subject": [title], "body": [f"{title}\r\n\r\n{address}?source=mail"]}
    assert page.by_id("share-address")["value"] == f"{address}?source=copy"
    assert page.one("section", **{"class": "share"})["data-address"] == f"{address}?source=share"
    for link in ("t.me", "wa.me", "mailto"):
        assert {"noopener", "noreferrer"} <= set(page.one("a", href=links[link])["rel"].split())


def test_whoever_has_confirmed_is_led_to_a_public_page_for_sharing(
    client: FlaskClient, installation: Installation
) -> None:
    """The links to other sites stand there: the address of this page is a secret, and Lynx would tell it to them."""
    post(client)
    path = confirm_path(installation)
    for answer in (client.post(path, data={"action": "confirm"}, headers=FROM_HERE), client.get(path)):
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        page = read(answer)
        assert not [link for link in page.all("a") if "t.me" in link["href"] or "wa.me" in link["href"]]
        link = page.one("a", href=f"{page_of()}/spread")
        assert link.text == "Tell others about this petition"
        assert "t.me" in client.get(link["href"]).get_data(as_text=True)


def test_services_are_told_title_address_and_picture(client: FlaskClient) -> None:
    page = read(client.get(page_of("kk")))
    told = {element["property"] or element["name"]: element["content"] for element in page.all("meta")}
    assert told["og:title"] == page.one("h1").text
    assert told["og:url"] == f"{LIVE}{page_of('kk')}"
    assert told["twitter:card"] == "summary_large_image"
    assert told["og:image:alt"]
    picture = read_png(client.get(urlsplit(told["og:image"]).path).data)
    assert (str(picture.width), str(picture.height)) == (told["og:image:width"], told["og:image:height"])


@pytest.mark.parametrize(
    ("count", "rounded"), [(10, 10), (15, 10), (99, 90), (100, 100), (123, 120), (1234, 1200), (98765, 98000)]
)
def test_a_count_is_rounded_down(count: int, rounded: int) -> None:
    assert round_down(count) == rounded


@pytest.mark.parametrize(
    ("count", "told"),
    [(9, "Sign the petition"), (10, "10 people have signed"), (1234, "More than 1,200 people have signed")],
)
def test_a_picture_tells_a_count_that_stays_true(
    app: Flask, client: FlaskClient, installation: Installation, count: int, told: str
) -> None:
    set_count(installation, count)
    client.get(f"{page_of()}/picture.png")
    cache: PrintCache = app.extensions["prints"]
    ((_, _, data),) = cache._printed
    assert json.loads(data)["count"] == told


def test_a_picture_is_made_anew_only_when_it_shows_something_else(
    app: Flask, client: FlaskClient, installation: Installation
) -> None:
    cache: PrintCache = app.extensions["prints"]
    set_count(installation, 1201)
    first = client.get(f"{page_of()}/picture.png")
    assert (first.status_code, first.mimetype) == (200, "image/png")
    assert first.headers["Cache-Control"] == "public, max-age=3600"
    assert EVERYWHERE.items() <= dict(first.headers).items()
    set_count(installation, 1299)
    assert client.get(f"{page_of()}/picture.png").headers["ETag"] == first.headers["ETag"]
    known = client.get(f"{page_of()}/picture.png", headers={"If-None-Match": first.headers["ETag"]})
    assert (known.status_code, known.data) == (304, b"")
    assert len(cache._printed) == 1
    set_count(installation, 1301)
    assert client.get(f"{page_of()}/picture.png").headers["ETag"] != first.headers["ETag"]
    with installation.database.sessions.begin() as session:
        get_petition(session, SLUG).look = {"colour": "#0057b7"}
    picture = read_png(client.get(f"{page_of()}/picture.png").data)
    assert picture.pixels[620][1190] == (0, 0x57, 0xB7)


@pytest.mark.parametrize("what", ["picture.png", "poster.pdf", "badge.svg", "spread", "paper"])
def test_of_a_draft_and_of_nothing_nothing_is_made(client: FlaskClient, installation: Installation, what: str) -> None:
    assert client.get(f"{page_of()}/{what}").status_code == 200
    assert client.get(f"/xx/p/{SLUG}/{what}").status_code == 404
    with installation.database.sessions.begin() as session:
        get_petition(session, SLUG).state = PetitionState.DRAFT
    assert client.get(f"{page_of()}/{what}").status_code == 404


@pytest.mark.parametrize("lang", ["en", "ru", "kk"])
def test_a_poster_has_the_demands_and_the_address(client: FlaskClient, installation: Installation, lang: str) -> None:
    answer = client.get(f"{page_of(lang)}/poster.pdf")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    poster = read_pdf(answer.data)
    assert len(poster.pages) == 1
    petition = find_petition(installation)
    assert squeeze(petition.texts[lang]["title"]) in poster.text
    titles = [element.text for element in read(client.get(page_of(lang))).all("strong")]
    demands = [title for title in titles if squeeze(title) in poster.text]
    assert len(demands) >= 4
    assert f"{LIVE}{page_of(lang)}" in poster.text


def test_the_code_on_the_poster_leads_to_the_page(client: FlaskClient, app: Flask) -> None:
    """The poster is drawn, and each module of the code compared with the one that the library works out."""
    client.get(f"{page_of()}/poster.pdf")
    cache: PrintCache = app.extensions["prints"]
    ((_, _, data),) = cache._printed
    drawn = typst.compile(
        str(DOCUMENTS / "poster.typ"),
        root=str(DOCUMENTS),
        format="png",
        ppi=72,
        ignore_system_fonts=True,
        sys_inputs={"data": data},
    )
    assert isinstance(drawn, bytes)
    wanted = [list(row) for row in segno.make(f"{LIVE}{page_of()}?source=poster", error="m", micro=False).matrix]
    pixels = read_png(drawn).pixels
    dark = [[sum(pixel) < 3 * 128 for pixel in row] for row in pixels]
    # Below the coloured head the frame around the code begins first from the left; the code is 3 mm within it.
    frame = next(at for at in range(400, len(dark)) if sum(dark[at][52:262]) > 200)
    left, top, size = 51 + 72 / 25.4 * 3, frame + 72 / 25.4 * 3, 72 / 25.4 * 70
    step = size / len(wanted)
    found = [
        [
            int(dark[round(top + (row + 0.5) * step)][round(left + (column + 0.5) * step)])
            for column in range(len(wanted))
        ]
        for row in range(len(wanted))
    ]
    assert found == wanted


@pytest.mark.parametrize(
    ("lang", "count", "told"),
    [
        ("en", 1, "1 signature"),
        ("en", 1234, "1,234 signatures"),
    ],
)
def test_a_badge_is_a_picture_of_the_count(
    client: FlaskClient, installation: Installation, lang: str, count: int, told: str
) -> None:
    set_count(installation, count)
    answer = client.get(f"{page_of(lang)}/badge.svg")
    assert answer.mimetype == "image/svg+xml"
    assert answer.headers["Cache-Control"] == "public, max-age=60"
    assert EVERYWHERE.items() <= dict(answer.headers).items()
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    drawn = ET.fromstring(answer.data)
    texts = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[1] == told
    assert {element.tag.rpartition("}")[2] for element in drawn.iter()} == {"svg", "title", "rect", "path", "g", "text"}


def test_the_script_for_other_websites_is_for_all_of_them(client: FlaskClient) -> None:
    answer = client.get("/embed.js", buffered=True)
    assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
    assert EVERYWHERE.items() <= dict(answer.headers).items()
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert "Set-Cookie" not in answer.headers
    again = client.get("/embed.js", headers={"If-None-Match": answer.headers["ETag"]}, buffered=True)
    assert again.status_code == 304


def oembed(client: FlaskClient, address: str, **asked: object) -> tuple[int, dict[str, object]]:
    answer = client.get("/oembed", query_string={"url": address, **asked})
    return answer.status_code, answer.get_json() if answer.is_json else {}


def test_whoever_asks_how_to_show_a_petition_is_told_the_box_and_the_picture(
    client: FlaskClient, installation: Installation
) -> None:
    """oembed.com 1.0; found by the link in the page's head."""
    set_count(installation, 1234)
    link = read(client.get(page_of("ru"))).one("link", type="application/json+oembed")
    answer = client.get(link["href"].removeprefix(LIVE))
    assert answer.mimetype == "application/json"
    assert EVERYWHERE.items() <= dict(answer.headers).items()
    told = answer.get_json()
    assert (told["version"], told["type"], told["provider_url"]) == ("1.0", "rich", LIVE)
    assert told["title"].startswith(find_petition(installation).texts["ru"]["title"])
    assert (told["width"], told["height"]) == (420, 240)
    assert f'data-campaign="{LIVE}{page_of("ru")}"' in told["html"]
    assert f'href="{LIVE}{page_of("ru")}?source=embed"' in told["html"]
    assert (told["thumbnail_url"], told["thumbnail_width"], told["thumbnail_height"]) == (
        f"{LIVE}{page_of('ru')}/picture.png",
        1200,
        630,
    )


def test_nothing_larger_than_there_is_room_for_is_offered(client: FlaskClient) -> None:
    status, told = oembed(client, f"{LIVE}{page_of()}", maxwidth=600, maxheight=400)
    assert (status, told["type"]) == (200, "rich")
    assert "thumbnail_url" not in told
    status, told = oembed(client, f"{LIVE}{page_of()}", maxwidth=300)
    assert (status, told["type"]) == (200, "link")
    assert not {"html", "width", "height"} & set(told)
    assert oembed(client, f"{LIVE}{page_of()}", maxwidth="many", maxheight="-1")[1]["type"] == "rich"


def test_another_format_is_not_implemented(client: FlaskClient) -> None:
    assert oembed(client, f"{LIVE}{page_of()}", format="xml")[0] == 501


@pytest.mark.parametrize(
    "address",
    [
        "",
        "x",
        LIVE,
        f"{LIVE}/",
        f"{LIVE}/en/p/unknown",
        f"{LIVE}/xx/p/{SLUG}",
        f"{LIVE}/en/p/{SLUG}/updates",
        f"{LIVE}.evil.example/en/p/{SLUG}",
        f"https://evil.example/en/p/{SLUG}",
        f"https://evil.example/?{LIVE}/en/p/{SLUG}",
        f"{LIVE}/organize/p/{SLUG}",
        f"{LIVE}//en/p/{SLUG}",
        f"{LIVE}/en/p/\x00",
        f"javascript:{LIVE}/en/p/{SLUG}",
        f"{LIVE}/[en/p/{SLUG}",
        f"{LIVE}///[::1",
    ],
)
def test_of_any_other_address_nothing_is_told(client: FlaskClient, address: str) -> None:
    assert oembed(client, address)[0] == 404


def test_titles_of_organizers_break_out_of_nothing(client: FlaskClient, installation: Installation) -> None:
    title = "\"><script>alert(1)</script>' & </textarea> {{ 7*7 }}"
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        petition.texts = {lang: {**texts, "title": title} for lang, texts in petition.texts.items()}
    for path, ours in ((page_of(), ["count.js", "share.js"]), (f"{page_of()}/spread", ["share.js"])):
        scripts = [script["src"] for script in read(client.get(path)).all("script")]
        assert [address.removeprefix("/static/").partition("?")[0] for address in scripts] == ours
    lines = read(client.get(f"{page_of()}/spread")).by_id("box-lines")
    assert "<script>alert" not in "".join(lines.words)
    _, told = oembed(client, f"{LIVE}{page_of()}")
    assert "<script>alert" not in str(told["html"])
    ET.fromstring(client.get(f"{page_of()}/badge.svg").data)
    assert squeeze(title) in read_pdf(client.get(f"{page_of()}/poster.pdf").data).text


def test_the_page_to_spread_it_offers_lines_that_work(client: FlaskClient, installation: Installation) -> None:
    add_readers(installation, "a@example.org")
    page = read(client.get(f"{page_of()}/spread"))
    box, badge = ("".join(page.by_id(each).words) for each in ("box-lines", "badge-lines"))
    assert shared(box) == {"embed": f"{LIVE}{page_of()}"}
    assert f'<script src="{LIVE}/embed.js" async></script>' in box
    assert shared(badge) == {"badge": f"{LIVE}{page_of()}"}
    assert f'<img src="{LIVE}{page_of()}/badge.svg"' in badge
    assert page.all("a", href=f"{page_of()}/poster.pdf")
    assert all("readonly" in area.attributes for area in page.all("textarea"))


def test_while_the_server_is_locked_it_can_still_be_spread(installation: Installation) -> None:
    installation.lock.close_here(None, now=installation.now())
    locked = create_app(installation).test_client()
    assert [locked.get(f"{page_of()}/{what}").status_code for what in ("spread", "picture.png", "badge.svg")] == [
        200
    ] * 3
