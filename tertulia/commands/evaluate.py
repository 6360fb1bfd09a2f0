"""`tertulia evaluate`: an agent on an evaluation set, with the noise of its score and the cause of each failure."""

import asyncio
from collections.abc import Sequence
from json import dumps
from pathlib import Path
from typing import Any

from tertulia.commands.evaluation_tables import brief, compared, full, unreached
from tertulia.commands.printing import as_json, console, note
from tertulia.errors import RunStopped, SettingsError
from tertulia.evaluation.comparing import compare_folders
from tertulia.evaluation.evaluating import all_there, evaluate, figures_of, folder_of
from tertulia.evaluation.figures import Figures
from tertulia.evaluation.floors import kept_beside
from tertulia.evaluation.html import page_of
from tertulia.evaluation.sets import EvalSet, read_set
from tertulia.evaluation.settings import EvaluationSettings
from tertulia.evaluation.slot_rows import slot_rows
from tertulia.running.progress import shown
from tertulia.running.run_folder import write_atomically
from tertulia.running.run_settings import RunSettings

__all__ = ["perform"]

OWN = ("agent", "k", "per_seed", "variants", "mode", "rerun", "deadline")  # options of an evaluation, not of a run


def perform(
    *,
    sets: Sequence[str],
    compare: tuple[Path, Path] | None,
    floors: bool,
    rescore: bool,
    force: bool,
    html: str,
    rows: str,
    json: bool,
    quiet: bool,
    **options: Any,
) -> int:
    if compare:
        return show_comparison(compare, rescore=rescore, force=force, json=json)
    if not options["agent"]:
        raise SettingsError("name the agent with --agent: rules, none, oracle, MODULE:NAME, http(s)://..., openai:NAME")
    own = {name: options.pop(name) for name in OWN}
    k = own["k"] or (0 if rescore else 1)  # 0: as many as the folder has
    own["k"] = max(1, k)
    settings = EvaluationSettings.of(sets=tuple(sets), run=RunSettings.of(**options), **own)
    known = kept_beside(Path(settings.run.out or "runs/eval"))
    evalset = read_set(settings.sets, settings.variants, settings.run.seed, known)
    if settings.mode == "static":
        evalset = evalset.with_calls()
    for item, reason in evalset.left_out.items():
        note(f"left out: {item}: {reason}")
    stopped = "" if rescore or all_there(settings, evalset) else play(settings, evalset, quiet)
    folder = folder_of(settings, evalset)
    figures = asyncio.run(figures_of(folder, k, evalset if floors else None, again=rescore))
    figures.asked = len(evalset.items) * figures.k
    if not figures.trials:
        note(f"tertulia: {stopped or f'no trial in {folder} has finished'}")
        return 1
    written = write_page(figures, html)
    if rows:
        write_rows(folder, figures.k, Path(rows))
    if stopped:
        note(f"tertulia: {stopped}")
    if figures.unreached:
        note(f"tertulia: {unreached(figures)}; the same command plays them again")
    show(figures, written, json=json)
    return 1 if stopped or figures.unreached else 0


def play(settings: EvaluationSettings, evalset: EvalSet, quiet: bool) -> str:
    """Play the trials; why they were stopped, if a budget is spent or the agent is gone."""
    with shown(quiet) as progress:
        try:
            asyncio.run(evaluate(settings, progress, evalset=evalset))
        except RunStopped as spent:
            return str(spent)
    return ""


def write_page(figures: Figures, html: str) -> Path:
    """Write the report to a file; by default to `exports/report.html` in the evaluation's folder."""
    path = Path(html) if html else figures.folder / "exports" / "report.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, page_of(figures))
    return path


def write_rows(folder: Path, k: int, path: Path) -> None:
    """Write the slots of every trial as rows for `tertulia agreement`."""
    lines = [dumps(row, ensure_ascii=False) for row in asyncio.run(slot_rows(folder, k))]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, "".join(f"{line}\n" for line in lines))


def show(figures: Figures, page: Path, *, json: bool) -> None:
    if json:
        as_json(figures.as_json())
        return
    screen = console()
    print(brief(figures))
    for part in full(figures):
        screen.print(part)
    print(f"\n{page}")


def show_comparison(folders: tuple[Path, Path], *, rescore: bool, force: bool, json: bool) -> int:
    found = asyncio.run(compare_folders(*folders, again=rescore, force=force))
    if json:
        as_json(found.as_json())
    else:
        console().print(compared(found))
    return 0
