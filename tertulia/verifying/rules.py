"""What a consumer's rules are: they look at the rows of one export in order, and at its other files."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

__all__ = ["Beside", "Plain", "Row", "Rules", "Whole"]

Row = Mapping[str, Any]


class Rules(Protocol):
    """The rules of one consumer, for the rows of one file or folder in order."""

    def faults(self, row: Row) -> Iterator[str]:
        """What is wrong with a row whose columns fit; of a folder, with `{"file", "row" or "text"}`."""
        ...

    def notes(self) -> Iterator[str]:
        """What is worth knowing of all rows, at the end."""
        ...


@runtime_checkable
class Beside(Protocol):
    """Rules for a sidecar with a line for each row."""

    def beside(self, row: Row, line: Row) -> Iterator[str]:
        """What is wrong with the line that stands beside a row."""
        ...


@runtime_checkable
class Whole(Protocol):
    """Rules for a folder as a whole."""

    def whole(self) -> Iterator[str]:
        """What is wrong with the folder, at the end."""
        ...


class Plain:
    """Rules that look at one row at a time."""

    def faults(self, row: Row) -> Iterator[str]:
        yield from ()

    def notes(self) -> Iterator[str]:
        yield from ()
