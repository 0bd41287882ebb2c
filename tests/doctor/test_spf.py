"""SPF: what a record costs in look-ups, whom it lets send, and which records receivers cannot use (RFC 7208)."""

import pytest

from campaign.doctor.check import Check, Colour
from campaign.doctor.dns import check_spf
from campaign.doctor.names import Names
from tests.servers.dns import NameServer, Table

HERE = "203.0.113.7"


def txt(*records: str) -> dict[str, list[str]]:
    return {"TXT": [f'"{record}"' for record in records]}


def check(table: Table, *addresses: str, through: str | None = None) -> tuple[Check, NameServer]:
    with NameServer(table) as server:
        return check_spf(Names(server.resolver), "example.org", addresses or (HERE,), through=through), server


CHAIN = {f"i{number}.example.net": txt(f"v=spf1 include:i{number + 1}.example.net -all") for number in range(1, 15)}


@pytest.mark.parametrize(
    ("record", "more", "says"),
    [
        (f"v=spf1 ip4:{HERE} -all", {}, "0 of 10"),
        ("v=spf1 ip4:203.0.113.0/24 ~all", {}, "0 of 10"),
        ("v=spf1 a -all", {"example.org": {"A": [HERE]}}, "1 of 10"),
        ("V=SPF1 A:mail.example.org/28 -ALL", {"mail.example.org": {"A": ["203.0.113.1"]}}, "1 of 10"),
        ("v=spf1 mx -all", {"example.org": {"MX": ["5 mx.example.org."]}, "mx.example.org": {"A": [HERE]}}, "1 of 10"),
        ("v=spf1 include:relay.example -all", {"relay.example": txt(f"v=spf1 ip4:{HERE} ?all")}, "1 of 10"),
        ("v=spf1 redirect=relay.example", {"relay.example": txt(f"v=spf1 ip4:{HERE} -all")}, "1 of 10"),
        (f"v=spf1 exp=why.example.org ip4:{HERE} -all", {}, "0 of 10"),
        (f"v=spf1 -all ip4:{HERE}", {}, None),
        (f"v=spf1 -ip4:{HERE} -all", {}, None),
        ("v=spf1 ip4:203.0.113.8 -all", {}, None),
    ],
)
def test_whether_a_record_lets_this_machine_send(record: str, more: Table, says: str | None) -> None:
    table = {**more, "example.org": {**more.get("example.org", {}), **txt(record, "another=text")}}
    found, _ = check(table)
    if says is None:
        assert (found.colour, f"ip4:{HERE}" in found.fix) == (Colour.RED, True)
    else:
        assert (found.colour, says in found.sentence) == (Colour.GREEN, True)


def test_an_ipv6_address_is_compared_with_ipv6_networks_and_prefixes() -> None:
    host = {"A": [HERE], "AAAA": ["2001:db8:1::1"]}
    table = {"example.org": txt("v=spf1 a:mail.example.org/32//48 -all"), "mail.example.org": host}
    assert check(table, HERE, "2001:db8:1::99")[0].colour is Colour.GREEN
    refused, _ = check(table, HERE, "2001:db8:2::99")
    assert (refused.colour, "ip6:2001:db8:2::99" in refused.fix) == (Colour.RED, True)


def test_pieces_of_a_long_record_are_joined_without_a_space() -> None:
    table = {"example.org": {"TXT": ['"v=spf1 ip4:203.0.113" ".7 -all"']}}
    assert check(table)[0].colour is Colour.GREEN


@pytest.mark.parametrize(("more", "colour"), [(9, Colour.GREEN), (10, Colour.RED)])
def test_ten_lookups_are_allowed_and_eleven_are_not(more: int, colour: Colour) -> None:
    chain = {f"i{n}.example.net": txt(f"v=spf1 include:i{n + 1}.example.net -all") for n in range(more)}
    chain[f"i{more}.example.net"] = txt(f"v=spf1 ip4:{HERE} -all")
    found, server = check({"example.org": txt("v=spf1 include:i0.example.net -all"), **chain})
    assert found.colour is colour
    assert f"{more + 1} of 10 look-ups" in found.sentence
    assert len(server.asked) == more + 2  # the domain's own record is not counted


def test_every_kind_of_lookup_is_counted() -> None:
    table = {
        "example.org": {
            **txt("v=spf1 a mx ptr exists:%{i}.example.net include:x.example redirect=y.example"),
            "A": ["198.51.100.1"],
            "MX": ["1 example.org."],
        },
        "x.example": txt("v=spf1 a:example.org -all"),
        "y.example": txt("v=spf1 mx:example.org -all"),
    }
    found, _ = check(table)
    assert "8 of 10 look-ups" in found.sentence
    # What ptr and exists let through depends on the single mail, so the machine may be meant.
    assert found.colour is Colour.YELLOW


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({}, "There is no SPF record"),
        ({"example.org": txt("v=spf10 -all")}, "There is no SPF record"),
        ({"example.org": txt("v=spf1 -all", "v=spf1 mx -all")}, "2 SPF records"),
        ({"example.org": txt("v=spf1 ipv4:203.0.113.7 -all")}, "“ipv4:203.0.113.7”"),
        ({"example.org": txt("v=spf1 ip4:203.0.113.700 -all")}, "no network"),
        ({"example.org": txt("v=spf1 include -all")}, "without a value"),
        ({"example.org": txt("v=spf1 include:gone.example -all")}, "gone.example, which has no SPF record"),
        ({"example.org": txt("v=spf1 include:example.org -all")}, "includes itself"),
        ({"example.org": txt("v=spf1 include:i1.example.net -all"), **CHAIN}, "no SPF record"),
        ({"example.org": txt("v=spf1 a:x.example a:y.example a:z.example -all")}, "3 look-ups in it find nothing"),
        ({"example.org": txt("v=spf1 +all")}, "everybody may send"),
        (
            {"example.org": {**txt("v=spf1 mx -all"), "MX": [f"{n} mx{n}.example.org." for n in range(11)]}},
            "more than 10 MX hosts",
        ),
    ],
)
def test_a_record_that_receivers_cannot_use_is_red(table: Table, says: str) -> None:
    found, _ = check(table)
    assert (found.colour, says in found.sentence) == (Colour.RED, True)
    assert found.fix


def test_a_record_without_an_end_is_to_be_looked_at() -> None:
    assert check({"example.org": txt(f"v=spf1 ip4:{HERE}")})[0].colour is Colour.YELLOW


def test_a_relay_that_the_record_does_not_name_may_send_from_elsewhere() -> None:
    found, _ = check({"example.org": txt("v=spf1 ip4:198.51.100.1 -all")}, through="relay.example")
    assert (found.colour, "relay.example" in found.sentence) == (Colour.YELLOW, True)


def test_an_address_that_cannot_be_seen_is_said() -> None:
    with NameServer({"example.org": txt("v=spf1 mx -all")}) as server:
        found = check_spf(Names(server.resolver), "example.org", [], through=None)
    assert (found.colour, "cannot be seen from here" in found.sentence) == (Colour.YELLOW, True)
