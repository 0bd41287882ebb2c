"""What comes back for a mail: the address is suppressed, or counted, or nothing happens; complaints stop the digest."""

from collections.abc import Mapping

import pytest
from sqlalchemy import delete, select

from campaign.installation.wiring import Installation
from campaign.mail.returned.reports import ReportKind
from campaign.models import (
    AuditAction,
    AuditEntry,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Edition,
    EditionState,
    Organizer,
    Role,
    Schedule,
    Subscription,
    SubscriptionState,
    SuppressionReason,
)
from campaign.services.bounces.complaints import ACTOR, complaint_rate, list_returned
from campaign.services.bounces.intake import Outcome, note_refusal, take_back
from campaign.services.delivery.claims import Batch
from campaign.services.organizers.members import add_organizer
from campaign.services.petitions.store import get_petition
from campaign.services.subscribers.suppressions import find_suppression
from campaign.text.email_address import parse_email_address
from tests.conftest import SLUG, STAGE, MakeInstallation
from tests.scenes.deliveries import digests
from tests.scenes.people import (
    add_readers,
    find_petition,
    get_signature,
    get_subscription,
    list_deliveries,
    make_digest,
    send,
    sign,
    unsubscribe,
)
from tests.scenes.returned import sample
from tests.servers.smtp import Mailbox

READER = "aigul@example.net"


def come_back(installation: Installation, delivery: Delivery, name: str) -> Outcome:
    return come_back_as(installation, installation.vault.mail_token(delivery.id), name)


def come_back_as(installation: Installation, token: str, name: str) -> Outcome:
    with installation.database.sessions.begin() as session:
        return take_back(session, installation.vault, sample(name, token), now=installation.now())


def suppressed(installation: Installation, email: str = READER) -> SuppressionReason | None:
    with installation.database.snapshots() as session:
        found = find_suppression(session, installation.vault.fingerprint(parse_email_address(email)))
    return found.reason if found else None


def accept_all(installation: Installation) -> None:
    with installation.database.sessions.begin() as session:
        for delivery in session.scalars(select(Delivery)):
            delivery.state = DeliveryState.ACCEPTED


def sent_digest(installation: Installation, *emails: str) -> list[Delivery]:
    """An edition that the readers' servers have accepted."""
    add_readers(installation, *emails)
    make_digest(installation)
    accept_all(installation)
    return digests(installation)


def edition(installation: Installation) -> Edition:
    with installation.database.snapshots() as session:
        return session.scalars(select(Edition).where(Edition.number.is_not(None)).order_by(Edition.id).limit(1)).one()


def told(installation: Installation) -> list[tuple[str, str, Mapping[str, object]]]:
    with installation.database.snapshots() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.actor != STAGE).order_by(AuditEntry.id))
        return [(entry.actor, entry.action, entry.details) for entry in entries]


def returned(installation: Installation) -> list[str | None]:
    return [delivery.returned for delivery in digests(installation)]


def soft_bounces(installation: Installation) -> int:
    return get_subscription(installation, READER).soft_bounces


def test_a_permanent_failure_suppresses_the_address_and_no_digest_goes_to_it_any_more(
    make_installation: MakeInstallation,
) -> None:
    with Mailbox() as mailbox:
        installation = make_installation(smtp_url=mailbox.url)
        (delivery,) = sent_digest(installation, READER)
        outcome = come_back(installation, delivery, "postfix-unknown")
        assert (outcome.delivery_id, outcome.counts, outcome.report.status) == (delivery.id, True, "5.1.1")
        assert returned(installation) == ["permanent 5.1.1"]
        assert suppressed(installation) is SuppressionReason.BOUNCED
        add_readers(installation, "another@example.net")
        make_digest(installation, "second")
        send(installation, Batch(DeliveryKind.DIGEST))
    assert [message.recipients for message in mailbox.messages] == [("another@example.net",)]


def test_a_permanent_failure_of_a_confirmation_suppresses_the_address(installation: Installation) -> None:
    sign(installation, READER)
    (delivery,) = list_deliveries(installation)
    come_back(installation, delivery, "exim-unknown")
    assert suppressed(installation) is SuppressionReason.BOUNCED
    assert get_signature(installation, READER).id == delivery.signature_id


