"""What stays the same in every conversation of one settled scenario: tools, neighbours, principles, world."""

from dataclasses import dataclass, field

from tertulia.contracts import Neighbour
from tertulia.errors import UserError
from tertulia.memo import Memo
from tertulia.principles import Principle, bundled_principles, unknown_principle
from tertulia.scenario import Scenario
from tertulia.world import ToolSpec, World
from tertulia.worlds import open_world

__all__ = ["Setting", "Settings", "principles_of", "tools_of"]


def principles_of(scenario: Scenario) -> tuple[Principle, ...]:
    """The principles in force, bundled ones looked up by id.

    Raises:
        UserError: for an id that nobody defined."""
    known = bundled_principles()
    found = []
    for entry in scenario.principles:
        if isinstance(entry, str) and entry not in known:
            raise UserError(f"scenario {scenario.id!r}: {unknown_principle(entry, known)}")
        found.append(known[entry] if isinstance(entry, str) else entry)
    return tuple(found)


def tools_of(scenario: Scenario, world: World, name: str) -> tuple[ToolSpec, ...]:
    """The tools that a party may call. The same ones are one object in all scenarios of a world, so that what is read
    of them is kept."""
    party = scenario.cast[name]
    if party.tools is not None:
        names = party.tools
    elif party.role == "assistant":
        names = tuple(tool.name for tool in world.tools.values() if tool.owner == "assistant")
    else:
        names = ()
    return _chosen.of((world,), lambda: tuple(world.tools[tool] for tool in names), names)


_chosen: Memo[tuple[ToolSpec, ...]] = Memo(1024)


@dataclass(frozen=True, slots=True)
class Setting:
    """A settled scenario with everything about it that no conversation changes."""

    scenario: Scenario
    world: World
    tools: dict[str, tuple[ToolSpec, ...]]
    others: dict[str, tuple[Neighbour, ...]]
    principles: dict[str, tuple[Principle, ...]]  # by role, and for the plan
    policies: dict[str, str]

    @classmethod
    def of(cls, scenario: Scenario) -> "Setting":
        world = open_world(scenario)
        tools = {name: tools_of(scenario, world, name) for name in scenario.cast}
        neighbours = {
            name: Neighbour(name, party.role, tools[name], tuple(decision.call for decision in party.decides))
            for name, party in scenario.cast.items()
        }
        in_force = principles_of(scenario)
        policy = "\n\n".join(
            text
            for text in (world.policy, scenario.policy if isinstance(scenario.world, str) and scenario.world else "")
            if text
        )
        return cls(
            scenario=scenario,
            world=world,
            tools=tools,
            others={name: tuple(n for n in neighbours.values() if n.name != name) for name in scenario.cast},
            principles={
                role: tuple(p for p in in_force if role in p.applies_to)
                for role in ("user", "assistant", "colleague", "plan")
            },
            policies={name: policy if party.role == "assistant" else "" for name, party in scenario.cast.items()},
        )


@dataclass(slots=True)
class Settings:
    """The settings of the scenarios played last; memory stays bounded over any number of variants."""

    kept: Memo[Setting] = field(default_factory=lambda: Memo(512))

    def of(self, scenario: Scenario) -> Setting:
        """The setting of this very scenario object."""
        return self.kept.of((scenario,), lambda: Setting.of(scenario))
