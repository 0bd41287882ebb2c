"""The output of commands that write lists: standard output or a file."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from campaign.errors import InvalidFile


@contextmanager
def open_output(output: Path | None, *, whole: bool = False) -> Iterator[BinaryIO]:
    """Open standard output, or a file that is readable by its owner alone and exists only if it is complete.

    ``whole``: standard output too is written only when the whole content is there. Raises InvalidFile.
    """
    if output is None:
        held = io.BytesIO() if whole else sys.stdout.buffer
        yield held
        if isinstance(held, io.BytesIO):
            sys.stdout.buffer.write(held.getbuffer())
        sys.stdout.buffer.flush()
        return
    part = output.with_name(output.name + ".part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            yield file
        part.replace(output)
    except OSError as error:
        raise InvalidFile(f"{output} cannot be written: {error.strerror}.") from None
    finally:
        part.unlink(missing_ok=True)
