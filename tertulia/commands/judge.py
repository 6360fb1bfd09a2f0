"""`tertulia judge`: ask the judges again."""

from collections.abc import Sequence
from pathlib import Path

from tertulia.commands.printing import as_json
from tertulia.commands.tables import brief
from tertulia.parts import heuristics
from tertulia.running.progress import shown
from tertulia.running.runs import Run

__all__ = ["perform"]


def perform(*, folder: Path, judges: Sequence[str], tags: bool, json: bool) -> int:
    asked = dict.fromkeys([*(heuristics() if tags else ()), *judges])
    with shown(quiet=json) as progress:
        summary = Run(folder).judge(*asked, on_progress=progress)
    if json:
        as_json(summary.as_json())
    else:
        print(brief(summary))
        for name, (passed, given) in sorted(summary.verdicts.items()):
            print(f"{name}: passed by {passed} of {given}")
    return 0
