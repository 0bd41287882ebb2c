"""Where commands write lists."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from campaign.errors import InvalidFile


@contextmanager
def written_to(output: Path | None, *, whole: bool = False) -> Iterator[BinaryIO]:
    """Standard output, or a file that is there whole or not at all, readable by its owner alone.

    ``whole``: what goes to standard output, too, is held back until all of it is there.
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
