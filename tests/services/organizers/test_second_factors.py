"""Recovery codes: random, used up one by one, and those that were shown long ago still count."""

import pytest

from campaign.installation.wiring import Installation
from campaign.models import Organizer
from campaign.periods import RECOVERY_CODES
from campaign.services.organizers.second_factors import make_recovery_codes, use_recovery_code

# As an older version kept the code 0abc-1def-ghjk-mnpq-rstv-wxyz of the organizer 7.
KEPT = "8cac9296c002daef8f7a4744829a42a754452cf5c6e3aac2d0117accec0e16b7"


@pytest.mark.parametrize(
    "typed", ["0abc-1def-ghjk-mnpq-rstv-wxyz", "0ABC1DEFGHJKMNPQRSTVWXYZ", " OABC ldef-GHJK-mnpq-rstv-wxyz "]
)
def test_a_code_is_read_however_it_is_typed_and_used_up(installation: Installation, typed: str) -> None:
    organizer = Organizer(id=7, email="o@example.org", session_key="s", recovery_codes=[KEPT, "another"])
    with installation.database.sessions.begin() as session:
        session.add(organizer)
        session.flush()
        assert use_recovery_code(session, 7, typed)
        assert organizer.recovery_codes == ["another"]
        assert not use_recovery_code(session, 7, typed)


def test_codes_have_120_random_bits_in_six_groups(installation: Installation) -> None:
    organizer = Organizer(id=7, email="o@example.org", session_key="s", recovery_codes=[])
    codes = make_recovery_codes(organizer)
    assert len(set(codes)) == len(organizer.recovery_codes) == RECOVERY_CODES
    with installation.database.sessions.begin() as session:
        session.add(organizer)
        session.flush()
        for code in codes:
            assert [len(part) for part in code.split("-")] == [4] * 6
            assert set(code) <= set("0123456789abcdefghjkmnpqrstvwxyz-")
            assert use_recovery_code(session, 7, code)
        assert not organizer.recovery_codes
