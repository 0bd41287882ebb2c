"""The limit on signatures from one network: /24 and /56 count as one, nothing typed is lost, and it can be off."""

from datetime import timedelta

import pytest
from flask import Flask

from campaign.installation.wiring import Installation
from campaign.web.app import create_app
from tests.conftest import Clock, MakeInstallation
from tests.scenes.people import list_deliveries
from tests.scenes.visiting import FILLED_IN, FROM_HERE, dump, page_of, read

TOO_MANY = "Very many signatures came from where you are."


def sign(app: Flask, number: int, source: str, **headers: str) -> int:
    """One more person signs from ``source``; the status."""
    answer = app.test_client().post(
        page_of(),
        data={**FILLED_IN, "email": f"signer{number}@example.org"},
        headers={**FROM_HERE, **headers},
        environ_base={"REMOTE_ADDR": source},
    )
    return answer.status_code


@pytest.mark.parametrize(
    ("first", "second", "one_network"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.254", True),
        ("192.0.2.1", "192.0.3.1", False),
        ("192.0.2.1", "198.51.100.1", False),
        ("2001:db8:0:100::1", "2001:db8:0:1ff:ffff::2", True),
        ("2001:db8:0:100::1", "2001:db8:0:200::1", False),
        ("2001:db8::1", "2001:db9::1", False),
        ("192.0.2.1", "2001:db8::1", False),
    ],
)
def test_a_network_is_a_24_or_a_56(
    make_sqlite_installation: MakeInstallation, first: str, second: str, one_network: bool
) -> None:
    app = create_app(make_sqlite_installation(source_limit="2/hour"))
    assert [sign(app, number, first) for number in range(2)] == [303, 303]
    assert sign(app, 3, second) == (429 if one_network else 303)


def test_an_ipv4_address_that_is_written_as_ipv6_is_its_ipv4_network(
    make_sqlite_installation: MakeInstallation,
) -> None:
    """A socket for both writes ``::ffff:192.0.2.1``; else all of IPv4 would be one network."""
    app = create_app(make_sqlite_installation(source_limit="1/hour", host="::", base_url="http://localhost:8000"))
    assert sign(app, 1, "::ffff:192.0.2.1") == 303
    assert sign(app, 2, "::ffff:198.51.100.1") == 303
    assert sign(app, 3, "::ffff:192.0.2.9") == 429


def test_one_signature_too_many_is_refused_and_the_form_is_kept(make_installation: MakeInstallation) -> None:
    installation = make_installation(source_limit="3/hour")
    app = create_app(installation)
    assert [sign(app, number, "192.0.2.1") for number in range(3)] == [303, 303, 303]
    before = dump(installation)
    answer = app.test_client().post(
        page_of(), data={**FILLED_IN, "updates": "y"}, headers=FROM_HERE, environ_base={"REMOTE_ADDR": "192.0.2.9"}
    )
    assert answer.status_code == 429
    page = read(answer)
    assert TOO_MANY in page.one("div", role="alert").text
    kept = page.filled_in()
    typed = {**FILLED_IN, "updates": "y"}
    assert {name: kept.get(name) for name in typed} == typed
    assert dump(installation) == before
    assert app.test_client().get(page_of(), environ_base={"REMOTE_ADDR": "192.0.2.9"}).status_code == 200


def test_a_form_with_a_mistake_does_not_count(make_sqlite_installation: MakeInstallation) -> None:
    """Who mistypes an address has still signed only once."""
    app = create_app(make_sqlite_installation(source_limit="1/hour"))
    for _ in range(3):
        wrong = app.test_client().post(
            page_of(),
            data={**FILLED_IN, "email": ""},
            headers=FROM_HERE,
            environ_base={"REMOTE_ADDR": "192.0.2.1"},
        )
        assert wrong.status_code == 422
    assert sign(app, 1, "192.0.2.1") == 303


def test_the_next_day_begins_anew(make_sqlite_installation: MakeInstallation, clock: Clock) -> None:
    """The key that hides the network changes every day."""
    app = create_app(make_sqlite_installation(source_limit="1/day"))
    assert [sign(app, number, "192.0.2.1") for number in range(2)] == [303, 429]
    clock.turn(timedelta(days=1))
    assert sign(app, 2, "192.0.2.1") == 303


def test_off_is_off(make_sqlite_installation: MakeInstallation) -> None:
    installation = make_sqlite_installation(source_limit="off")
    app = create_app(installation)
    assert {sign(app, number, "192.0.2.1") for number in range(70)} == {303}
    assert len(list_deliveries(installation)) == 70


@pytest.mark.parametrize(
    ("proxies", "forwarded", "statuses"),
    [
        (0, ["203.0.113.1", "203.0.114.1"], [303, 429]),  # nobody's word is taken for it
        (1, ["203.0.113.1", "203.0.114.1"], [303, 303]),
        (1, ["203.0.113.1", "1.1.1.1, 203.0.113.2"], [303, 429]),  # what a signer put before the proxy's word
        (2, ["203.0.113.1, 198.51.100.1", "203.0.113.2, 198.51.100.9"], [303, 429]),
        (1, ["203.0.113.1:9999", "203.0.113.2:1", "203.0.114.1:9999"], [303, 429, 303]),
        (1, ["[2001:db8::1]:443", "2001:db8::2", "[2001:db8:1::1]"], [303, 429, 303]),
        (1, ["unknown", "nonsense", "_hidden", "203.0.113.1:"], [303, 429, 429, 429]),
    ],
)
def test_only_the_configured_proxies_are_believed(
    make_sqlite_installation: MakeInstallation, proxies: int, forwarded: list[str], statuses: list[int]
) -> None:
    app = create_app(make_sqlite_installation(source_limit="1/hour", trusted_proxies=proxies))
    found = [sign(app, number, "10.0.0.1", **{"X-Forwarded-For": way}) for number, way in enumerate(forwarded)]
    assert found == statuses


def test_no_address_of_a_network_is_kept(make_sqlite_installation: MakeInstallation) -> None:
    installation: Installation = make_sqlite_installation(source_limit="9/hour")
    app = create_app(installation)
    assert sign(app, 1, "203.0.113.77") == 303
    assert "203.0.113" not in str(dump(installation))
    counted = app.extensions["source_limit"]._tally._entries
    assert len(counted) == 1
    assert "203.0.113" not in str(counted)


def test_a_source_that_is_no_address_is_told_once_and_not_repeated(
    make_sqlite_installation: MakeInstallation, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(make_sqlite_installation(source_limit="9/hour", trusted_proxies=1))
    for number in range(3):
        assert sign(app, number, "10.0.0.1", **{"X-Forwarded-For": "somebody"}) == 303
    told = [line for line in caplog.messages if "no IP address" in line]
    assert len(told) == 1
    assert "X-Forwarded-For" in told[0]
    assert "somebody" not in told[0]
