"""What stands beside every score: what doing nothing scores, what the rule assistant does, and what can be reached.

All three are played once per item with the rule simulator and no model, and kept beside the evaluation's folder, under
the versions of set, metric and code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from pydantic import ValidationError

from tertulia.contracts import Speaker
from tertulia.evaluation.agents.bounds import Nothing, Oracle
from tertulia.evaluation.casting import evaluation_ensembles
from tertulia.evaluation.scoring import score
from tertulia.evaluation.sets import EvalSet, digest, lasts
from tertulia.evaluation.settings import METRIC, code_of_trials
from tertulia.evaluation.trials import every_trial, trial_items, trial_of
from tertulia.parts import made
from tertulia.records import Record
from tertulia.running.pool import parts_frozen
from tertulia.running.run_folder import write_atomically

__all__ = ["Floors", "floors_of", "kept_beside"]


class Floors(Record):
    """Success by item, of agents that everybody has."""

    none: dict[str, bool]
    rules: dict[str, bool]
    oracle: dict[str, bool]

    @property
    def rates(self) -> dict[str, float]:
        """Success rates, 0 to 1."""
        by_agent: Mapping[str, Mapping[str, bool]] = {"none": self.none, "rules": self.rules, "oracle": self.oracle}
        return {name: fmean(passed.values()) for name, passed in by_agent.items()}

    @property
    def unreachable(self) -> frozenset[str]:
        """The items at which even the oracle fails: their gold is wrong."""
        return frozenset(item for item, passed in self.oracle.items() if not passed)


def kept_beside(folder: Path) -> Path:
    """Where what is worked out of a set is kept for all evaluations that lie in one place."""
    return folder.absolute().parent / ".floors"


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the floors of a set are kept."""

    path: Path

    @classmethod
    def beside(cls, folder: Path, evalset: EvalSet, seed: int) -> "Kept":
        key = digest([evalset.version, METRIC, code_of_trials(), seed])[:16]
        return cls(kept_beside(folder) / f"{key}.json")

    def read(self) -> Floors | None:
        try:
            return Floors.model_validate_json(self.path.read_bytes())
        except (OSError, ValidationError):
            return None

    def write(self, floors: Floors) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path, floors.model_dump_json())


async def floors_of(evalset: EvalSet, folder: Path, seed: int = 0) -> Floors:
    """The floors of a set, played or read."""
    kept = Kept.beside(folder, evalset, seed)
    known = kept.read()
    if known is None:
        agents: dict[str, Speaker] = {
            "none": Nothing(),
            "rules": made("assistants", "form", "assistant"),
            "oracle": Oracle(evalset.scenarios),
        }
        with parts_frozen():
            known = Floors(**{name: await passed_by(agent, evalset, seed) for name, agent in agents.items()})
        if all(map(lasts, evalset.scenarios.values())):
            kept.write(known)
    return known


async def passed_by(agent: Speaker, evalset: EvalSet, seed: int) -> dict[str, bool]:
    """Which items an agent passes at its first trial."""
    players = evaluation_ensembles(list(evalset.scenarios.values()), agent)
    passed = {}
    for item in trial_items(evalset, every_trial(len(evalset.items), 1), seed):
        talk = await players[item.scenario.recipe].finished(item)
        scored = await score(item.scenario, talk, trial_of(item.index, len(evalset.items)))
        passed[item.scenario.id] = scored.passed
    return passed
