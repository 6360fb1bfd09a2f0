"""A run as a whole: scenarios are played into a folder, judged again, exported and summed up."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from tertulia.corpus.criteria import read_plan
from tertulia.corpus.rules import Rules
from tertulia.corpus.selecting import Selected
from tertulia.corpus.selection import FOLDER as SELECTIONS
from tertulia.corpus.selection import Selection, find_selection
from tertulia.corpus.trust.labels import Labels
from tertulia.errors import RunStopped, SettingsError, UserError
from tertulia.export import PARQUET, ExportReport, export, write_index
from tertulia.exporting.apart import told_of
from tertulia.exporting.card import About
from tertulia.models.budget import Allowance, Budget, Purse, spent_of
from tertulia.models.caller import Caller
from tertulia.models.journal import Journal
from tertulia.models.limits import Patience
from tertulia.models.lines import open_lines, unpriced
from tertulia.models.prices import prices_from
from tertulia.models.spec import RoleModel
from tertulia.permissions import allowing
from tertulia.recipe import bundled_recipe
from tertulia.records import Conversation
from tertulia.running.conversations import Conversations, mended_later
from tertulia.running.items import Pairs, Variants, gathered, plan_items
from tertulia.running.pool import Standing, play_all
from tertulia.running.quotas import Grid, Quota, Quotas
from tertulia.running.run_folder import clear
from tertulia.running.run_settings import RunSettings, default_folder, manifest_of, models_in
from tertulia.running.runner import Bench, ensembles, tried
from tertulia.running.selecting import selected
from tertulia.running.store import Store
from tertulia.running.summary import Summary, unfinished
from tertulia.running.workers import Driver, drive, shares
from tertulia.verifying.findings import Findings
from tertulia.verifying.verify import verify

__all__ = ["Run", "caller_for", "play", "run"]

AT_ONCE = 64  # conversations that are judged again at once
SOME = 5  # cells of a quota that a message names
EACH = 3  # how often each scenario is played when nobody says how many conversations
Given = TypeVar("Given")


@dataclass(frozen=True, slots=True, init=False)
class Run:
    """A run folder and what can be asked of it: `Run("runs/demo")` opens what an earlier process has played."""

    folder: Path

    def __init__(self, folder: str | Path) -> None:
        object.__setattr__(self, "folder", Path(folder))

    @property
    def summary(self) -> Summary:
        """Counts over every conversation, made by reading all of them once."""
        with Store(self.folder) as store:
            return Summary.of(str(self.folder), store.conversations(), store.counters(), store.planned)

    @property
    def unfinished(self) -> str:
        """How much of the run is there while some of it is still to be played; otherwise empty."""
        with Store(self.folder) as store:
            return unfinished(len(store.finished()), store.planned)

    def conversations(self, accepted_only: bool = False) -> Iterator[Conversation]:
        """Every conversation in order, a few in memory at a time."""
        with Store(self.folder) as store:
            yield from store.conversations(accepted_only)

    def conversation(self, which: int | str) -> Conversation:
        """One conversation by its place in the run or by its id, which ends with its place.

        Raises:
            UserError: if the run has none such."""
        place = str(which).rpartition("-")[2]
        with Store(self.folder) as store:
            talk = store.conversation(int(place)) if place.isdecimal() and len(place) < 12 else None
        if talk is None or (str(which) != place and talk.id != which):
            raise UserError(
                f"{str(self.folder)!r} has no conversation {str(which)!r}; give an id or a number from 0 on"
            )
        return talk

    def export(
        self,
        format_name: str,
        path: str | Path = "",
        *,
        force: bool = False,
        licence: str = "unknown",
        selection: Selection | None = None,
    ) -> ExportReport:
        """Write the run in a format, by default to `exports/FORMAT.jsonl` in its folder; a card and a manifest with it.

        With a selection, only what it keeps is written.

        Raises:
            UserError: if the file exists and `force` is not given, or if it cannot be written.
            UnknownPart: if there is no such format."""
        with Store(self.folder) as store:
            file = Path(path or self.default_export(format_name, selection=selection))
            told, chosen = about(store, licence), pairs(store)
            if selection:
                told, chosen = replace(told, selection=selection.as_json()), kept_of(chosen, selection)
            report = export(format_name, chosen, file, force=force, attempt=tried, about=told)
        if file.parent == self.folder / "exports":
            report = replace(report, apart=told_of(write_index(file.parent), report.path.name))
        return report

    def verify(self, format_name: str, path: str | Path = "", *, tokenizer: str = "") -> Findings:
        """Read an export of the run back and check it, see `tertulia.verifying.verify`.

        Raises:
            UserError: if it is not there, or its format cannot be verified.
            UnknownPart: if there is no such format."""
        with Store(self.folder) as store:
            return verify(format_name, Path(path or self.default_export(format_name)), pairs(store), tokenizer)

    def default_export(self, format_name: str, *, parquet: bool = False, selection: Selection | None = None) -> Path:
        chosen = f"-{selection.name}" if selection else ""
        return self.folder / "exports" / f"{format_name}{chosen}{PARQUET if parquet else '.jsonl'}"

    def selection(self, name: str, part: str = "") -> Selection:
        """A selection that `select` has made, by its name, or one of its parts.

        Raises:
            UserError: if there is none of that name."""
        return find_selection(self.folder, name, part)

    def select(
        self,
        criteria: str = "plain",
        *,
        against: Sequence[Path] = (),
        preview: bool = False,
        labels: Labels | None = None,
    ) -> Selected:
        """Put every conversation through a file of criteria; the selection is written to `selections/` unless it is
        only a preview. `against` are evaluation sets besides those that the file names; with people's `labels`, it is
        told how many of the bad conversations go.

        Raises:
            ScenarioError: with the faults of the file, or of an evaluation set.
            UserError: if a file or an extra is missing, or a judge that a rule names has not been asked."""
        plan = read_plan(criteria, against)
        path = None if preview else self.folder / SELECTIONS / f"{plan.criteria.id}.jsonl"
        return selected(self.folder, plan, pairs, path, labels)

    def judge(
        self,
        *more: str,
        model: str = "",
        base_url: str = "",
        on_progress: Callable[[Standing], None] = lambda standing: None,
    ) -> Summary:
        """Ask the recipes' judges again, and `more` judges by name, and replace every verdict.

        Judges that are models are the run's own judge model, or `model`; their replies are kept in the run's journal.

        Raises:
            SettingsError: if a judge needs a model and there is none."""
        given = RunSettings.of(role_models=(f"judge={model}",), base_url=base_url).models if model else {}
        return completed(judged_again(self.folder, on_progress, more, given))


def pairs(store: Store, recipe_exports: str = "") -> Pairs:
    """Every conversation with its settled scenario; with a format, only those whose recipe exports it."""
    scenarios, variants = store.scenarios(), Variants()
    for talk in store.conversations():
        scenario = scenarios[talk.scenario]
        if not recipe_exports or recipe_exports in bundled_recipe(scenario.recipe).exports:
            yield variants.or_as_written(scenario, talk.variant)[0], talk


def kept_of(all_pairs: Pairs, selection: Selection) -> Pairs:
    """The conversations that a selection keeps; both are in the order of the run.

    Raises:
        UserError: if it keeps what the run has not, as one of another run does, or has no such part."""
    talks = iter(all_pairs)
    for place, name in selection.places():
        found = next(((scenario, talk) for scenario, talk in talks if talk.index >= place), None)
        if found is None or (found[1].index, found[1].id) != (place, name):
            raise UserError(f"{str(selection.path)!r} keeps {name!r} at place {place}, which this run has not")
        yield found


def about(store: Store, licence: str = "unknown") -> About:
    """What the papers of an export tell of its run."""
    recipes = [bundled_recipe(name) for name in {scenario.recipe for scenario in store.scenarios().values()}]
    settings: dict[str, Any] = store.manifest["settings"]
    return About(
        settings=settings,
        scenarios=store.manifest.get("scenarios", {}),
        version=str(store.manifest.get("tertulia", "")),
        gates={recipe.id: recipe.gates for recipe in recipes if recipe.gates},
        licence=licence,
    )


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


async def judged_again(
    folder: Path,
    on_progress: Callable[[Standing], None],
    asked: Sequence[str] = (),
    given: Mapping[str, RoleModel] | None = None,
) -> Summary:
    """Replace the verdicts of every conversation; a judge that is a model answers from the journal where it can."""
    with Store(folder) as reader:
        manifest = reader.manifest
    with Store(folder, manifest) as store, closing(Journal(store.database, store.keep_calls)) as journal:
        own = {role: model for role, model in models_in(manifest).items() if role == "judge"}
        models = dict(given or own)
        caller = Caller(open_lines(models, prices_from(), AT_ONCE), journal, Budget(Allowance())) if models else None
        rules, benches = Rules.kept(manifest["settings"], folder / "manifest.json"), {}
        for name in {scenario.recipe for scenario in store.scenarios().values()}:
            recipe = bundled_recipe(name)
            more = recipe.seats(manifest["settings"]["cast"], set(own)).judges
            benches[name] = Bench(recipe, caller, (*more, *asked), rules)
        standing = Standing(total=len(store.finished()), totals=journal.totals)
        for some in batched(pairs(store), AT_ONCE):
            work = [benches[scenario.recipe].judged(scenario, talk) for scenario, talk in some]
            for (scenario, _), talk in zip(some, await asyncio.gather(*work), strict=True):
                judged = benches[scenario.recipe].ruled(scenario, talk)
                if caller:
                    caller.leave(judged.id)
                standing.count(judged.rejected_by)
                store.add(judged)
            on_progress(standing)
        store.flush()
        return Summary.of(str(folder), store.conversations(), store.counters(), store.planned)


def batched(given: Iterable[Given], size: int) -> Iterator[list[Given]]:
    """Lists of up to `size`."""
    rest = iter(given)
    while some := list(islice(rest, size)):
        yield some


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


def completed(work: Coroutine[Any, Any, Given]) -> Given:
    """What a coroutine gives, also where an event loop is running already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()
