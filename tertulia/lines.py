"""Text files, whole or in lines as JSONL counts them; why one cannot be read is told in a line."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from tertulia.errors import UserError, did_you_mean

__all__ = ["bytes_of", "lines_of", "near_file", "text_of"]

Given = TypeVar("Given")


def text_of(path: Path) -> str:
    """The text of a file; a mark of byte order at its beginning is no text.

    Raises:
        UserError: naming the file, why it cannot be read, and the one beside it that was perhaps meant."""
    return _read(path, partial(path.read_text, encoding="utf-8-sig"))


def bytes_of(path: Path) -> bytes:
    """What stands in a file, whether it is text or not.

    Raises:
        UserError: as `text_of`."""
    return _read(path, path.read_bytes)


def _read(path: Path, how: Callable[[], Given]) -> Given:
    try:
        return how()
    except FileNotFoundError:
        raise UserError(f"there is no file {str(path)!r}{near_file(path)}") from None
    except UnicodeDecodeError:
        raise UserError(f"{str(path)!r} cannot be read: it is not UTF-8") from None
    except OSError as error:
        raise UserError(f"{str(path)!r} cannot be read: {error.strerror}") from None


def lines_of(path: Path) -> list[str]:
    """Its lines without what ends them: a line feed, or that with a carriage return before it.

    `str.splitlines` would also break them at U+2028, U+0085 and others, which a JSON text may hold as they are.

    Raises:
        UserError: as `text_of`."""
    lines = text_of(path).split("\n")
    return lines if lines[-1] else lines[:-1]


def near_file(path: Path) -> str:
    """The file of that kind beside a missing one that was perhaps meant, as a hint; empty where there is none."""
    try:
        beside = [str(other) for other in path.parent.iterdir() if other.suffix == path.suffix]
    except OSError:
        return ""
    return did_you_mean(str(path), beside)
