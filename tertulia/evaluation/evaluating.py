"""An evaluation: trials are played into a folder, or gone on with where they were stopped."""

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tertulia.contracts import Speaker
from tertulia.errors import RunStopped
from tertulia.evaluation.agents import seated
from tertulia.evaluation.casting import Staging, dynamic, evaluation_ensembles
from tertulia.evaluation.figures import Figures
from tertulia.evaluation.floors import floors_of
from tertulia.evaluation.reading import manifest_in, read_trials, scored_by
from tertulia.evaluation.seat import UNREACHED
from tertulia.evaluation.sets import EvalSet, digest, read_set
from tertulia.evaluation.settings import EvaluationSettings, manifest_of_evaluation
from tertulia.evaluation.static import StaticStage
from tertulia.evaluation.trials import Trial, every_trial, trial_items
from tertulia.models.budget import Budget, spent_of
from tertulia.models.journal import Journal
from tertulia.models.records import EndpointDenies
from tertulia.running.run_folder import clear
from tertulia.running.runner import Ensemble, Standing, play_all
from tertulia.running.runs import affordable, caller_for
from tertulia.running.store import Store

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
    players: dict[str, Ensemble]
    on_progress: OnProgress
    standing: Standing = field(default_factory=lambda: Standing(total=0))

    async def play(self, trials: Iterable[Trial]) -> None:
        """Play those of the trials that are not there yet.

        Raises:
            RunInterrupted, RunStopped: what had finished is kept.
            EndpointDenies: if nobody answered from the start."""
        wanted, there = list(trials), there_in(self.store, self.settings)
        places = {trial.place(len(self.evalset.items)) for trial in wanted}
        self.standing.total, self.standing.kept = len(wanted), len(places & there)
        self.standing.accepted, self.standing.rejected = 0, type(self.standing.rejected)()
        items = trial_items(self.evalset, wanted, self.settings.run.seed, there, self.settings.per_seed)
        concurrency = self.settings.run.concurrency
        try:
            await play_all(self.store, self.players, items, self.standing, concurrency, self.on_progress)
        except EndpointDenies as gone:
            if not self.standing.done:
                raise
            kept = f"{self.standing.done} of {self.standing.total} trials are kept in {self.store.folder}"
            raise RunStopped(f"{gone}; {kept}; the same command goes on", self.store.folder) from None

    async def play_again(self, most: int) -> None:
        """Play trials again whose simulator tainted them, at most so many in all, those of an earlier call included."""
        left = most
        for attempt in range(1, ATTEMPTS):
            if left <= 0:
                return
            self.store.flush()
            trials = await read_trials(self.store.folder, self.settings.k)
            last = {(one.score.trial.trial, one.score.trial.item): one for one in trials}
            again = [one for key, one in sorted(last.items()) if one.tainted or one.score.trial.attempt >= attempt]
            wanted = [Trial(attempt, one.score.trial.trial, one.score.trial.item) for one in again][:left]
            if not wanted:
                return
            left -= len(wanted)
            await self.play(wanted)


def there_in(store: Store, settings: EvaluationSettings) -> set[int]:
    """The places that are not played again: all that are there but those that ended since nobody was reached."""
    remote = settings.playing.models or settings.agent.startswith("http")
    return store.finished(but=[trouble.value for trouble in UNREACHED] if remote else ())


def all_there(settings: EvaluationSettings, evalset: EvalSet) -> bool:
    """Whether a folder holds every trial that the settings ask for, so that there is nothing to play.

    Such a folder may have been played by another tertulia: its trials are scored anew."""
    folder, manifest = folder_of(settings, evalset), manifest_of_evaluation(settings, evalset)
    if settings.rerun or settings.run.fresh or not (folder / "run.sqlite").exists():
        return False
    with Store(folder) as store:
        told = store.manifest.get("versions", {})
        same = all(told.get(name) == manifest["versions"][name] for name in ("set", "simulator"))
        places = {trial.place(len(evalset.items)) for trial in every_trial(len(evalset.items), settings.k)}
        return same and store.manifest["settings"] == manifest["settings"] and places <= there_in(store, settings)


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
    scenarios = list(evalset.scenarios.values())
    with Store(folder, manifest) as store, closing(Journal(store.database, store.keep_calls)) as journal:
        if store.changed:  # with models, replies to what is asked as before come from the journal
            store.replay(store.finished())
        store.keep_scenarios(scenarios)
        caller = caller_for(playing, journal, Budget(playing.allowance, spent_of(journal.totals)))
        async with seated(settings, evalset) as agent:
            staging: Staging = StaticStage.of if settings.mode == "static" else dynamic
            players = evaluation_ensembles(scenarios, agent, playing.base_cast, caller, staging, simulator)
            session = Session(settings, evalset, store, players, on_progress)
            session.standing.totals = journal.totals
            await session.play(every_trial(len(evalset.items), settings.k))
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
