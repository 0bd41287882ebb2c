"""The doctor checks the DNS: whether receivers accept that our mail comes from our domain."""

import re
from collections.abc import Callable, Sequence

from campaign.doctor.check import Check, green, red, yellow
from campaign.doctor.names import Names
from campaign.doctor.spf import MAX_LOOKUPS, MAX_VOID, Spf, SpfBroken, evaluate
from campaign.errors import DkimKeyError
from campaign.mail.dkim import DkimKey


def check_spf(names: Names, domain: str, addresses: Sequence[str], *, through: str | None) -> Check:
    """SPF of the envelope's domain (RFC 7208), for mail that is sent from ``addresses``.

    ``through`` is the relay that sends, None if this machine sends itself. A relay may send from other addresses than
    the one at which it accepts mail. So if the record does not contain the relay's address, the result is only yellow.
    """
    name = f"SPF of {domain}"
    fix = f"Give {domain} one TXT record like “v=spf1 mx -all”, or with the “include:” from your relay's manual."
    try:
        spf = evaluate(names, domain)
    except SpfBroken as error:
        return red(name, f"Receivers cannot use the record: {error.args[0]}.", fix)
    if spf is None:
        return red(name, "There is no SPF record: receivers cannot distinguish our mail from forged mail.", fix)
    costs = f"{spf.lookups} of {MAX_LOOKUPS} look-ups"
    if spf.lookups > MAX_LOOKUPS or spf.void > MAX_VOID:
        why = f"it needs {costs}" if spf.lookups > MAX_LOOKUPS else f"{spf.void} look-ups in it find nothing"
        return red(
            name,
            f"Receivers reject the record: {why}.",
            "Remove servers that no longer send for you, or write their addresses as ip4: and ip6:.",
        )
    if spf.rest == "+":
        return red(name, "The record ends in +all: everybody may send in our name.", "End it with -all.")
    return _judge_spf(name, spf, addresses, through, costs)


def _judge_spf(name: str, spf: Spf, addresses: Sequence[str], through: str | None, costs: str) -> Check:
    missing = [address for address in addresses if not spf.allows(address)]
    sender = through or "this machine"
    if spf.rest == "?":
        return yellow(name, "The record says nothing about other senders.", "End it with -all or ~all.")
    if not addresses:
        return yellow(
            name,
            f"The record can be used ({costs}). The address from which {sender} sends cannot be seen from here.",
            "Compare its public address with the record.",
        )
    if not missing:
        return green(name, f"The record allows {sender} to send ({costs}).")
    if through is not None or spf.unknown:
        return yellow(
            name,
            f"The record can be used ({costs}), but does not contain {missing[0]}, the address of {sender}.",
            "A relay may send from other addresses than the one it accepts mail at; its manual says what to include.",
        )
    return red(
        name,
        f"The record does not allow {sender} to send ({missing[0]}): receivers refuse our mail or treat it as spam.",
        f"Add {'ip6' if ':' in missing[0] else 'ip4'}:{missing[0]} to it.",
    )


def check_dkim(names: Names, domain: str, read_keys: Callable[[], Sequence[DkimKey]]) -> list[Check]:
    """For each signing key, whether its public key is in the DNS (RFC 6376 §3.6.2)."""
    try:
        keys = read_keys()
    except DkimKeyError as error:
        return [red("DKIM", error.sentence, "Every mail is signed with these keys; no mail is sent without them.")]
    if not keys:
        return [green("DKIM", "We do not sign mails; the relay must (CAMPAIGN_DKIM_SELECTORS is empty).")]
    return [_check_key(names, domain, key) for key in keys]


def _point(record: str) -> str | None:
    """The public key (p=) in a DKIM record, without spaces; None if there is none."""
    found = re.search(r"(?:^|;)\s*p\s*=([^;]*)", record)
    return "".join(found[1].split()) if found else None


def _check_key(names: Names, domain: str, key: DkimKey) -> Check:
    wanted = key.record(domain)
    name = f"DKIM key {key.selector}"
    fix = f"Publish the TXT record {wanted.name} with: {wanted.value}"
    found = names.texts(wanted.name)
    if not found:
        return red(name, f"There is no record {wanted.name}: every signature made with this key fails.", fix)
    if len(found) > 1:
        return red(name, f"{wanted.name} has {len(found)} records, and receivers may read the wrong one.", fix)
    if _point(found[0]) == "":
        return red(name, "The key was revoked in the DNS (p= is empty).", fix)
    if _point(found[0]) != _point(wanted.value):
        return red(name, "The DNS has another key than the one we sign with: every signature fails.", fix)
    return green(name, "The DNS has the key that we sign with.")


