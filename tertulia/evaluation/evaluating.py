"""An evaluation: trials are played into a folder, or gone on with where they were stopped."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tertulia.contracts import Speaker
from tertulia.errors import RunStopped
from tertulia.evaluation.figures import Figures
from tertulia.evaluation.floors import floors_of
from tertulia.evaluation.reading import last_attempts, manifest_in, read_trials, scored_by
from tertulia.evaluation.sets import EvalSet, digest, read_set
from tertulia.evaluation.settings import EvaluationSettings, manifest_of_evaluation
from tertulia.evaluation.sharing import Trials, company, there_in
from tertulia.evaluation.trials import Trial, trial_items, trial_of
from tertulia.models.budget import Budget, spent_of
from tertulia.models.journal import Journal
from tertulia.models.records import EndpointDenies
from tertulia.running.playing import affordable, caller_for
from tertulia.running.pool import Standing, play_all
from tertulia.running.run_folder import clear
from tertulia.running.store import Store
from tertulia.running.workers import Driver, drive, shares

__all__ = ["all_there", "evaluate", "figures_of", "folder_of"]

ATTEMPTS = 9  # at one trial, at most
OnProgress = Callable[[Standing], None]


def folder_of(settings: EvaluationSettings, evalset: EvalSet) -> Path:
    """The folder of an evaluation; left out, `runs/eval-AGENT-DIGEST`, the same for the same command."""
    if settings.run.out:
        return Path(settings.run.out)
    manifest = manifest_of_evaluation(settings, evalset)
    name = "".join(sign if sign.isalnum() else "-" for sign in settings.agent.rpartition(":")[2])[-40:].strip("-")
    decided = manifest["settings"], manifest["versions"]["set"], manifest["versions"]["simulator"]
    return Path("runs") / f"eval-{name}-{digest(decided)[:8]}"


@dataclass(slots=True)
class Session:
    """An open evaluation: what plays, and where it is kept."""

    settings: EvaluationSettings
    evalset: EvalSet
    store: Store
    journal: Journal
    budget: Budget
    on_progress: OnProgress
    simulator: Speaker | None = None
    standing: Standing = field(default_factory=lambda: Standing(total=0))

    async def play(self, places: Sequence[int]) -> None:
        """Play the trials at those of the places where none is there yet.

        Raises:
            RunInterrupted, RunStopped: what had finished is kept.
            EndpointDenies: if nobody answered from the start."""
        there = there_in(self.store, self.settings)
        due = [place for place in places if place not in there]
        self.standing.total, self.standing.kept = len(places), len(places) - len(due)
        self.standing.accepted, self.standing.rejected = 0, type(self.standing.rejected)()
        try:
            if min(self.settings.run.workers, len(due)) > 1:
                await self.play_by_several(places, min(self.settings.run.workers, len(due)))
            elif due:
                await self.play_here(due)
        except EndpointDenies as gone:
            if not self.standing.done:
                raise
            kept = f"{self.standing.done} of {self.standing.total} trials are kept in {self.store.folder}"
            raise RunStopped(f"{gone}; {kept}; the same command goes on", self.store.folder) from None

    async def play_here(self, due: Sequence[int]) -> None:
        """Play in this process."""
        asked, count = self.settings, len(self.evalset.items)
        caller = caller_for(asked.playing, self.journal, self.budget)
        trials = (trial_of(place, count) for place in due)
        items = trial_items(self.evalset, trials, asked.run.seed, per_seed=asked.per_seed)
        async with company(asked, self.evalset, caller, self.simulator) as players:
            await play_all(self.store, players, items, self.standing, asked.run.concurrency, self.on_progress)

    async def play_by_several(self, places: Sequence[int], workers: int) -> None:
        """Play in so many processes, of which this one is not one."""
        work = Trials(self.settings, tuple([item.id for item in self.evalset.items]), places, self.simulator)
        driver = Driver(self.store, self.journal, self.budget, self.standing)
        await drive(driver, shares(self.store.folder, work, workers), self.on_progress)

    async def play_again(self, most: int) -> None:
        """Play trials again whose simulator tainted them, at most so many in all, those of an earlier call included."""
        left = most
        for attempt in range(1, ATTEMPTS):
            if left <= 0:
                return
            self.store.flush()
            trials = await read_trials(self.store.folder, self.settings.k)
            again = [one for one in last_attempts(trials) if one.tainted or one.score.trial.attempt >= attempt]
            wanted = [Trial(attempt, one.score.trial.trial, one.score.trial.item) for one in again][:left]
            if not wanted:
                return
            left -= len(wanted)
            await self.play([trial.place(len(self.evalset.items)) for trial in wanted])


def first_places(evalset: EvalSet, k: int) -> range:
    """Where the first attempts at the trials lie."""
    return range(k * len(evalset.items))


def all_there(settings: EvaluationSettings, evalset: EvalSet) -> bool:
    """Whether a folder holds every trial that the settings ask for, so that there is nothing to play.

    Such a folder may have been played by another tertulia: its trials are scored anew."""
    folder, manifest = folder_of(settings, evalset), manifest_of_evaluation(settings, evalset)
    if settings.rerun or settings.run.fresh or not (folder / "run.sqlite").exists():
        return False
    with Store(folder) as store:
        told = store.manifest.get("versions", {})
        same = all(told.get(name) == manifest["versions"][name] for name in ("set", "simulator"))
        all_in = there_in(store, settings).issuperset(first_places(evalset, settings.k))
        return same and store.manifest["settings"] == manifest["settings"] and all_in


async def evaluate(
    settings: EvaluationSettings,
    on_progress: OnProgress = lambda standing: None,
    simulator: Speaker | None = None,
    evalset: EvalSet | None = None,
) -> Path:
    """Play what the settings ask for, or go on where the same settings were stopped; the folder that holds it.

    Raises:
        ScenarioError, SettingsError, UserError: naming what to mend.
        StoreError: if the folder is foreign, in use or unreadable.
        RunInterrupted: after SIGINT or SIGTERM.
        RunStopped: when the budget is spent, or nobody answers any more at the agent's address.
        EndpointDenies: if nobody ever did."""
    evalset = evalset or read_set(settings.sets, settings.variants, settings.run.seed)
    playing, manifest = settings.playing, manifest_of_evaluation(settings, evalset)
    folder = folder_of(settings, evalset)
    affordable(playing)
    if playing.fresh:
        clear(folder)
    with Store(folder, manifest) as store, closing(Journal(store.database, store.keep_calls)) as journal:
        if store.changed:  # with models, replies to what is asked as before come from the journal
            store.replay(store.finished())
        store.keep_scenarios(evalset.scenarios.values())
        budget = Budget(playing.allowance, spent_of(journal.totals))
        session = Session(settings, evalset, store, journal, budget, on_progress, simulator)
        session.standing.totals = journal.totals
        await session.play(first_places(evalset, settings.k))
        await session.play_again(settings.rerun)
    return folder


async def figures_of(folder: Path, k: int = 0, evalset: EvalSet | None = None, *, again: bool = False) -> Figures:
    """The figures of an evaluation, from what is kept; floors stand beside them when the set is given.

    Raises:
        StoreError: if the folder holds no evaluation."""
    manifest = manifest_in(folder)
    floors = await floors_of(evalset, folder, manifest["settings"]["seed"]) if evalset else None
    trials = await read_trials(folder, k, again=again, unreachable=floors.unreachable if floors else ())
    return Figures(
        folder=folder,
        agent=manifest["settings"]["agent"],
        mode=manifest["settings"]["mode"],
        versions=manifest["versions"] | {"metric": scored_by(manifest, again)},
        trials=trials,
        floors=floors.rates if floors else {},
        left_out=evalset.left_out if evalset else {},
        k=k or 1 + max((one.score.trial.trial for one in trials), default=0),
    )
