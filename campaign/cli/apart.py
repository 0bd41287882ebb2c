"""Work that reads keys, done for a process that lives on and must not have them in its memory."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

Result = TypeVar("Result")


def do_apart(work: Callable[[], Result]) -> Result:
    """What ``work`` gives or raises, from a process of its own that has ended then.

    Nothing that it read is in this process: Python cannot wipe its memory, so a key that was here once stays.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        return pool.submit(work).result()
