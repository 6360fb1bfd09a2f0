"""`tertulia report`: what a run gave, as tables."""

from pathlib import Path

from rich.markup import escape

from tertulia.commands.printing import as_json, console, note
from tertulia.commands.tables import full
from tertulia.running.runs import Run

__all__ = ["perform"]


def perform(*, folder: Path, json: bool) -> int:
    summary = Run(folder).summary
    if json:
        if summary.unfinished:
            note(summary.unfinished)
        as_json(summary.as_json())
        return 0
    screen = console()
    screen.print(f"[bold]{escape(str(folder))}[/]")
    for part in full(summary):
        screen.print(part)
    return 0
