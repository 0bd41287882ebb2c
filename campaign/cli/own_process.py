"""Work that reads keys, done in a process of its own, so that a long-running process has no keys in its memory."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

Result = TypeVar("Result")


def run_in_own_process(work: Callable[[], Result]) -> Result:
    """Run ``work`` in a new process; returns its result, or raises its error, after that process has ended.

    Python cannot wipe its memory, so a key that was once in this process would stay there.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        return pool.submit(work).result()
