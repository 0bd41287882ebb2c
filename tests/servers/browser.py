"""A headless Chromium of the system, driven by playwright."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from .missing import Missing

# A browser in a test talks to the page under test and to nobody else.
ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def _program() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    raise Missing("Chromium")


@contextmanager
def chromium() -> Iterator[Browser]:
    """`with chromium() as browser: page = browser.new_page()`."""
    program = _program()
    # Chromium's sandbox refuses to start as root, and root is who runs tests in a container.
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*ARGUMENTS, *as_root])
        try:
            yield browser
        finally:
            browser.close()
