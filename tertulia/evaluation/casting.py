"""The cast of an evaluation: the agent sits on the assistant's seat, the recipe's parts play everybody else.

The critic only labels what the agent says: no draft of it is sent back, since it is the agent that is measured. Drafts
of simulated parties are still sent back, which is part of how good the simulator is. Nothing is rejected by a judge:
everything is kept, with its verdicts.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from tertulia.contracts import Critic, Hearing, Speaker
from tertulia.evaluation.agents.seat import Blamed
from tertulia.graph import Stage
from tertulia.models.caller import Caller
from tertulia.recipe import Recipe, bundled_recipe
from tertulia.records import Marker
from tertulia.running.runner import Bench, Ensemble, Player
from tertulia.scenario import Scenario

__all__ = ["JUDGES", "Labelling", "Staging", "dynamic", "evaluation_ensembles", "stage_of"]

JUDGES = ("structure", "leaks", "success")
Staging = Callable[[Recipe, Stage], Player]


@dataclass(frozen=True, slots=True)
class Labelling:
    """A critic whose remarks on the agent's drafts are labels."""

    critic: Critic

    async def review(self, hearing: Hearing) -> tuple[Marker, ...]:
        markers = await self.critic.review(hearing)
        if hearing.role != "assistant":
            return markers
        return tuple([marker.model_copy(update={"revise": False}) for marker in markers])


def stage_of(
    recipe: Recipe, agent: Speaker | None, cast: str, caller: Caller | None = None, simulator: Speaker | None = None
) -> Stage:
    """The stage of one recipe with the agent on it; None: the recipe's assistant that is a model, of the caller's line.

    With `simulator`, that one plays the users."""
    by_model: Collection[str] = set(caller.lines) if caller else ()
    stage = Stage(recipe, cast, caller.ask_for if caller else None, by_model)
    stage.speakers["assistant"] = Blamed(agent or stage.speakers["assistant"])
    if simulator:
        stage.speakers["user"] = simulator
    stage.critic_part = Labelling(stage.critic_part)
    return stage


def dynamic(recipe: Recipe, stage: Stage) -> Player:
    """The agent talks with the simulator."""
    return stage


def evaluation_ensembles(
    scenarios: Sequence[Scenario],
    agent: Speaker | None,
    cast: str = "rules",
    caller: Caller | None = None,
    staging: Staging | None = None,
    simulator: Speaker | None = None,
) -> dict[str, Ensemble]:
    """One ensemble for each recipe that the scenarios name, with the agent in all of them.

    Raises:
        SettingsError: if a recipe has no such cast, or one of its parts needs a model."""
    found = {}
    for name in dict.fromkeys(scenario.recipe for scenario in scenarios):
        update = {"judges": JUDGES, "gates": (), "stop_at_violation": False}
        recipe = bundled_recipe(name).model_copy(update=update)
        stage = stage_of(recipe, agent, cast, caller, simulator)
        found[name] = Ensemble((staging or dynamic)(recipe, stage), Bench(recipe, caller), caller)
    return found
