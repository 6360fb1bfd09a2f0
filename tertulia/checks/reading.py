"""A scenario file as it was read, sound or not: what its checks look at, and how they point at its lines."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError
from typing import Any

from pydantic import ValidationError

from tertulia.checks.tool_values import schema_faults
from tertulia.errors import Fault, UnknownPart
from tertulia.scenario import Party, Scenario
from tertulia.source import Source
from tertulia.validation import Complaint, complaints
from tertulia.variation import settle, slot_cycle
from tertulia.world import ToolSpec, World
from tertulia.worlds import bundled_world, open_world

__all__ = ["Reading", "Variant"]

Steps = tuple[str | int, ...]


@dataclass(frozen=True)
class Variant:
    """The scenario with one choice made and its slots filled."""

    origin: Steps  # where the choice stands in the file; empty for the scenario as it is written
    label: str
    scenario: Scenario | None
    complaints: tuple[Complaint, ...] = ()  # why there is none

    def path(self, at: Steps) -> Steps:
        """What to mend: the choice, or the value itself."""
        return self.origin or at


@dataclass(frozen=True)
class Reading:
    """What is known of a scenario file. `tools` are its own or those of its `tools_file`."""

    source: Source
    scenario: Scenario
    broken: frozenset[Steps] = frozenset()
    tool_source: Source | None = None  # where the tools stand that came from a file of their own
    tool_broken: frozenset[Steps] = frozenset()  # what is not sound in that file

    def intact(self, *at: str | int) -> bool:
        """Whether everything under this path was read as it is written."""
        return not any(wrong[: len(at)] == at or at[: len(wrong)] == wrong for wrong in self.broken)

    def sound(self, at: Sequence[str | int]) -> bool:
        """Whether the value at this path itself was read as it is written."""
        path = tuple(at)
        return not any(path[: len(wrong)] == wrong for wrong in self.broken)

    def fault(self, at: Steps, message: str, suggestion: str = "", *, on_key: bool = False) -> Iterator[Fault]:
        """One fault, unless what it is about is already known to be broken."""
        if self.sound(at):
            yield self.source.fault(at, message, suggestion, on_key=on_key)

    def tool_fault(self, at: Steps, message: str, suggestion: str = "") -> Iterator[Fault]:
        """A fault in the list of tools; the path begins with the tool's number."""
        if self.tool_source is None:
            yield from self.fault(("tools", *at), message, suggestion)
        elif self._tool_sound(*at):
            yield self.tool_source.fault(at, message, suggestion)

    def _tool_sound(self, *at: str | int) -> bool:
        """Whether this part of the list of tools was read as it is written."""
        if self.tool_source is None:
            return self.sound(("tools", *at))
        return not any(at[: len(wrong)] == wrong for wrong in self.tool_broken)

    @cached_property
    def world(self) -> World | None:
        """The world that the file names or makes, if that can be told."""
        scenario = self.scenario
        if isinstance(scenario.world, str) and scenario.world:
            try:
                return bundled_world(scenario.world) if self.sound(("world",)) else None
            except UnknownPart:
                return None
        named = all(self._tool_sound(nth, "name") for nth in range(len(scenario.tools)))
        if not (scenario.tools and named and self.sound(("world",))):
            return None
        return open_world(scenario)

    @cached_property
    def tools(self) -> Mapping[str, ToolSpec] | None:
        """Every tool of the world by name; None where the world is unknown."""
        return self.world.tools if self.world else None

    def usable(self, name: str) -> ToolSpec | None:
        """A tool whose parameters can be trusted: read as they are written, and a JSON Schema."""
        if self.tools is None or name not in self.tools:
            return None
        own = [nth for nth, tool in enumerate(self.scenario.tools) if tool.name == name]
        if not all(self._tool_sound(nth, "parameters") for nth in own) or name in self._unusable:
            return None
        return self.tools[name]

    @cached_property
    def _unusable(self) -> set[str]:
        return {tool.name for tool in self.scenario.tools if any(schema_faults(tool.parameters))}

    def owns(self, party: Party, spec: ToolSpec) -> bool:
        if party.tools is not None:
            return spec.name in party.tools
        return party.role == "assistant" and spec.owner == "assistant"

    def first(self, role: str) -> str:
        """The first party of a role, or an empty name."""
        return next((name for name, party in self.scenario.cast.items() if party.role == role), "")

    @property
    def user(self) -> str:
        return self.scenario.script.of or self.first("user")

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """The scenario as it is written, then once for every single choice of its grid."""
        scenario = self.scenario
        if slot_cycle(scenario.slots):
            return ()
        found = [self._variant((), "", {})]
        for axis, values in scenario.vary.items():
            if self.varies(axis):
                for nth, value in enumerate(values):
                    found.append(self._variant(("vary", axis, nth), f"with {axis}: {_brief(value)}, ", {axis: value}))
        return tuple(found)

    def varies(self, axis: str) -> bool:
        """Whether an axis of the grid names something that the file has."""
        scenario = self.scenario
        head, *rest = axis.split(".", 2)
        if head == "slots":
            return len(rest) == 1 and rest[0] in scenario.slots
        party = scenario.cast.get(head)
        if party is None or not rest:
            return False
        return rest == ["persona"] or (len(rest) == 2 and rest[0] == "knows" and rest[1] in party.knows)

    def _variant(self, origin: Steps, label: str, choice: dict[str, Any]) -> Variant:
        try:
            return Variant(origin, label, settle(self.scenario, choice))
        except ValidationError as error:
            return Variant(origin, label, None, tuple(complaints(Scenario, error)))
        except CycleError:
            circle = Complaint(("slots",), "this choice makes slots mention each other in a circle")
            return Variant(origin, label, None, (circle,))

    @cached_property
    def settled(self) -> tuple[tuple[Variant, Scenario], ...]:
        """The variants that could be made."""
        return tuple((variant, variant.scenario) for variant in self.variants if variant.scenario)


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
