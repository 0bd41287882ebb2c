"""A thousand people at once post one address, spelled in many ways, to a real server: it is one signature."""

import resource
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from shutil import copytree
from threading import Barrier
from urllib.parse import urlencode

import pytest
from sqlalchemy import func, select

from campaign.models import ConfirmationAllowance, Delivery, Signature, SignatureState
from campaign.text.email_address import parse_email_address
from tests.conftest import MakeInstallation
from tests.scenes.serving import free_port, serving
from tests.scenes.visiting import FILLED_IN, FROM_HERE, page_of

CROWD = 1000
SPELLINGS = [
    "aigerim@bücher.example.org",
    "Aigerim@bücher.example.org",
    "AIGERIM@BÜCHER.EXAMPLE.ORG",
    "  aigerim@bücher.example.org  ",
    "aigerim@xn--bcher-kva.example.org",
    "aigerim@XN--BCHER-KVA.Example.Org",
    "\taigerim@xn--bcher-kva.example.org\n",
    "aigerim@bu\u0308cher.example.org",  # the same letter as two characters
]


@pytest.fixture
def many_files() -> Iterator[None]:
    """A thousand connections need as many open files, here and in the server."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * CROWD if hard == resource.RLIM_INFINITY else min(4 * CROWD, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_spellings_are_one_address() -> None:
    assert len({parse_email_address(spelling).comparable for spelling in SPELLINGS}) == 1
    assert len(set(SPELLINGS)) == len(SPELLINGS)


@pytest.mark.usefixtures("many_files")
def test_a_thousand_posts_of_one_address_are_one_signature_and_one_mail(
    tmp_path: Path, sqlite_template: Path, make_sqlite_installation: MakeInstallation
) -> None:
    """Every one of them is answered like the only one."""
    copytree(sqlite_template, tmp_path / "var")
    port, ready = free_port(), Barrier(CROWD)

    def post(number: int) -> int:
        body = urlencode({**FILLED_IN, "email": SPELLINGS[number % len(SPELLINGS)]})
        headers = {**FROM_HERE, "Content-Type": "application/x-www-form-urlencoded"}
        connection = HTTPConnection("127.0.0.1", port, timeout=300)
        ready.wait()
        try:
            connection.request("POST", page_of(), body, headers)
            return connection.getresponse().status
        finally:
            connection.close()

    with (
        serving(["-m", "campaign", "serve"], tmp_path, port, source_limit="off", form_min_seconds=0) as printed,
        ThreadPoolExecutor(CROWD) as crowd,
    ):
        answers = Counter(crowd.map(post, range(CROWD)))
    assert answers == {303: CROWD}
    assert printed.read_text(encoding="utf-8") == ""
    with make_sqlite_installation().database.snapshots() as session:
        assert session.scalars(select(Signature.state)).all() == [SignatureState.PENDING]
        assert session.scalar(select(func.count()).select_from(Delivery)) == 1
        assert session.scalars(select(ConfirmationAllowance.mails)).all() == [1]
