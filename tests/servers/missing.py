"""What a test does when a service it needs is not on this machine: skip locally, fail in CI."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest


class Missing(Exception):
    """A program the tests need is not on this machine."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not on this machine; tools/test-services installs it.")
        self.what = what


def skip_or_fail(missing: Missing) -> NoReturn:
    """Skip the test with a sentence; with CI=true fail it, since a skipped test proves nothing there."""
    if os.environ.get("CI") == "true":  # noqa: TID251 (the tests' own setting)
        pytest.fail(str(missing), pytrace=False)
    pytest.skip(str(missing))


@contextmanager
def or_skip() -> Iterator[None]:
    """Start within this what may be missing."""
    try:
        yield
    except Missing as missing:
        skip_or_fail(missing)
