"""`tertulia judge`: ask the judges again."""

from pathlib import Path

from tertulia.commands.printing import as_json
from tertulia.commands.tables import brief
from tertulia.progress import shown
from tertulia.runs import Run

__all__ = ["perform"]


def perform(*, folder: Path, json: bool) -> int:
    with shown(quiet=json) as progress:
        summary = Run(folder).judge(progress)
    if json:
        as_json(summary.as_json())
    else:
        print(brief(summary))
    return 0