def test_a_temporary_failure_is_counted_once_for_each_mail(installation: Installation) -> None:
    (first,) = sent_digest(installation, READER)
    assert come_back(installation, first, "postfix-mailbox-full").counts
    assert not come_back(installation, first, "postfix-mailbox-full").counts
    assert not come_back(installation, first, "exchange-policy").counts
    assert (soft_bounces(installation), returned(installation), suppressed(installation)) == (
        1,
        ["temporary 5.2.2"],
        None,
    )
    add_readers(installation, "another@example.net")
    make_digest(installation, "second")
    second = next(
        item for item in digests(installation) if item.id > first.id and item.subscription_id == first.subscription_id
    )
    come_back(installation, second, "exchange-policy")
    assert (soft_bounces(installation), suppressed(installation)) == (2, None)


def test_a_worse_report_of_the_same_mail_counts_and_a_milder_one_does_not(installation: Installation) -> None:
    (delivery,) = sent_digest(installation, READER)
    come_back(installation, delivery, "postfix-mailbox-full")
    assert come_back(installation, delivery, "postfix-unknown").counts
    assert not come_back(installation, delivery, "postfix-mailbox-full").counts
    assert (returned(installation), suppressed(installation)) == (["permanent 5.1.1"], SuppressionReason.BOUNCED)
    assert soft_bounces(installation) == 1


@pytest.mark.parametrize("name", ["postfix-delayed", "postfix-relayed", "out-of-office", "letter", "arf-not-spam"])
def test_what_is_no_failure_changes_nothing(installation: Installation, name: str) -> None:
    (delivery,) = sent_digest(installation, READER)
    outcome = come_back(installation, delivery, name)
    assert (outcome.report.kind, outcome.delivery_id, outcome.counts) == (ReportKind.IGNORED, delivery.id, False)
    assert (returned(installation), suppressed(installation), soft_bounces(installation)) == ([None], None, 0)


@pytest.mark.parametrize("name", ["postfix-unknown", "arf-abuse", "postfix-mailbox-full"])
def test_a_forged_token_or_that_of_another_server_changes_nothing(installation: Installation, name: str) -> None:
    (delivery,) = sent_digest(installation, READER)
    token = installation.vault.mail_token(delivery.id)
    changed = ("b" if token[0] == "a" else "a") + token[1:]
    for forged in (changed, token[:-1], installation.vault.mail_token(delivery.id + 1000), "a" * 48):
        outcome = come_back_as(installation, forged, name)
        assert (outcome.delivery_id, outcome.counts) == (None, False)
    assert (returned(installation), suppressed(installation), told(installation)) == ([None], None, [])


@pytest.mark.parametrize("name", ["postfix-unknown", "arf-abuse"])
def test_a_report_says_in_one_line_what_it_was_without_an_address(installation: Installation, name: str) -> None:
    (delivery,) = sent_digest(installation, READER)
    for outcome in (come_back(installation, delivery, name), come_back(installation, delivery, name)):
        assert "\n" not in str(outcome)
        assert "@" not in str(outcome)
        assert str(outcome.report.kind) in str(outcome)
        assert f"mail {delivery.id}" in str(outcome)


def test_a_reader_who_has_left_has_no_address_to_suppress(installation: Installation) -> None:
    (delivery,) = sent_digest(installation, READER)
    unsubscribe(installation, READER)
    for name in ("postfix-mailbox-full", "postfix-unknown", "arf-abuse"):
        assert come_back(installation, delivery, name).counts
    assert (returned(installation), suppressed(installation)) == (["complaint"], None)


@pytest.mark.parametrize("state", [DeliveryState.SENDING, DeliveryState.IN_DOUBT, DeliveryState.DEFERRED])
def test_a_bounce_that_is_faster_than_the_ledger_counts(installation: Installation, state: DeliveryState) -> None:
    (delivery,) = sent_digest(installation, READER)
    with installation.database.sessions.begin() as session:
        found = session.get_one(Delivery, delivery.id)
        found.state = state
        found.claimed_by = "worker" if state is DeliveryState.SENDING else None
    come_back(installation, delivery, "postfix-unknown")
    (after,) = digests(installation)
    assert (after.state, after.returned, suppressed(installation)) == (
        state,
        "permanent 5.1.1",
        SuppressionReason.BOUNCED,
    )


