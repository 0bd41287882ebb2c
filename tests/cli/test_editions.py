"""Commands that steer an edition: what they print, what they keep, and what they refuse."""

from campaign.clock import now
from campaign.installation.wiring import Installation
from campaign.models import DeliveryKind, EditionState, Role, Schedule
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.delivery.claims import Batch
from campaign.services.delivery.send import send_waiting
from campaign.services.organizers.members import add_organizer
from campaign.services.petitions.store import get_petition
from tests.conftest import SLUG, Clock
from tests.scenes.commands import Command, refused
from tests.scenes.editions import edition, plan, publish
from tests.scenes.people import add_readers, find_petition, list_deliveries, make_digest


def test_an_edition_that_somebody_else_made_is_approved(command: Command, installed: Installation) -> None:
    add_readers(installed, "a@example.org")
    plan(installed, needs_approval=True)
    refused(command("digest", "approve", SLUG), "No edition of this petition is draft")
    make_digest(installed)
    done = command("digest", "approve", SLUG)
    assert (done.status, done.out) == (0, "Edition 1 is approved. The worker sends it: campaign worker\n")
    assert command("worker", "--once").status == 0
    assert edition(installed).state is EditionState.SENT
    refused(command("digest", "approve", SLUG, "--edition", "1"), "Edition 1 is sent")
    refused(command("digest", "approve", SLUG, "--edition", "9"), "no edition 9")


def test_who_made_it_does_not_approve_it(command: Command, installed: Installation) -> None:
    add_readers(installed, "a@example.org")
    plan(installed, needs_approval=True)
    done = command("digest", "send", SLUG)
    assert done.out == (f"Edition 1 is made. A second person must approve it: campaign digest approve {SLUG}\n")
    refused(command("digest", "approve", SLUG), "a second person approves it")
    publish(installed, "next")
    assert "Skipped: the last edition still waits for approval." in command("digest", "send", SLUG).out


def test_an_edition_that_waits_says_until_when_and_is_cancelled(command: Command, installed: Installation) -> None:
    add_readers(installed, "a@example.org")
    plan(installed, cool_down_minutes=30)
    done = command("digest", "send", SLUG)
    assert "Sending starts at 20" in done.out
    assert "(Asia/Almaty)" in done.out
    assert f"campaign digest cancel {SLUG}" in done.out
    assert command("digest", "cancel", SLUG).out == "Edition 1 is cancelled: no further mail of it is sent.\n"
    assert edition(installed).state is EditionState.CANCELLED
    refused(command("digest", "cancel", SLUG), "No edition of this petition is unfinished")
    assert "Edition 2 is made" in command("digest", "send", SLUG).out


def test_where_several_are_under_way_one_is_named(command: Command, installed: Installation) -> None:
    add_readers(installed, "a@example.org")
    for number in (1, 2):
        publish(installed, f"news-{number}")
        assert f"Edition {number}" in command("digest", "send", SLUG).out
    refused(command("digest", "cancel", SLUG), "editions 1, 2 are unfinished")
    assert command("digest", "cancel", SLUG, "--edition", "2").status == 0
    assert [edition(installed, number).state for number in (1, 2)] == [EditionState.SENDING, EditionState.CANCELLED]


def test_pause_and_resume_take_the_edition_that_is_sent_along(
    command: Command, installed: Installation, clock: Clock
) -> None:
    add_readers(installed, *(f"reader{number}@example.org" for number in range(3)))
    assert command("digest", "send", SLUG).status == 0
    clock.moment = now()
    send_waiting(installed.sender("mails"), Batch(DeliveryKind.DIGEST), most=1)
    assert command("digest", "pause", SLUG).out.splitlines()[1] == "Edition 1 is paused."
    assert command("worker", "--once").status == 0
    assert "accepted 1" in command("digest", "audit", SLUG).out
    with installed.database.snapshots() as session:
        assert session.get_one(Schedule, find_petition(installed).id).paused
    done = command("digest", "resume", SLUG)
    assert done.out.splitlines()[1] == "Edition 1 is resumed. The worker sends it: campaign worker"
    assert command("worker", "--once").status == 0
    audit = command("digest", "audit", SLUG)
    assert (audit.status, "expected 3 = 3 (accepted 3): balances" in audit.out) == (0, True)
    assert edition(installed).state is EditionState.SENT


def test_a_test_is_owed_to_an_organizer_alone(command: Command, installed: Installation) -> None:
    add_readers(installed, "a@example.org")
    refused(command("digest", "test", SLUG, "--to", "a@example.org"), "to nobody else")
    with installed.database.sessions.begin() as session:
        add_organizer(
            session,
            "dana@example.org",
            get_petition(session, SLUG),
            Role.EDITOR,
            actor=COMMAND_LINE,
            now=installed.now(),
        )
    done = command("digest", "test", SLUG, "--to", "Dana@example.org", "--language", "kk")
    assert "A test in kk for Dana@example.org is queued" in done.out
    assert [item.language for item in list_deliveries(installed) if item.kind is DeliveryKind.TEST] == ["kk"]
    refused(command("digest", "test", SLUG, "--to", "dana@example.org", "--language", "de"), "not in “de”")
    assert command("digest", "test", SLUG).status == 2
