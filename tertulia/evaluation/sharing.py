"""The trials of an evaluation as they are played: who sits where, and which of them each process plays.

With one process, that one plays all; with several, each has the agent on a seat of its own, so that an agent that
crashes takes nobody else's process with it, and the trials are shared out by place (`tertulia.running.workers.Work`).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tertulia.contracts import Speaker
from tertulia.evaluation.agents.seat import UNREACHED
from tertulia.evaluation.agents.seating import seated
from tertulia.evaluation.casting import Staging, dynamic, evaluation_ensembles
from tertulia.evaluation.sets import EvalSet, SetItem
from tertulia.evaluation.settings import EvaluationSettings
from tertulia.evaluation.static import StaticStage
from tertulia.evaluation.trials import trial_items, trial_of
from tertulia.models.caller import Caller
from tertulia.running.pool import Standing
from tertulia.running.run_settings import RunSettings
from tertulia.running.runner import Ensemble
from tertulia.running.store import Store
from tertulia.running.wire import Questions
from tertulia.running.workers import Portion, Share

__all__ = ["Trials", "company", "there_in"]


@asynccontextmanager
async def company(
    asked: EvaluationSettings, evalset: EvalSet, caller: Caller | None, simulator: Speaker | None = None
) -> AsyncIterator[Mapping[str, Ensemble]]:
    """All who play the items, by recipe, with the agent ready to speak.

    Raises:
        SettingsError: if there is no such agent or it cannot be loaded, or a part needs a model."""
    staging: Staging = StaticStage.of if asked.mode == "static" else dynamic
    async with seated(asked, evalset) as agent:
        scenarios = list(evalset.scenarios.values())
        yield evaluation_ensembles(scenarios, agent, asked.playing.base_cast, caller, staging, simulator)


@dataclass(frozen=True, slots=True)
class Trials:
    """Trials to be shared out."""

    asked: EvaluationSettings
    items: tuple[str, ...]  # the ids of the set's items, in order
    places: Sequence[int]  # of the trials
    simulator: Speaker | None = None  # instead of the recipe's user

    @property
    def settings(self) -> RunSettings:
        return self.asked.playing

    @asynccontextmanager
    async def portion(
        self, share: Share, store: Store, caller: Caller | None, questions: Questions
    ) -> AsyncIterator[Portion]:
        scenarios, there = store.scenarios(), there_in(store, self.asked)
        evalset = EvalSet("shared", tuple([SetItem(name, scenarios[name], name) for name in self.items]))
        mine = [place for place in self.places if share.has(place) and place not in there]
        trials = (trial_of(place, len(self.items)) for place in mine)
        items = trial_items(evalset, trials, self.settings.seed, per_seed=self.asked.per_seed)
        async with company(self.asked, evalset, caller, self.simulator) as players:
            yield Portion(players, items, Standing(total=len(mine)))


def there_in(store: Store, asked: EvaluationSettings) -> set[int]:
    """The places that are not played again: all that are there but those that ended since nobody was reached."""
    remote = asked.playing.models or asked.agent.startswith("http")
    return store.finished(but=[trouble.value for trouble in UNREACHED] if remote else ())
