"""What the DNS says of us: DKIM keys, names that lead back, mail hosts, DMARC, and no answer at all."""

import socket
from collections.abc import Callable, Sequence
from typing import TypeVar

import dns.resolver
import dns.reversename
import pytest

from campaign.doctor import names as names_module
from campaign.doctor.check import Check, Colour
from campaign.doctor.dns import check_dkim, check_dmarc, check_mail_hosts, check_pointer
from campaign.doctor.names import DnsUnreachable, Names
from campaign.mail.dkim import DkimKey, new_key, read_keys, write_key
from tests.conftest import MakeInstallation
from tests.servers.dns import SERVFAIL, NameServer, Table

T = TypeVar("T")

HERE = "203.0.113.7"
SIX = "2001:db8::7"


def ask(table: Table, look: Callable[[Names], T]) -> T:
    with NameServer(table) as server:
        return look(Names(server.resolver))


def texts(*strings: str) -> dict[str, list[str]]:
    """One TXT record of these strings."""
    return {"TXT": [" ".join(f'"{string}"' for string in strings)]}


@pytest.fixture(scope="module")
def keys() -> list[DkimKey]:
    return [DkimKey.from_pem(new_key("rsa"), "rsa2026"), DkimKey.from_pem(new_key("ed25519"), "ed2026")]


def look_at_keys(table: Table, keys: Sequence[DkimKey]) -> list[Check]:
    return ask(table, lambda names: check_dkim(names, "example.org", lambda: keys))


def test_keys_that_the_dns_has_are_green(keys: list[DkimKey]) -> None:
    rsa, ed = (key.record("example.org") for key in keys)
    spaced = ed.value.replace("p=", "p= ").replace("; ", ";")
    found = look_at_keys({rsa.name: texts(*rsa.strings), ed.name: texts(spaced)}, keys)
    assert [(check.name, check.colour) for check in found] == [
        ("DKIM key rsa2026", Colour.GREEN),
        ("DKIM key ed2026", Colour.GREEN),
    ]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "There is no record ed2026._domainkey.example.org"),
        ("v=DKIM1; k=ed25519; p=", "revoked"),
        ("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "another key"),
        ("v=DKIM1; k=ed25519", "another key"),
    ],
)
def test_a_key_that_the_dns_does_not_have_is_red_and_the_record_is_told(
    keys: list[DkimKey], value: str | None, says: str
) -> None:
    wanted = keys[1].record("example.org")
    (found,) = look_at_keys({wanted.name: texts(value)} if value else {}, keys[1:])
    assert (found.colour, says in found.sentence) == (Colour.RED, True)
    assert wanted.name in found.fix
    assert wanted.value in found.fix


def test_two_records_under_one_selector_are_red(keys: list[DkimKey]) -> None:
    wanted = keys[1].record("example.org")
    (found,) = look_at_keys({wanted.name: {"TXT": [f'"{wanted.value}"', '"v=DKIM1; p="']}}, keys[1:])
    assert (found.colour, "2 records" in found.sentence) == (Colour.RED, True)


def test_a_key_that_is_missing_on_the_disk_is_told(make_sqlite_installation: MakeInstallation) -> None:
    settings = make_sqlite_installation(dkim_selectors="ed2026").settings

    def look(names: Names) -> list[Check]:
        return check_dkim(names, "example.org", lambda: read_keys(settings.dkim_folder, settings.signing_selectors))

    (found,) = ask({}, look)
    assert (found.colour, "There is no DKIM key at" in found.sentence) == (Colour.RED, True)
    write_key(settings.dkim_folder, "ed2026", new_key("ed25519"))
    (found,) = ask({}, look)
    assert "There is no record" in found.sentence


def test_without_keys_the_relay_signs() -> None:
    (found,) = look_at_keys({}, [])
    assert (found.colour, "the relay must" in found.sentence) == (Colour.GREEN, True)


def reverse(address: str) -> str:
    return dns.reversename.from_address(address).to_text(omit_final_dot=True)


