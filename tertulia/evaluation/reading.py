"""The trials of an evaluation's folder, scored and judged anew from what is kept: nothing is played or asked."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tertulia.errors import StoreError
from tertulia.evaluation.causes.blame import Judged, judged
from tertulia.evaluation.scoring import Score, score
from tertulia.evaluation.settings import METRIC, code_of_trials
from tertulia.evaluation.trials import trial_of
from tertulia.records import Usage
from tertulia.running.store import Store
from tertulia.setting import Settings

__all__ = ["last_attempts", "manifest_in", "read_trials", "scored_by"]

SHARED = ("broken", "reason", "principles")  # of a score
NOTHING = Usage()  # what a trial without models takes


def manifest_in(folder: Path) -> dict[str, Any]:
    """The manifest of an evaluation.

    Raises:
        StoreError: if the folder holds none."""
    with Store(folder) as store:
        return of_evaluation(store)


def of_evaluation(store: Store) -> dict[str, Any]:
    if not {"set", "metric", "simulator"} <= set(store.manifest.get("versions", ())):
        raise StoreError(f"{str(store.folder)!r} holds a run, but no evaluation")
    return store.manifest


def scored_by(manifest: Mapping[str, Any], again: bool) -> str:
    """The version of the metric of an evaluation's scores: its own, or this one's when they are made again."""
    return METRIC if again else str(manifest["versions"]["metric"])


class Alike:
    """Values that are the same in many trials are kept once: without it, twice the memory."""

    def __init__(self) -> None:
        self.kept: dict[Any, Any] = {}

    def of(self, made: Score) -> Score:
        """The score with the values that earlier ones have."""
        shared = {name: getattr(made, name) for name in SHARED}
        usage = NOTHING if made.usage == NOTHING else made.usage
        return replace(made, usage=usage, **{name: self.kept.setdefault(v, v) for name, v in shared.items()})


async def read_trials(
    folder: Path, k: int = 0, *, again: bool = False, unreachable: Collection[str] = ()
) -> list[Judged]:
    """Every attempt at the first k trials (0: at all) in the order of their places.

    What the success judge said when a trial was played is used, unless tertulia has changed since, or `again`."""
    settings, alike, found = Settings(), Alike(), []
    with Store(folder) as store:
        manifest, scenarios = of_evaluation(store), store.scenarios()
        items = len(manifest["scenarios"])
        static = manifest["settings"]["mode"] == "static"
        anew = again or manifest.get("code of tertulia") != code_of_trials()
        for talk in store.conversations():
            trial = trial_of(talk.index, items)
            if k and trial.trial >= k:
                continue
            scenario = scenarios[talk.scenario]
            made = await score(scenario, talk, trial, anew)
            found.append(judged(settings.of(scenario), talk, alike.of(made), unreachable, static=static))
    return found


def last_attempts(trials: Iterable[Judged]) -> list[Judged]:
    """The last attempt at every trial, trial by trial; attempts come in the order of their places."""
    last = {(one.score.trial.trial, one.score.trial.item): one for one in trials}
    return [last[key] for key in sorted(last)]
