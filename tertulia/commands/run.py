"""`tertulia run`: play, judge, export."""

import asyncio
from typing import Any

from tertulia.commands.judge import of_one_family
from tertulia.commands.printing import as_json, note
from tertulia.commands.tables import brief
from tertulia.errors import RunStopped
from tertulia.running.playing import play
from tertulia.running.pool import Standing
from tertulia.running.progress import shown
from tertulia.running.run_settings import RunSettings
from tertulia.running.runs import Run

__all__ = ["perform"]


def perform(*, json: bool, quiet: bool, **options: Any) -> int:
    settings = RunSettings.of(**options)
    latest = Standing(total=0)

    def show(standing: Standing) -> None:
        nonlocal latest
        latest = standing
        progress(standing)

    stopped = ""
    with shown(quiet) as progress:
        try:
            run = asyncio.run(play(settings, show))
        except RunStopped as spent:
            run, stopped = Run(spent.folder), str(spent)
    for line in latest.notes:
        note(line)
    if not latest.played and not stopped:
        note(f"{run.folder} was finished before; --fresh plays it anew")
    summary = run.summary
    if stopped:
        note(f"tertulia: {stopped}")
        if json:
            as_json(summary.as_json())
        return 1
    exports = sorted(path.name for path in (run.folder / "exports").glob("*.jsonl"))
    if json:
        as_json(summary.as_json())
        return 0
    print(brief(summary))
    print(f"{run.folder}/exports: {', '.join(exports) or 'none'}")
    if not quiet:
        if alike := of_one_family({role: model.spec.name for role, model in settings.models.items()}):
            note(alike)
        note(f"see it all with: tertulia report {run.folder}")
    return 0
