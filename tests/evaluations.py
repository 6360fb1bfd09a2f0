"""What tests of evaluations share: a small set, and an agent played on it in this process."""

from functools import cache
from pathlib import Path

from tertulia.contracts import Speaker
from tertulia.evaluation.casting import evaluation_ensembles
from tertulia.evaluation.causes.blame import Judged, judged
from tertulia.evaluation.scoring import score
from tertulia.evaluation.sets import EvalSet, read_set
from tertulia.evaluation.settings import EvaluationSettings
from tertulia.evaluation.static import StaticStage
from tertulia.evaluation.trials import every_trial, trial_items, trial_of
from tertulia.running.run_settings import RunSettings
from tertulia.setting import Settings


@cache
def bundled(*names: str) -> EvalSet:
    """One variant of each scenario; reading a set plays its gold, so it is done once."""
    return read_set(names)


def some(count: int, *names: str) -> EvalSet:
    """The first items of a set."""
    whole = bundled(*names)
    return EvalSet(whole.name, whole.items[:count])


def settings(agent: str, out: Path | str = "", **fields: object) -> EvaluationSettings:
    return EvaluationSettings.of(sets=("parcels",), agent=agent, run=RunSettings.of(out=str(out)), **fields)


async def played(
    evalset: EvalSet,
    agent: Speaker,
    simulator: Speaker | None = None,
    k: int = 1,
    static: bool = False,
    per_seed: int = 1,
) -> list[Judged]:
    """Every trial of an agent, judged."""
    staging = StaticStage.of if static else None
    players = evaluation_ensembles(list(evalset.scenarios.values()), agent, staging=staging, simulator=simulator)
    known, found = Settings(), []
    for item in trial_items(evalset, every_trial(len(evalset.items), k), 0, per_seed=per_seed):
        talk = await players[item.scenario.recipe].finished(item)
        made = await score(item.scenario, talk, trial_of(item.index, len(evalset.items)))
        found.append(judged(known.of(item.scenario), talk, made, static=static))
    return found
