"""The whole examination: first the machine, then the mail server and the DNS, since later checks depend on earlier
ones."""

import socket
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from ipaddress import ip_address

from campaign.db import Database
from campaign.doctor.check import Check, Colour, green, red, yellow
from campaign.doctor.dns import check_dkim, check_dmarc, check_mail_hosts, check_pointer, check_spf
from campaign.doctor.machine import (
    check_clock,
    check_database,
    check_disk,
    check_folder,
    check_keyring,
    check_proxy,
    check_worker,
)
from campaign.doctor.names import DnsUnreachable, Names
from campaign.doctor.smtp import LOOPBACK, check_mail_server, host_of
from campaign.mail.dkim import read_keys
from campaign.services.operations.server_lock import Lock
from campaign.settings import Settings

# Addresses for documentation (RFC 5737, RFC 3849): the default route leads to them too, and nothing is sent there.
_ANYWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


def examine(
    settings: Settings,
    database: Database,
    *,
    now: datetime,
    network: bool,
    open_names: Callable[[], Names] = Names.of_this_machine,
) -> Iterator[Check]:
    """Yield each result as soon as it is known. Without ``network`` only the database server is contacted."""
    if Lock(settings.lock_file, database).is_on:
        sentence = (
            "The server is locked: it accepts no signatures, sends and exports nothing; its keyring may be elsewhere."
        )
        yield yellow("Lock", sentence, "Unlock it after the keyring is back: campaign unlock")
    else:
        yield check_keyring(settings.keyring, settings.data_dir, local=settings.is_local)
    yield (folder := check_folder(settings.data_dir))
    if folder.colour is not Colour.RED:
        yield check_disk(settings.data_dir)
    yield check_clock()
    yield check_proxy(settings)
    checks = check_database(settings.database_url, database.engine)
    yield from checks
    if all(check.colour is not Colour.RED for check in checks):
        yield check_worker(database, settings, now=now)
    yield from _examine_mail(settings, network=network, open_names=open_names)


def _examine_mail(settings: Settings, *, network: bool, open_names: Callable[[], Names]) -> Iterator[Check]:
    if not settings.smtp_url:
        sentence = f"Mails are written into {settings.outbox}; mail server and DNS are not checked."
        if settings.is_local:
            yield green("Mail", sentence)
        else:
            yield yellow("Mail", sentence, "No mail is sent to anybody yet: set CAMPAIGN_SMTP_URL.")
        return
    if not network:
        yield green("Mail", "Mail server and DNS are not checked (--no-network).")
        return
    yield from check_mail_server(
        settings.smtp_url,
        timeout=min(settings.smtp_timeout, 20),
        sender=settings.bounces_to,
        verp=settings.verp,
        ehlo_name=settings.ehlo_name,
    )
    if settings.is_local:
        yield green("DNS", f"The DNS is not checked: {settings.base_url} is for this machine alone.")
        return
    try:
        yield from _examine_names(settings, open_names())
    except DnsUnreachable as error:
        yield red(
            "DNS",
            f"The DNS does not answer ({error}); the other checks cannot be made.",
            "Check this machine's network and /etc/resolv.conf, or skip the network: --no-network",
        )


def _examine_names(settings: Settings, names: Names) -> Iterator[Check]:
    domain, envelope = settings.mail_domain, settings.bounces_to.rpartition("@")[2]
    host = host_of(settings.smtp_url)
    through = None if host in LOOPBACK else host
    addresses = list_own_addresses() if through is None else _list_public(_addresses(names, through))
    yield check_spf(names, envelope, addresses, through=through)
    yield from check_dkim(names, domain, lambda: read_keys(settings.dkim_folder, settings.signing_selectors))
    yield check_dmarc(names, domain, envelope, signs=bool(settings.signing_selectors))
    yield check_pointer(names, addresses, through=through)
    for each in dict.fromkeys((domain, envelope)):
        yield check_mail_hosts(names, each)


def _addresses(names: Names, host: str) -> Sequence[str]:
    try:
        return [str(ip_address(host))]
    except ValueError:
        return names.addresses(host)


def _list_public(addresses: Sequence[str]) -> list[str]:
    return [address for address in addresses if ip_address(address).is_global]


def list_own_addresses() -> list[str]:
    """The public addresses from which this machine sends; empty if another machine translates its addresses (NAT)."""
    found = []
    for family, anywhere in _ANYWHERE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((anywhere, 9))
                found.append(str(probe.getsockname()[0]))
        except OSError:
            continue  # there is no route for this address family
    return _list_public(found)