def test_a_test_mail_that_comes_back_is_noted_and_the_organizers_address_stays_usable(
    installation: Installation,
) -> None:
    (digest,) = sent_digest(installation, READER)
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        add_organizer(session, "dana@example.org", petition, Role.OWNER, actor=STAGE, now=installation.now())
        organizer = session.scalars(select(Organizer)).one()
        test = Delivery(
            petition_id=petition.id,
            kind=DeliveryKind.TEST,
            edition_id=digest.edition_id,
            organizer_id=organizer.id,
            language="en",
            state=DeliveryState.ACCEPTED,
            queued_at=installation.now(),
            due_at=installation.now(),
        )
        session.add(test)
    assert come_back(installation, test, "postfix-unknown").counts
    assert come_back(installation, test, "arf-abuse").counts
    assert (suppressed(installation, "dana@example.org"), told(installation)) == (None, [])
    with installation.database.snapshots() as session:
        (account,) = list_returned(session, find_petition(installation))
    assert (account.accepted, account.permanent, account.complaints) == (1, 0, 0)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("recipient: 550 5.1.1", SuppressionReason.BOUNCED),
        ("message: 550 5.1.1", SuppressionReason.BOUNCED),
        ("5.1.10", SuppressionReason.BOUNCED),
        ("recipient: 550 5.7.1", None),
        ("recipient: 552 5.2.2", None),
        ("recipient: 550", None),
        ("given up after 72 hours; recipient: 450 4.2.1", None),
        (None, None),
    ],
)
def test_a_refusal_while_sending_suppresses_where_it_says_that_the_address_is_gone(
    installation: Installation, status: str | None, reason: SuppressionReason | None
) -> None:
    sign(installation, "new@example.net")
    (digest,) = sent_digest(installation, READER)
    confirmation = next(item for item in list_deliveries(installation) if item.kind is DeliveryKind.CONFIRMATION)
    for delivery in (digest, confirmation):
        with installation.database.sessions.begin() as session:
            note_refusal(session, session.get_one(Delivery, delivery.id), status, now=installation.now())
    assert (suppressed(installation), suppressed(installation, "new@example.net")) == (reason, reason)


def test_a_complaint_suppresses_the_address_and_ends_the_subscription(installation: Installation) -> None:
    (delivery,) = sent_digest(installation, READER)
    come_back(installation, delivery, "arf-abuse")
    assert (returned(installation), suppressed(installation)) == (["complaint"], SuppressionReason.COMPLAINED)
    with installation.database.snapshots() as session:
        subscription = session.get_one(Subscription, delivery.subscription_id)
    assert (subscription.state, subscription.fingerprint) == (SubscriptionState.ENDED, None)


def with_accepted(installation: Installation, count: int) -> list[Delivery]:
    """An edition of so many accepted mails."""
    add_readers(installation, *(f"reader{number}@example.net" for number in range(5)))
    make_digest(installation)
    accept_all(installation)
    (first, *_) = made = digests(installation)
    with installation.database.sessions.begin() as session:
        petition = get_petition(session, SLUG)
        ended = [
            Subscription(
                id=10_000 + number,
                petition_id=petition.id,
                state=SubscriptionState.ENDED,
                language="en",
                since_on=installation.now().date(),
            )
            for number in range(count - len(made))
        ]
        session.add_all(ended)
        session.flush()
        session.add_all(
            Delivery(
                petition_id=petition.id,
                kind=DeliveryKind.DIGEST,
                edition_id=first.edition_id,
                subscription_id=subscription.id,
                state=DeliveryState.ACCEPTED,
                queued_at=installation.now(),
                due_at=installation.now(),
            )
            for subscription in ended
        )
    return made


def is_schedule_paused(installation: Installation) -> bool:
    with installation.database.snapshots() as session:
        return session.get_one(Schedule, find_petition(installation).id).paused


