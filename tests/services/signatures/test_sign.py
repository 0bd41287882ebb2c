"""Signing: a signature and the mail it owes are one fact, whoever posts, how often, and how many at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from campaign.errors import NotOpen
from campaign.installation.wiring import Installation
from campaign.models import (
    ConfirmationAllowance,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Display,
    PetitionCounter,
    Signature,
    SignatureState,
)
from campaign.periods import CONFIRM_WITHIN
from campaign.run.supervisor import BUILT_IN
from campaign.services.audit_log import COMMAND_LINE
from campaign.services.petitions.counts import count_confirmed
from campaign.services.petitions.file_reader import read_petition_file
from campaign.services.petitions.lifecycle import close_petition
from campaign.services.petitions.store import get_petition, load_petition
from campaign.services.signatures.erase import expire_pending
from campaign.services.signatures.sign import Person
from campaign.worker import CONFIRMATIONS
from tests.conftest import SLUG, START, Clock
from tests.scenes.people import (
    confirm,
    get_signature,
    get_signature_by_id,
    list_deliveries,
    send,
    sign,
    sign_within,
)

HOUR = timedelta(hours=1)


def columns(signature: Signature) -> dict[str, object]:
    return {column.key: getattr(signature, column.key) for column in Signature.__table__.columns}


def count_rows(installation: Installation) -> tuple[int, int, int]:
    """Signatures, deliveries, confirmation mails promised."""
    with installation.database.snapshots() as session:
        return (
            session.scalars(select(func.count()).select_from(Signature)).one(),
            session.scalars(select(func.count()).select_from(Delivery)).one(),
            session.scalars(select(func.sum(PetitionCounter.confirmations))).one(),
        )


def test_a_signature_comes_with_the_mail_that_asks_to_confirm_it(installation: Installation) -> None:
    sign(installation, "aigerim@example.org", updates=True)
    signature = get_signature(installation, "aigerim@example.org")
    (delivery,) = list_deliveries(installation)
    assert (signature.state, signature.number, signature.signed_on) == (SignatureState.PENDING, None, None)
    assert (delivery.kind, delivery.state, delivery.signature_id) == (
        DeliveryKind.CONFIRMATION,
        DeliveryState.QUEUED,
        signature.id,
    )
    with installation.database.snapshots() as session:
        assert count_confirmed(session, signature.petition_id) == 0


def test_a_transaction_rolled_back_leaves_neither_signature_nor_mail(installation: Installation) -> None:
    with installation.database.sessions() as session:
        sign_within(session, installation, "aigerim@example.org")
        session.flush()
        assert session.scalars(select(func.count()).select_from(Delivery)).one() == 1
        session.rollback()
    assert count_rows(installation) == (0, 0, 0)
    with installation.database.snapshots() as session:
        assert session.scalars(select(ConfirmationAllowance)).all() == []


@pytest.mark.parametrize("state", ["draft", "closed"])
def test_only_an_open_petition_takes_signatures(installation: Installation, state: str) -> None:
    slug = SLUG
    with installation.database.sessions.begin() as session:
        if state == "closed":
            close_petition(session, get_petition(session, SLUG), actor=COMMAND_LINE, now=installation.now())
        else:
            slug = "draft"
            load_petition(
                session, read_petition_file(BUILT_IN).model_copy(update={"slug": slug}), actor=COMMAND_LINE, now=START
            )
    with pytest.raises(NotOpen):
        sign(installation, "aigerim@example.org", slug)
    assert count_rows(installation) == (0, 0, 0)


def test_the_database_holds_neither_name_nor_address_in_clear(installation: Installation) -> None:
    sign(installation, "aigerim@example.org", name="Aigerim Serikova", comment="For my brother", place="Aktau")
    signature = get_signature(installation, "aigerim@example.org")
    kept = b"".join(
        value if isinstance(value, bytes) else str(value).encode() for value in columns(signature).values()
    ).lower()
    assert [word for word in (b"aigerim", b"serikova", b"example.org", b"brother", b"aktau") if word in kept] == []
    assert signature.sealed_person is not None
    person = Person.open(installation.vault, signature.id, signature.sealed_person)
    assert person == Person("Aigerim Serikova", "Aktau", "For my brother")


def test_nothing_changes_for_an_address_that_has_signed(installation: Installation, clock: Clock) -> None:
    sign(installation, "aigerim@example.org")
    confirm(installation, "aigerim@example.org")
    before, rows = columns(get_signature(installation, "aigerim@example.org")), count_rows(installation)
    clock.turn(25 * HOUR)
    sign(installation, "Aigerim@example.org", name="Somebody Else", updates=True, country="DE", language="ru")
    assert columns(get_signature(installation, "aigerim@example.org")) == before
    assert count_rows(installation) == rows
    with installation.database.snapshots() as session:
        assert session.scalars(select(ConfirmationAllowance)).all() == []


def test_the_newest_submission_counts_while_the_signature_waits(installation: Installation) -> None:
    sign(installation, "aigerim@example.org", name="Áigerim", comment="first", country="KZ", updates=True)
    first = get_signature(installation, "aigerim@example.org")
    sign(installation, "aigerim@example.org", name="Aigerim", language="kk", country="DE", display=Display.NAME)
    second = get_signature(installation, "aigerim@example.org")
    assert second.id == first.id
    assert (second.language, second.country, second.display, second.wants_updates) == ("kk", "DE", Display.NAME, False)
    assert second.text_version_id != first.text_version_id
    assert second.sealed_person is not None
    assert Person.open(installation.vault, second.id, second.sealed_person) == Person("Aigerim")


def test_the_second_person_at_an_address_does_not_overwrite_the_first(installation: Installation, clock: Clock) -> None:
    sign(installation, "family@example.org", name="Mother", comment="first", country="KZ")
    send(installation, CONFIRMATIONS)
    clock.turn(25 * HOUR)
    sign(installation, "family@example.org", name="Father", comment="second", country="DE", updates=True)
    send(installation, CONFIRMATIONS)
    kept = get_signature(installation, "family@example.org")
    assert (kept.country, kept.wants_updates) == ("KZ", False)
    assert kept.sealed_person is not None
    assert Person.open(installation.vault, kept.id, kept.sealed_person) == Person("Mother", comment="first")
    # The address gets its second mail, and its link works for the whole time again.
    assert count_rows(installation) == (1, 2, 2)
    assert kept.expires_at == clock() + CONFIRM_WITHIN


def test_an_erased_signature_may_be_given_anew(installation: Installation, clock: Clock) -> None:
    sign(installation, "aigerim@example.org")
    old = get_signature(installation, "aigerim@example.org")
    send(installation, CONFIRMATIONS)
    clock.turn(73 * HOUR)
    with installation.database.sessions.begin() as session:
        assert expire_pending(session, now=clock()) == 1
    sign(installation, "aigerim@example.org")
    assert get_signature(installation, "aigerim@example.org").id != old.id
    assert get_signature_by_id(installation, old.id).state is SignatureState.EXPIRED


SPELLINGS = [
    "aigerim@bücher.example.org",
    "Aigerim@Bücher.Example.ORG",
    "  aigerim@xn--bcher-kva.example.org ",
    "AIGERIM@XN--BCHER-KVA.example.org",
    "aigerim@bu\u0308cher.example.org",
]


def test_fifty_posts_of_one_address_at_once_make_one_signature_and_one_mail(installation: Installation) -> None:
    _ = installation.vault
    with ThreadPoolExecutor(50) as threads:
        list(threads.map(lambda number: sign(installation, SPELLINGS[number % len(SPELLINGS)]), range(50)))
    assert count_rows(installation) == (1, 1, 1)
