"""`tertulia run`: play, judge, export."""

import asyncio
from typing import Any

from tertulia.commands.printing import as_json, note
from tertulia.commands.tables import brief
from tertulia.progress import shown
from tertulia.run_settings import RunSettings
from tertulia.runner import Standing
from tertulia.runs import play

__all__ = ["perform"]


def perform(*, json: bool, quiet: bool, **options: Any) -> int:
    settings = RunSettings.of(**options)
    played = 0

    def show(standing: Standing) -> None:
        nonlocal played
        played = standing.played
        progress(standing)

    with shown(quiet) as progress:
        run = asyncio.run(play(settings, show))
    if not played:
        note(f"{run.folder} was finished before; --fresh plays it anew")
    summary = run.summary
    exports = sorted(path.name for path in (run.folder / "exports").glob("*.jsonl"))
    if json:
        as_json(summary.as_json())
        return 0
    print(brief(summary))
    print(f"{run.folder}/exports: {', '.join(exports) or 'none'}")
    if not quiet:
        note(f"see it all with: tertulia report {run.folder}")
    return 0
