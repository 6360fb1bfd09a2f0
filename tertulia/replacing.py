"""Files that are there in full or not at all: they take the place of older ones when all of them is on disk."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from tertulia.errors import UserError

__all__ = ["replacing", "taking_place"]


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """A text file that takes the place of `path` when the block ends well, and vanishes otherwise.

    Raises:
        UserError: if it cannot be written, as on a full disk."""
    # A lone surrogate has no UTF-8; its backslash escape is the very escape that JSON uses.
    with (
        taking_place(path) as part,
        part.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file,
    ):
        yield file
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def taking_place(path: Path) -> Iterator[Path]:
    """A path beside `path` whose file takes its place when the block ends well, and vanishes otherwise.

    Raises:
        UserError: if it cannot be written, as on a full disk."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield part
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"cannot write {str(path)!r}: {error.strerror or error}") from error
