"""The limit for each recipient domain, as a mail server sees it that is slow for one domain."""

from asyncio import Event
from collections import Counter

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from campaign.models import DeliveryKind, DeliveryState
from campaign.services.delivery.claims import Batch
from tests.conftest import MakeInstallation
from tests.scenes.people import add_readers, make_digest, send
from tests.servers.smtp import Mailbox

SLOW = [f"reader{number}@slow.example" for number in range(12)]
OTHERS = [f"reader{number}@other.example" for number in range(12)]


class SlowForOne(Mailbox):
    """Answers to no mail for slow.example until ``enough`` others have come; ``most`` were under way to it at once."""

    def __init__(self, enough: int) -> None:
        super().__init__()
        self._enough = enough
        self._open = Event()
        self._under_way = self.most = self._others = 0

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.endswith("@slow.example"):
            self._under_way += 1
            self.most = max(self.most, self._under_way)
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if envelope.rcpt_tos[0].endswith("@slow.example"):
            await self._open.wait()
            self._under_way -= 1
        else:
            self._others += 1
        if self._others >= self._enough:
            self._open.set()
        return await super().handle_DATA(server, session, envelope)


@pytest.mark.parametrize("limit", [1, 2])
def test_a_slow_domain_has_no_more_than_its_number_under_way_while_the_others_go_on(
    make_sqlite_installation: MakeInstallation, limit: int
) -> None:
    """Behind each mail for the slow domain one other waits on the same connection, and no more."""
    with SlowForOne(enough=len(OTHERS) - limit) as server:
        installation = make_sqlite_installation(
            smtp_url=server.url, smtp_connections=4, smtp_per_domain=limit, smtp_timeout=10
        )
        add_readers(installation, *SLOW, *OTHERS)
        make_digest(installation)
        tally = send(installation, Batch(DeliveryKind.DIGEST))
    assert tally == {DeliveryState.ACCEPTED: 24}
    assert server.most == limit
    assert Counter(message.recipients[0] for message in server.messages) == dict.fromkeys([*SLOW, *OTHERS], 1)
    first = [message.recipients[0] for message in server.messages[: len(OTHERS) - limit]]
    assert set(first) <= set(OTHERS)
