"""A run as a whole: scenarios are played into a folder, judged again, exported and summed up."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tertulia.export import ExportReport, export
from tertulia.items import Pairs, Variants, gathered, plan_items
from tertulia.recipe import bundled_recipe
from tertulia.records import Conversation
from tertulia.run_folder import clear
from tertulia.run_settings import RunSettings, default_folder, manifest_of
from tertulia.runner import Bench, Standing, ensembles, play_all
from tertulia.store import Store
from tertulia.summary import Summary

__all__ = ["Run", "play", "run"]

EACH = 3  # how often each scenario is played when nobody says how many conversations
Given = TypeVar("Given")


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder and what can be asked of it."""

    folder: Path

    @property
    def summary(self) -> Summary:
        """Counts over every conversation, made by reading all of them once."""
        with Store(self.folder) as store:
            return Summary.of(str(self.folder), store.conversations())

    def conversations(self, accepted_only: bool = False) -> Iterator[Conversation]:
        """Every conversation in order, a few in memory at a time."""
        with Store(self.folder) as store:
            yield from store.conversations(accepted_only)

    def export(self, format_name: str, path: str | Path = "", *, force: bool = False) -> ExportReport:
        """Write the run in a format, by default to `exports/FORMAT.jsonl` in its folder.

        Raises:
            UserError: if the file exists and `force` is not given, or if it cannot be written.
            UnknownPart: if there is no such format."""
        with Store(self.folder) as store:
            return export(format_name, pairs(store), Path(path or self.default_export(format_name)), force=force)

    def default_export(self, format_name: str) -> Path:
        return self.folder / "exports" / f"{format_name}.jsonl"

    def judge(self, on_progress: Callable[[Standing], None] = lambda standing: None) -> Summary:
        """Ask the recipes' judges again and replace every verdict."""
        return completed(judged_again(self.folder, on_progress))


def pairs(store: Store, recipe_exports: str = "") -> Pairs:
    """Every conversation with its settled scenario; with a format, only those whose recipe exports it."""
    scenarios, variants = store.scenarios(), Variants()
    for talk in store.conversations():
        scenario = scenarios[talk.scenario]
        if not recipe_exports or recipe_exports in bundled_recipe(scenario.recipe).exports:
            yield variants.of(scenario, talk.variant), talk


async def play(settings: RunSettings, on_progress: Callable[[Standing], None] = lambda standing: None) -> Run:
    """Play what the settings ask for, or go on where the same settings were stopped; then export.

    Raises:
        ScenarioError: with the faults of all files.
        SettingsError: if the folder holds a run with other settings.
        StoreError: if the folder is foreign, in use or unreadable.
        RunInterrupted: after SIGINT or SIGTERM."""
    scenarios, digests = gathered(settings.scenarios)
    n = settings.n or EACH * len(scenarios)
    manifest = manifest_of(settings, n, digests)
    folder = Path(settings.out) if settings.out else default_folder(scenarios, settings.scenarios, manifest)
    players = ensembles(scenarios, settings.cast)
    if settings.fresh:
        clear(folder)
    with Store(folder, manifest) as store:
        store.keep_scenarios(scenarios)
        there = store.finished()
        standing = Standing(total=n, kept=len(there))
        items = plan_items(scenarios, n, settings.seed, settings.slips, there)
        await play_all(store, players, items, standing, settings.concurrency, on_progress)
        write_exports(store, folder / "exports")
    return Run(folder)


def write_exports(store: Store, folder: Path) -> None:
    """Write every format that a recipe of the run asks for, over what an earlier attempt left."""
    recipes = {scenario.recipe for scenario in store.scenarios().values()}
    for leftover in folder.glob(".*.part"):
        leftover.unlink(missing_ok=True)
    for format_name in sorted({name for recipe in recipes for name in bundled_recipe(recipe).exports}):
        export(format_name, pairs(store, format_name), folder / f"{format_name}.jsonl", force=True)


async def judged_again(folder: Path, on_progress: Callable[[Standing], None]) -> Summary:
    """Replace the verdicts of every conversation."""
    with Store(folder) as reader:
        manifest = reader.manifest
    with Store(folder, manifest) as store:
        benches = {name: Bench(bundled_recipe(name)) for name in {s.recipe for s in store.scenarios().values()}}
        standing = Standing(total=len(store.finished()))
        for scenario, talk in pairs(store):
            judged = await benches[scenario.recipe].judged(scenario, talk)
            standing.count(judged)
            store.add(judged)
            on_progress(standing)
        store.flush()
        return Summary.of(str(folder), store.conversations())


def run(
    scenarios: list[str] | tuple[str, ...] | str = (),
    *,
    n: int | None = None,
    out: str | Path = "",
    cast: str = "rules",
    seed: int = 0,
    slips: float = 0.15,
    concurrency: int = 64,
    fresh: bool = False,
    on_progress: Callable[[Standing], None] = lambda standing: None,
) -> Run:
    """Play scenarios, judge the conversations, and export what is accepted: `tertulia run` from Python.

    `scenarios` are files, folders or bundled names; with none, the bundled set is played. Raises what `play` raises."""
    asked = (scenarios,) if isinstance(scenarios, str) else tuple(map(str, scenarios))
    settings = RunSettings.of(
        scenarios=asked,
        n=n,
        out=str(out),
        cast=cast,
        seed=seed,
        slips=slips,
        concurrency=concurrency,
        fresh=fresh,
    )
    return completed(play(settings, on_progress))


def completed(work: Coroutine[Any, Any, Given]) -> Given:
    """What a coroutine gives, also where an event loop is running already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()
