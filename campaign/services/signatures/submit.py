"""A filled-in form on its way to a signature: its challenge, the signature, and what is suspicious about it.

The page and the command at a kiosk submit forms in this one way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session, sessionmaker

from campaign.crypto.vault import Vault
from campaign.models import Petition, TextVersion
from campaign.services.abuse.challenges import Answer, Refusal, check_answer, spend
from campaign.services.abuse.suspicions import Suspected, note_suspicions
from campaign.services.petitions.counts import count_post
from campaign.services.signatures.sign import Submission, sign


def _find_nothing(_signature_id: int | None) -> Sequence[Suspected]:
    return ()


@dataclass(frozen=True, slots=True)
class Screening:
    """What a door found out about the sender of a form. A kiosk finds out nothing: somebody stands beside it.

    ``answer``: to the challenge, where one is asked. ``is_from_machine``: the field was filled in that no person sees.
    ``look`` gets the id of the signature that now waits, or None, and says what is suspicious about the form.
    """

    answer: Answer | None = None
    is_from_machine: bool = False
    look: Callable[[int | None], Sequence[Suspected]] = _find_nothing


def submit(
    sessions: sessionmaker[Session],
    vault: Vault,
    petition: Petition,
    version: TextVersion,
    submission: Submission,
    *,
    now: datetime,
    screening: Screening | None = None,
) -> Refusal | None:
    """Sign, and note what is suspicious, in one transaction; or say why the answer to the challenge is refused.

    The challenge is spent together with the signature, so that it pays for one signature only. A machine gets the
    answer that a signer gets, and nothing is kept of its form. Raises NotOpen.
    """
    screening, solved = screening or Screening(), None
    if screening.answer is not None:
        checked = check_answer(sessions, vault, petition, screening.answer, now=now)
        if isinstance(checked, Refusal):
            return checked
        solved = checked
    with sessions.begin() as session:
        if solved is not None and not spend(session, solved.mark, solved.until):
            return Refusal.USED_UP
        if screening.is_from_machine:
            count_post(session, petition.id, is_mailed=False)
            return None
        signature_id = sign(session, vault, petition, version, submission, now=now)
        note_suspicions(session, petition.id, signature_id, screening.look(signature_id))
    return None