def check_pointer(names: Names, addresses: Sequence[str], *, through: str | None) -> Check:
    """Whether each sending address has a name that leads back to the address (FCrDNS, RFC 1912 §2.1)."""
    name = "Name of the sending machine"
    if through is not None:
        return green(name, f"{through} sends for us; its operator is responsible for its name.")
    if not addresses:
        return yellow(
            name,
            "The address from which this machine sends cannot be seen from here.",
            "Make sure that its public address has a PTR record, and that the name in it leads back to the address.",
        )
    for address in addresses:
        pointed = names.names_of(address)
        if not any(address in names.addresses(host) for host in pointed):
            problem = f"points to {pointed[0]}, which does not lead back" if pointed else "has no name (PTR)"
            return red(
                name,
                f"{address} {problem}: large mailbox providers refuse mail from it.",
                "Ask your hosting provider to set the PTR record to this machine's name; give that name the address.",
            )
    return green(name, f"{addresses[0]} has a name that leads back to it.")


def check_mail_hosts(names: Names, domain: str) -> Check:
    """Whether readers' answers and bounces can be delivered to ``domain`` (RFC 5321 §5.1)."""
    name = f"MX of {domain}"
    fix = f"Give {domain} an MX record that names the server with its mailboxes."
    hosts = names.mail_hosts(domain)
    if hosts == [""]:
        return red(name, "The domain says that it accepts no mail (RFC 7505): answers and bounces are lost.", fix)
    if not hosts:
        if names.addresses(domain):
            return yellow(name, "There is no MX record; servers try the domain's own address.", fix)
        return red(name, "The domain accepts no mail: answers and bounces are lost, and some servers refuse us.", fix)
    if not any(names.addresses(host) for host in hosts):
        return red(name, f"The MX record names {hosts[0]}, which has no address.", fix)
    return green(name, f"Mail for it goes to {hosts[0]}.")


def _find_policy(names: Names, domain: str) -> tuple[str, str] | None:
    """The DMARC record that applies to ``domain``, and the domain that has it: this one, or the nearest above it."""
    labels = domain.split(".")
    for start in range(len(labels) - 1):
        at = ".".join(labels[start:])
        found = [text for text in names.texts(f"_dmarc.{at}") if re.match(r"v\s*=\s*DMARC1\s*(;|$)", text)]
        if len(found) == 1:
            return found[0], at
    return None


def check_dmarc(names: Names, domain: str, envelope: str, *, signs: bool) -> Check:
    """DMARC of the From domain, and whether SPF or DKIM speak for that domain (RFC 7489 §3.1).

    ``envelope`` is the domain of the envelope's sender; our own signatures (``signs``) are always the From domain's.
    """
    name = f"DMARC of {domain}"
    found = _find_policy(names, domain)
    if found is None:
        return yellow(
            name,
            "There is no DMARC record; large mailbox providers ask for one from those who send to many.",
            f"Begin with a TXT record _dmarc.{domain}: v=DMARC1; p=none",
        )
    record, at = found
    tags = {
        tag.strip().lower(): value.strip().lower() for tag, _, value in (t.partition("=") for t in record.split(";"))
    }
    policy = tags.get("sp", tags.get("p", "none")) if at != domain else tags.get("p", "none")
    if signs:
        return green(name, f"The policy is {policy}; our signatures speak for the domain.")
    strict = tags.get("aspf") == "s"
    under = (envelope == at or envelope.endswith(f".{at}")) and not strict
    if envelope == domain or under:
        return green(name, f"The policy is {policy}; mail that passes SPF speaks for the domain.")
    return yellow(
        name,
        f"The policy is {policy}, but bounces go to {envelope}, so SPF does not speak for {domain}; only a DKIM "
        "signature of the relay can.",
        f"Sign with campaign dkim, have the relay sign as {domain}, or take a CAMPAIGN_BOUNCES_TO in {domain}.",
    )
