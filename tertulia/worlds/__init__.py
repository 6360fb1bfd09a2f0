"""Which world a scenario is played in."""

from functools import cache
from importlib.resources import files

from tertulia.errors import UserError
from tertulia.parts import load
from tertulia.scenario import Scenario
from tertulia.tool_schema import ToolSource
from tertulia.world import World
from tertulia.worlds.classes import class_world
from tertulia.worlds.functions import python_world
from tertulia.worlds.mcp import McpWorld
from tertulia.worlds.openapi import HttpWorld
from tertulia.worlds.schema import SchemaWorld
from tertulia.worlds.simulated import SimulatedWorld
from tertulia.worlds.toolkit import ToolkitWorld

__all__ = ["bundled_world", "open_world"]


@cache
def bundled_world(name: str) -> ToolkitWorld:
    """A bundled or installed world by name.

    Raises:
        UnknownPart: if there is none of that name."""
    toolkit = load("worlds", name)
    folder = files(toolkit.__module__.rpartition(".")[0])
    return ToolkitWorld(
        name=name,
        toolkit=toolkit,
        seed_data=(folder / "data.json").read_bytes(),
        policy=(folder / "policy.md").read_text(encoding="utf-8"),
    )


def open_world(scenario: Scenario) -> World:
    """The world that a scenario is played in."""
    if isinstance(scenario.world, str) and scenario.world:
        return bundled_world(scenario.world)
    if isinstance(scenario.world, ToolSource) and scenario.world.classes:
        return class_world(scenario.world.classes)
    if scenario.tools_file:
        raise UserError(f"scenario {scenario.id!r}: read its tools_file first (see tertulia.files.load_scenario)")
    source = scenario.source or ToolSource(answers="model" if scenario.answers == "model" else "simulated")
    if source.answers == "simulated" and (source.openapi or scenario.answers == "simulated"):
        return SimulatedWorld(scenario.tools, scenario.policy, seed=source.seed)
    if source.mcp:
        return McpWorld(scenario.tools, scenario.policy, source=source)
    if source.python:
        return python_world(source, scenario.policy)
    if source.answers == "http":
        return HttpWorld(scenario.tools, scenario.policy, source=source)
    return SchemaWorld(scenario.tools, scenario.policy)
