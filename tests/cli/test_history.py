"""`campaign history`: all that is known of a person, in plain lines, and a record that somebody asked."""

from campaign.installation.wiring import Installation
from campaign.models import DeliveryKind, ReaderFrequency
from campaign.services.delivery.claims import Batch
from tests.scenes.commands import Command, refused
from tests.scenes.organizing import list_all_audit
from tests.scenes.people import add_readers, disown, make_digest, send, unsubscribe
from tests.scenes.readers import choose, publish

READER = "reader@example.org"


def test_it_tells_signature_choices_and_mails_and_is_recorded_without_the_address(
    command: Command, installed: Installation
) -> None:
    add_readers(installed, READER)
    make_digest(installed, "first")
    send(installed, Batch(DeliveryKind.DIGEST))
    choose(installed, READER, ReaderFrequency.MONTHLY, paused=True)
    publish(installed, "one")
    make_digest(installed, "second")
    done = command("history", READER)
    assert (done.status, done.err) == (0, "")
    petition, signature, name, country, _, updates, *mails = done.out.splitlines()
    assert petition == "Petition “kazakhstan”"
    assert signature.startswith("  signature: confirmed on 20")
    assert signature.endswith(", number 1")
    assert (name, country) == (
        "    name: Aigerim Serikova",
        "    country: none, language: en, display: hidden",
    )
    assert ", one a month, in en, address kept, sealed, paused" in updates
    told = {line.split(maxsplit=1)[1] for line in mails}
    assert told == {
        "edition 2: not sent; you paused the digest",
        "edition 1: sent: the mail server took it",
        "confirmation mail: waits to be sent",
    }
    assert list_all_audit(installed) == [("command line", "history told", {})]


def test_of_a_stranger_it_says_that_nothing_is_known_and_records_nothing(
    command: Command, installed: Installation
) -> None:
    add_readers(installed, READER)
    unsubscribe(installed, READER)
    done = command("history", "stranger@example.org")
    assert (done.status, done.err, done.out.count("\n")) == (0, "", 1)
    assert done.out.startswith("Nothing is known about this address.")
    assert list_all_audit(installed) == []
    assert "updates: none, or stopped" in command("history", READER).out


def test_it_tells_why_an_address_gets_nothing_any_more(command: Command, installed: Installation) -> None:
    add_readers(installed, READER)
    disown(installed, READER)
    done = command("history", READER)
    assert done.status == 0
    assert done.out.startswith("Suppressed since 20")
    assert "(not me)" in done.out
    assert done.out.count("\n") == 1


def test_what_is_no_address_is_refused(command: Command, installed: Installation) -> None:
    refused(command("history", "nobody"), "does not look like an e-mail address")
