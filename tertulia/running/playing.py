"""A run is played into a folder, or gone on with where it was stopped, and exported."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from tertulia.errors import RunStopped, SettingsError
from tertulia.export import export, write_index
from tertulia.models.budget import Budget, Purse, spent_of
from tertulia.models.caller import Caller
from tertulia.models.journal import Journal
from tertulia.models.limits import Patience
from tertulia.models.lines import open_lines, unpriced
from tertulia.permissions import allowing
from tertulia.recipe import bundled_recipe
from tertulia.running.conversations import Conversations, mended_later
from tertulia.running.items import gathered, plan_items
from tertulia.running.pool import Standing, play_all
from tertulia.running.quotas import Grid, Quota, Quotas
from tertulia.running.reading import about, pairs
from tertulia.running.run_folder import clear
from tertulia.running.run_settings import RunSettings, default_folder, manifest_of
from tertulia.running.runner import ensembles, tried
from tertulia.running.runs import Run, completed
from tertulia.running.store import Store
from tertulia.running.workers import Driver, drive, shares

__all__ = ["EACH", "affordable", "caller_for", "play", "run"]

SOME = 5  # cells of a quota that a message names
EACH = 3  # how often each scenario is played when nobody says how many conversations


async def play(settings: RunSettings, on_progress: Callable[[Standing], None] = lambda standing: None) -> Run:
    """Play what the settings ask for, or go on where the same settings were stopped; then export.

    With models, a changed scenario is played again, and replies to requests that did not change come from the journal.

    Raises:
        ScenarioError: with the faults of all files.
        SettingsError: if the folder holds a run with other settings.
        StoreError: if the folder is foreign, in use or unreadable.
        RunInterrupted: after SIGINT or SIGTERM.
        RunStopped: when the budget is spent, or a quota is not met by as many conversations as may be played."""
    with allowing(code=settings.allow_code, net=settings.allow_net):
        return await _played(settings, on_progress)


async def _played(settings: RunSettings, on_progress: Callable[[Standing], None]) -> Run:
    """What `play` does, with what is allowed."""
    scenarios, digests = gathered(settings.scenarios)
    n = settings.n or EACH * len(scenarios)
    quota = Quota.of(settings.quota) if settings.quota else None
    manifest = manifest_of(settings, n, digests)
    folder = Path(settings.out) if settings.out else default_folder(scenarios, settings.scenarios, manifest)
    affordable(settings)
    if settings.fresh:
        clear(folder)
    with Store(folder, manifest) as store, closing(Journal(store.database, store.keep_calls)) as journal:
        if settings.models and settings.quota:
            store.replay({talk.index for talk in store.conversations() if talk.scenario in store.changed})
        elif settings.models:
            store.replay({place for place in range(n) if scenarios[place % len(scenarios)].id in store.changed})
        store.keep_scenarios(scenarios)
        there = store.outcomes(but=mended_later(settings))
        budget = Budget(settings.allowance, spent_of(journal.totals))
        players = ensembles(scenarios, settings.base_cast, caller_for(settings, journal, budget), settings.rules)
        standing = Standing(total=n, kept=len(there), totals=journal.totals)
        quotas = None
        if quota:
            grid = Grid(scenarios, quota, settings.seed, settings.slips)
            quotas = Quotas(grid, quota.accepted, there, settings.n)
            standing.total = len(there) + quotas.missing
        if settings.workers > 1 and standing.done < standing.total:
            work = Conversations(settings, quotas.missing if quotas else n)
            driver = Driver(store, journal, budget, standing, quotas)
            await drive(driver, shares(folder, work, settings.workers), on_progress)
        else:
            items = quotas or plan_items(scenarios, n, settings.seed, settings.slips, there)
            await play_all(store, players, items, standing, settings.concurrency, on_progress)
        standing.notes += write_exports(store, folder / "exports")
        if quotas:
            all_met(quotas, folder)
    return Run(folder)


def all_met(quotas: Quotas, folder: Path) -> None:
    """Raises:
    RunStopped: naming cells that have less than was asked for."""
    if quotas.unmet:
        some = ", ".join(f"{name} {count}" for name, count in list(quotas.unmet.items())[:SOME])
        raise RunStopped(
            f"the quota of {quotas.accepted} is not met by {len(quotas.unmet)} of {len(quotas.cells)} after "
            f"{quotas.most} conversations each: {some}; a larger -n goes on",
            folder,
        )


def caller_for(settings: RunSettings, journal: Journal, budget: Purse, most: int = 0) -> Caller | None:
    """The door to the models of a run, if it has any; at most `most` calls are open at once at one address.

    Raises:
        SettingsError: if a key or a package is missing."""
    if not settings.models:
        return None
    lines = open_lines(settings.models, settings.price_table, most or settings.concurrency)
    return Caller(lines, journal, budget, Patience(settings.deadline, settings.retries), settings.seed)


def affordable(settings: RunSettings) -> None:
    """Refuse a bound in money that cannot be kept.

    Raises:
        SettingsError: if the price of a model is unknown."""
    if settings.max_usd is not None and (names := unpriced(settings.models, settings.price_table)):
        raise SettingsError(f"--max-usd needs the price of {', '.join(names)}, which is unknown; give --prices FILE")


def write_exports(store: Store, folder: Path) -> list[str]:
    """Write every format that a recipe of the run asks for, over what an earlier attempt left; what went wrong."""
    recipes = {scenario.recipe for scenario in store.scenarios().values()}
    for leftover in folder.glob(".*.part"):
        leftover.unlink(missing_ok=True)
    formats = sorted({name for recipe in recipes for name in bundled_recipe(recipe).exports})
    told = about(store)
    reports = [
        export(name, pairs(store, name), folder / f"{name}.jsonl", force=True, attempt=tried, about=told)
        for name in formats
    ]
    write_index(folder)
    return [report.trouble for report in reports if report.trouble]


def run(
    scenarios: list[str] | tuple[str, ...] | str = (),
    *,
    n: int | None = None,
    out: str | Path = "",
    cast: str = "rules",
    seed: int = 0,
    slips: float = 0.15,
    model: str = "",
    concurrency: int = 64,
    fresh: bool = False,
    on_progress: Callable[[Standing], None] = lambda standing: None,
    **more: Any,
) -> Run:
    """Play scenarios, judge the conversations, and export what is accepted: `tertulia run` from Python.

    `scenarios` are files, folders or bundled names; with none, the bundled set is played. `model` is a spec such as
    openai:NAME; what else can be set, such as `base_url`, `role_models` or `max_usd`, are the fields of
    `tertulia.running.run_settings.RunSettings`. Raises what `play` raises."""
    asked = (scenarios,) if isinstance(scenarios, str) else tuple(map(str, scenarios))
    settings = RunSettings.of(
        scenarios=asked,
        n=n,
        out=str(out),
        cast=cast,
        seed=seed,
        slips=slips,
        model=model,
        concurrency=concurrency,
        fresh=fresh,
        **more,
    )
    return completed(play(settings, on_progress))
