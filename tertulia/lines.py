"""The lines of a text file as JSONL counts them."""

from pathlib import Path

__all__ = ["lines_of"]


def lines_of(path: Path) -> list[str]:
    """Its lines without what ends them: a line feed, or that with a carriage return before it.

    `str.splitlines` would also break them at U+2028, U+0085 and others, which a JSON text may hold as they are. A mark
    of byte order at the beginning is no text.

    Raises:
        OSError, UnicodeDecodeError: if the file cannot be read."""
    lines = path.read_text(encoding="utf-8-sig").split("\n")
    return lines if lines[-1] else lines[:-1]
