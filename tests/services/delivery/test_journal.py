"""What a sender has begun is told after its death, whatever was being written at that moment."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from campaign.mail.smtp.transport import Answer, Outcome
from campaign.services.delivery.journal import Findings, Journal

ACCEPTED = Answer(Outcome.ACCEPTED, "message: 250")


def test_what_was_begun_and_what_was_answered_is_told(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "worker-1/mails")
    journal.begin()
    journal.start([(1,)])
    journal.start([(2,)])
    journal.end((1,), ACCEPTED)
    journal.flush()
    assert Journal(tmp_path, "worker-1/mails").find() == Findings(frozenset({2}), {1: ACCEPTED})
    journal.close()


def test_to_forget_what_is_committed_leaves_no_moment_without_a_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "worker-1/mails")
    journal.begin()
    journal.start([(1,)])
    (path,) = tmp_path.iterdir()
    with path.open() as before:
        journal.begin()
        assert before.read().endswith("\n1\n")  # the old file was not emptied, a new one has taken its place
    assert Journal(tmp_path, "worker-1/mails").find() == Findings(frozenset({1}))
    journal.end((1,), ACCEPTED)
    journal.flush()
    assert Journal(tmp_path, "worker-1/mails").find() == Findings(frozenset(), {1: ACCEPTED})
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_the_rows_of_one_mail_are_started_and_answered_together(tmp_path: Path) -> None:
    """A mail about several petitions has several rows, which no kill may separate."""
    journal = Journal(tmp_path, "worker-1/mails")
    journal.begin()
    journal.start([(1, 2, 3), (4, 5)])
    journal.end((1, 2, 3), ACCEPTED)
    journal.flush()
    answers = dict.fromkeys((1, 2, 3), ACCEPTED)
    assert Journal(tmp_path, "worker-1/mails").find() == Findings(frozenset({4, 5}), answers)
    journal.close()


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file grows beyond ``size``: a write gets as far as there, as on a disk that is nearly full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_half_an_entry_on_a_full_disk_is_taken_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "worker-1/mails")
    journal.begin()
    journal.start([(1,)])
    (path,) = tmp_path.iterdir()
    with largest_file(path.stat().st_size + 2):
        with pytest.raises(OSError, match="No space"):
            journal.start([(123456,)])
        journal.end((1,), ACCEPTED)
        with pytest.raises(OSError, match="No space"):
            journal.flush()
    journal.start([(2,)])
    assert Journal(tmp_path, "worker-1/mails").find() == Findings(frozenset({2}), {1: ACCEPTED})
    journal.close()


@pytest.mark.parametrize("content", [b"", b"\n", b"another-boot\n1\n", b"half of a boot id"])
def test_a_journal_that_cannot_be_believed_tells_nothing(tmp_path: Path, content: bytes) -> None:
    journal = Journal(tmp_path, "worker-1/mails")
    journal.begin()
    (path,) = tmp_path.iterdir()
    path.write_bytes(content)
    assert Journal(tmp_path, "worker-1/mails").find() is None
    journal.close()