def test_complaints_warn_at_one_in_a_thousand_and_pause_at_three_each_once(installation: Installation) -> None:
    made = with_accepted(installation, 1000)
    come_back(installation, made[0], "arf-abuse")
    warning = (ACTOR, AuditAction.COMPLAINTS_WARNING, {"edition": 1, "complaints": 1, "accepted": 1000})
    assert told(installation) == [warning]
    come_back(installation, made[0], "arf-abuse")
    come_back(installation, made[1], "arf-abuse")
    assert told(installation) == [warning]
    assert (edition(installation).state, is_schedule_paused(installation)) == (EditionState.SENDING, False)
    come_back(installation, made[2], "arf-abuse")
    pause = (ACTOR, AuditAction.DIGEST_PAUSED_BY_COMPLAINTS, {"edition": 1, "complaints": 3, "accepted": 1000})
    assert told(installation) == [warning, pause]
    found = edition(installation)
    assert (found.state, found.reason) == (EditionState.PAUSED, "too many readers complained")
    assert is_schedule_paused(installation)
    with installation.database.snapshots() as session:
        assert complaint_rate(session, found) == pytest.approx(0.003)


def test_whoever_resumes_after_a_pause_is_not_paused_again_by_the_same_edition(installation: Installation) -> None:
    made = with_accepted(installation, 10)
    come_back(installation, made[0], "arf-abuse")
    assert [action for _, action, _ in told(installation)] == [AuditAction.DIGEST_PAUSED_BY_COMPLAINTS]
    with installation.database.sessions.begin() as session:
        session.get_one(Schedule, made[0].petition_id).paused = False
        session.get_one(Edition, made[0].edition_id).state = EditionState.SENDING
    come_back(installation, made[1], "arf-abuse")
    assert [action for _, action, _ in told(installation)] == [AuditAction.DIGEST_PAUSED_BY_COMPLAINTS]
    assert (edition(installation).state, is_schedule_paused(installation)) == (EditionState.SENDING, False)


@pytest.mark.parametrize(("accepted", "reports"), [(1000, 1), (10, 1)], ids=["warned", "paused"])
def test_complaints_are_acted_on_once_also_when_the_audit_trail_was_erased(
    installation: Installation, accepted: int, reports: int
) -> None:
    made = with_accepted(installation, accepted)
    for delivery in made[:reports]:
        come_back(installation, delivery, "arf-abuse")
    assert len(told(installation)) == 1
    with installation.database.sessions.begin() as session:
        session.execute(delete(AuditEntry))
        session.get_one(Schedule, made[0].petition_id).paused = False
        session.get_one(Edition, made[0].edition_id).state = EditionState.SENDING
    come_back(installation, made[reports], "arf-abuse")
    assert told(installation) == []
    assert (edition(installation).state, is_schedule_paused(installation)) == (EditionState.SENDING, False)


def test_fewer_complaints_than_one_in_a_thousand_are_counted_and_nothing_said(installation: Installation) -> None:
    made = with_accepted(installation, 1001)
    come_back(installation, made[0], "arf-abuse")
    assert told(installation) == []
    with installation.database.snapshots() as session:
        (account,) = list_returned(session, find_petition(installation))
    assert (account.edition, account.accepted, account.complaints, account.is_high) == (1, 1001, 1, False)


def test_an_edition_that_was_sent_stays_sent_when_complaints_pause_the_schedule(installation: Installation) -> None:
    made = with_accepted(installation, 5)
    with installation.database.sessions.begin() as session:
        session.get_one(Edition, made[0].edition_id).state = EditionState.SENT
    come_back(installation, made[0], "arf-abuse")
    assert (edition(installation).state, is_schedule_paused(installation)) == (EditionState.SENT, True)


def test_each_edition_has_its_own_account_of_what_came_back(installation: Installation) -> None:
    sent_digest(installation, READER, "full@example.net", "fine@example.net")
    gone, full, _ = digests(installation)
    come_back(installation, gone, "postfix-unknown")
    come_back(installation, full, "postfix-mailbox-full")
    add_readers(installation, "another@example.net")
    make_digest(installation, "second")
    with installation.database.snapshots() as session:
        second, first = list_returned(session, find_petition(installation))
    assert (second.edition, second.accepted, second.permanent, second.temporary, second.complaints) == (2, 0, 0, 0, 0)
    assert (first.edition, first.accepted, first.permanent, first.temporary, first.complaints) == (1, 3, 1, 1, 0)
