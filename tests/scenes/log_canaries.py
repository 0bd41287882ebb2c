"""A pytest plugin: whatever is logged in any test is looked through, as production would write it.

A test that makes a name, an address, a token or a network's address reach the log fails at its end, each worker of
xdist for itself. ``find_canaries`` does the same for what a server of its own has printed.
"""

import logging
import re
from collections.abc import Generator

import pytest

from campaign.logs import JsonLines, PlainLines

_SUSPECT = {
    "an e-mail address": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*"),
    "an IPv4 address": re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"),
    "an IPv6 address": re.compile(r"(?<![\w:])(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}(?![\w:])|::1\b|\b2001:db8:"),
    "a token of a mail": re.compile(r"\b[0-9a-fA-F]{48}\b"),
    "a token of a link": re.compile(r"(?<![\w-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]{32}(?![\w-])"),
    "a name that signs in tests": re.compile(r"Aigerim|Serikova|Айгерим|Серікова|Dana Orazova|four quiet words"),
    "a query": re.compile(r"\?\w+="),
}


def find_canaries(logged: str) -> list[str]:
    """What in ``logged`` may never be there."""
    return [f"{what}: {found[0]}" for what, pattern in _SUSPECT.items() for found in pattern.finditer(logged)]


class _Watch(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[str] = []
        self._as = (JsonLines(), PlainLines())

    def emit(self, record: logging.LogRecord) -> None:
        for form in self._as:
            line = form.format(record)
            self.found += [f"{found} in {line}" for found in find_canaries(line)]


_WATCH = _Watch()


def pytest_configure() -> None:
    logging.getLogger().addHandler(_WATCH)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None, None, None]:
    yield
    found, _WATCH.found = _WATCH.found, []
    if found:
        pytest.fail("The log would hold " + "; ".join(found))
