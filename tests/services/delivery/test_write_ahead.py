"""Mails that are signed slowly are written ahead by threads: each is the right one, none holds up those behind it."""

import threading
from collections import Counter

from sqlalchemy import update

from campaign.mail.dkim import new_key, write_key
from campaign.mail.message import Message
from campaign.models import DeliveryKind, DeliveryState, Subscription
from campaign.services.delivery.claims import Batch
from campaign.services.delivery.writer import Prepared, open_pool, write_ahead
from tests.conftest import MakeInstallation
from tests.scenes.deliveries import digests
from tests.scenes.people import add_readers, get_subscription, make_digest, send
from tests.servers.smtp import Mailbox

READERS = [f"reader{number}@example.org" for number in range(150)]


def numbered(number: int) -> Message:
    return Message("petition@example.org", f"reader{number}@example.org", b"")


def test_messages_come_in_their_order_and_what_went_wrong_in_its_place() -> None:
    def write(draft: Prepared) -> Message:
        assert isinstance(draft, Message)
        if draft.recipient == "reader7@example.org":
            raise ValueError("reader 7")
        return draft

    with open_pool() as pool:
        written = list(write_ahead(pool, write, [numbered(number) for number in range(100)]))
    assert [str(item) for item in written if isinstance(item, Exception)] == ["reader 7"]
    assert isinstance(written.pop(7), ValueError)
    assert written == [numbered(number) for number in range(100) if number != 7]


def test_they_are_written_by_other_threads_while_the_first_waits_to_be_taken() -> None:
    seen = set()
    first, second = threading.Event(), threading.Event()

    def write(draft: Prepared) -> Message:
        assert isinstance(draft, Message)
        seen.add(threading.current_thread())
        (first if draft == numbered(0) else second).set()
        return draft

    with open_pool() as pool:
        written = write_ahead(pool, write, [numbered(number) for number in range(20)])
        assert next(written) == numbered(0)
        assert first.wait(10)
        assert second.wait(10)
        assert [*written] == [numbered(number) for number in range(1, 20)]
    assert threading.current_thread() not in seen


def test_each_reader_gets_their_own_signed_mail_and_one_that_cannot_be_written_waits(
    make_sqlite_installation: MakeInstallation,
) -> None:
    with Mailbox() as mailbox:
        installation = make_sqlite_installation(smtp_url=mailbox.url, smtp_connections=4, dkim_selectors="rsa2026")
        write_key(installation.settings.dkim_folder, "rsa2026", new_key("rsa"))
        add_readers(installation, *READERS)
        make_digest(installation)
        unreadable = get_subscription(installation, READERS[40]).id
        with installation.database.sessions.begin() as session:
            damaged = update(Subscription).where(Subscription.id == unreadable).values(sealed_address=b"\x01damaged")
            session.execute(damaged)
        tally = send(installation, Batch(DeliveryKind.DIGEST))
    assert tally == {DeliveryState.ACCEPTED: 149, DeliveryState.DEFERRED: 1}
    (deferred,) = (item for item in digests(installation) if item.state is DeliveryState.DEFERRED)
    assert deferred.subscription_id == unreadable
    assert Counter(message.recipients[0] for message in mailbox.messages) == Counter(set(READERS) - {READERS[40]})
    for message in mailbox.messages:
        assert message.parsed["To"] == message.recipients[0]
        assert message.parsed["DKIM-Signature"]
        me = installation.links.me(get_subscription(installation, message.recipients[0]).id)
        text = message.parsed.get_body(("plain",))
        assert text is not None
        assert me in text.get_content()
