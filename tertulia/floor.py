"""Who speaks next: the floor policies, each a pure function of what was said so far."""

from collections.abc import Callable, Sequence

from tertulia.records import Plan, Turn
from tertulia.scenario import Scenario

__all__ = ["FLOORS", "next_speaker"]

Floor = Callable[[Scenario, Sequence[Turn], Plan | None], str]


def alternate(scenario: Scenario, turns: Sequence[Turn], plan: Plan | None) -> str:
    """The user and the assistant in turn."""
    return scenario.assistant if turns and turns[-1].speaker == scenario.user else scenario.user


def round_robin(scenario: Scenario, turns: Sequence[Turn], plan: Plan | None) -> str:
    """Everybody in turn, the user first and then in the order of the cast."""
    ring = [scenario.user, *(name for name in scenario.cast if name != scenario.user)]
    return ring[(ring.index(turns[-1].speaker) + 1) % len(ring)] if turns else ring[0]


def addressed(scenario: Scenario, turns: Sequence[Turn], plan: Plan | None) -> str:
    """Whoever else the last message addresses; if it names nobody, the assistant answers others, the user the
    assistant."""
    if turns:
        for name in turns[-1].message.to:
            if name in scenario.cast and name != turns[-1].speaker:
                return name
    return (
        alternate(scenario, turns, plan) if not turns or turns[-1].speaker == scenario.assistant else scenario.assistant
    )


def planned(scenario: Scenario, turns: Sequence[Turn], plan: Plan | None) -> str:
    """The order that the planner laid out, over and over."""
    if plan is None or not plan.order:
        return alternate(scenario, turns, plan)
    said = sum(1 for turn in turns if not turn.message.calls)
    return plan.order[said % len(plan.order)]


FLOORS: dict[str, Floor] = {
    "alternate": alternate,
    "round_robin": round_robin,
    "addressed": addressed,
    "planned": planned,
}


def next_speaker(scenario: Scenario, turns: Sequence[Turn], plan: Plan | None) -> str:
    """The party that gets the floor next, by the scenario's floor policy."""
    return FLOORS[scenario.floor](scenario, turns, plan)
