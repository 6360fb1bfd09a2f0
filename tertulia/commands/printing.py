"""What every command prints with: results on standard output, everything else on standard error."""

import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["as_json", "console", "counted", "note", "table"]


def as_json(result: dict[str, Any]) -> None:
    """The last line of standard output."""
    print(json.dumps(result, ensure_ascii=False), flush=True)


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def counted(number: int, noun: str) -> str:
    """`1 item`, `2 items`"""
    return f"{number} {noun}{'' if number == 1 else 's'}"


class Screen(Console):
    """A console that leaves it to `tertulia.cli` what happens when nobody reads any more."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console() -> Console:
    """Standard output; a file or pipe gets lines that are long enough for any table."""
    return Screen(highlight=False) if sys.stdout.isatty() else Screen(highlight=False, width=160)


def table(title: str, *columns: str) -> Table:
    """A table whose first column is a name, never cut; the others are numbers, unless marked with a leading `<`.

    A title that is wider than its table stays on its line."""
    line = Text(title, "bold", no_wrap=True, overflow="ignore")
    made = Table(title=line, title_justify="left", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for nth, column in enumerate(columns):
        left = nth == 0 or column.startswith("<")
        made.add_column(
            column.removeprefix("<"), justify="left" if left else "right", overflow="fold", no_wrap=nth == 0
        )
    return made