@pytest.mark.parametrize(
    ("table", "colour", "says"),
    [
        ({reverse(HERE): {"PTR": ["mx.example.org."]}, "mx.example.org": {"A": [HERE]}}, Colour.GREEN, "leads back"),
        ({reverse(HERE): {"PTR": ["mx.example.org."]}}, Colour.RED, "mx.example.org, which does not lead back"),
        (
            {reverse(HERE): {"PTR": ["mx.example.org."]}, "mx.example.org": {"A": ["203.0.113.8"]}},
            Colour.RED,
            "does not lead back",
        ),
        ({}, Colour.RED, "has no name"),
    ],
)
def test_the_sending_address_has_a_name_that_leads_back(table: Table, colour: Colour, says: str) -> None:
    found = ask(table, lambda names: check_pointer(names, [HERE], through=None))
    assert (found.colour, says in found.sentence) == (colour, True)


def test_each_of_several_addresses_needs_its_name() -> None:
    table = {reverse(HERE): {"PTR": ["mx.example.org."]}, "mx.example.org": {"A": [HERE], "AAAA": [SIX]}}
    found = ask(table, lambda names: check_pointer(names, [HERE, SIX], through=None))
    assert (found.colour, SIX in found.sentence) == (Colour.RED, True)
    table[reverse(SIX)] = {"PTR": ["mx.example.org."]}
    assert ask(table, lambda names: check_pointer(names, [HERE, SIX], through=None)).colour is Colour.GREEN


def test_the_name_of_a_relay_is_not_ours_to_mend() -> None:
    with NameServer({}) as server:
        found = check_pointer(Names(server.resolver), [HERE], through="relay.example")
    assert (found.colour, "relay.example" in found.sentence, server.asked) == (Colour.GREEN, True, [])
    assert ask({}, lambda names: check_pointer(names, [], through=None)).colour is Colour.YELLOW


@pytest.mark.parametrize(
    ("table", "colour", "says"),
    [
        (
            {"example.org": {"MX": ["20 b.example.org.", "10 a.example.org."]}, "a.example.org": {"A": [HERE]}},
            Colour.GREEN,
            "goes to a.example.org",
        ),
        ({"example.org": {"A": [HERE]}}, Colour.YELLOW, "no MX"),
        ({"example.org": {"MX": ["0 ."], "A": [HERE]}}, Colour.RED, "RFC 7505"),
        ({"example.org": {"MX": ["10 gone.example.org."]}}, Colour.RED, "no address"),
        ({}, Colour.RED, "accepts no mail"),
    ],
)
def test_where_answers_and_bounces_go(table: Table, colour: Colour, says: str) -> None:
    found = ask(table, lambda names: check_mail_hosts(names, "example.org"))
    assert (found.colour, says in found.sentence) == (colour, True)
    assert bool(found.fix) is (colour is not Colour.GREEN)


@pytest.mark.parametrize(
    ("record", "domains", "signs", "colour", "says"),
    [
        ("v=DMARC1; p=reject", ("example.org", "example.org"), False, Colour.GREEN, "passes SPF"),
        ("v=DMARC1; p=reject", ("example.org", "b.example.org"), False, Colour.GREEN, "policy is reject"),
        ("v=DMARC1; p=reject; aspf=s", ("example.org", "b.example.org"), False, Colour.YELLOW, "b.example.org"),
        ("v=DMARC1; p=none", ("example.org", "relay.example"), False, Colour.YELLOW, "relay.example"),
        ("v=DMARC1; p=none", ("example.org", "relay.example"), True, Colour.GREEN, "our signatures"),
        ("v=DMARC1; p=none; sp=quarantine", ("a.example.org", "b.example.org"), False, Colour.GREEN, "is quarantine"),
        ("v=DMARC1x; p=none", ("example.org", "example.org"), True, Colour.YELLOW, "no DMARC record"),
        (None, ("example.org", "example.org"), True, Colour.YELLOW, "no DMARC record"),
    ],
)
def test_dmarc_and_who_speaks_for_the_domain(
    record: str | None, domains: tuple[str, str], signs: bool, colour: Colour, says: str
) -> None:
    table = {"_dmarc.example.org": {"TXT": [f'"{record}"']}} if record else {}
    found = ask(table, lambda names: check_dmarc(names, *domains, signs=signs))
    assert (found.colour, says in found.sentence) == (colour, True)


def test_a_server_that_fails_is_not_taken_for_a_record_that_is_missing() -> None:
    with pytest.raises(DnsUnreachable):
        ask({"example.org": SERVFAIL}, lambda names: names.texts("example.org"))


def test_no_answer_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names_module, "SECONDS", 0.2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], silent.getsockname()[1]
        with pytest.raises(DnsUnreachable):
            Names(resolver).texts("example.org")
