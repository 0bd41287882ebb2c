"""Petition pages per second, from the application itself."""

from pathlib import Path

from flask import Flask

from campaign.web.app import create_app

from .measuring import SLUG, Result, new_installation, per_second

COUNT = 500


def petition_page(folder: Path) -> Result:
    """The rendered page, compared with a Flask view that returns one word; both by the test client, without network."""
    ours = create_app(new_installation(folder)).test_client()
    bare = Flask("bare")
    bare.add_url_rule("/", view_func=lambda: "hello")
    hello = bare.test_client()

    def get_pages() -> None:
        for _ in range(COUNT):
            ours.get(f"/kk/p/{SLUG}")

    def get_hellos() -> None:
        for _ in range(COUNT):
            hello.get("/")

    get_pages()
    return Result("petition pages", per_second(COUNT, get_pages), per_second(COUNT, get_hellos), "a bare Flask view")
