"""What trivial agents score on scenarios: one that says and does nothing, and the rule cast."""

from collections.abc import Sequence
from dataclasses import dataclass

from tertulia.gold import measure
from tertulia.running.items import plan_items
from tertulia.running.runner import ensembles
from tertulia.running.summary import succeeded
from tertulia.scenario import Scenario
from tertulia.worlds import open_world

__all__ = ["Baselines", "baselines"]

EACH, MOST = 3, 120  # plays per scenario, and of all of them, unless there are more scenarios


@dataclass(frozen=True, slots=True)
class Baselines:
    """Success rates, 0 to 1."""

    none: float
    rules: float


async def baselines(scenarios: Sequence[Scenario], seed: int = 0) -> Baselines | None:
    """Play a few variants of each scenario, with no faults planted. None when there is no scenario."""
    if not scenarios:
        return None
    players = ensembles(scenarios, "rules")
    n = max(len(scenarios), min(MOST, EACH * len(scenarios)))
    nothing = rules = 0
    for item in plan_items(scenarios, n, seed, slips=0.0):
        nothing += measure(item.scenario, open_world(item.scenario), ()).passed
        rules += succeeded(await players[item.scenario.recipe].finished(item))
    return Baselines(nothing / n, rules / n)
