"""Messages written by threads before they are asked for.

An RSA signature takes longer than all else that is done for a mail, and OpenSSL lets the other threads go on meanwhile.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

from campaign.mail.message import Message
from campaign.services.mailing import Prepared

Written = Message | Exception
_BLOCK = 8  # to hand over a single one would cost as much as to write it
_BLOCKS_AHEAD = 12


def write_all(write: Callable[[Prepared], Message], drafts: Sequence[Prepared]) -> Iterator[Written]:
    """The messages of ``drafts`` in their order, or why one has none."""
    for draft in drafts:
        try:
            yield write(draft)
        except Exception as error:  # noqa: BLE001 (whatever it is, it must not hold up the mails behind)
            yield error


def open_pool() -> ThreadPoolExecutor:
    """Threads to write ahead with: one for each processor."""
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="write")


def write_ahead(
    pool: ThreadPoolExecutor, write: Callable[[Prepared], Message], drafts: Sequence[Prepared]
) -> Iterator[Written]:
    """The same, a few blocks ahead of who takes them."""
    blocks = (drafts[start : start + _BLOCK] for start in range(0, len(drafts), _BLOCK))
    begun: deque[Future[list[Written]]] = deque()

    def begin(count: int) -> None:
        begun.extend(pool.submit(lambda block: list(write_all(write, block)), block) for block in islice(blocks, count))

    begin(_BLOCKS_AHEAD)
    while begun:
        written = begun.popleft().result()
        begin(1)
        yield from written
