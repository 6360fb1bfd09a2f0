"""What a world is: tools over state. A world is static and shared; `open` gives one conversation its own live copy.

The kinds stand in `tertulia.worlds`, a module each. A world of our own (`toolkit`) is a folder with `toolkit.py` (a
`Toolkit`), `data.json` (its first state), `policy.md` and the scenario files played in it. Tools given as JSON Schema
have fixed answers (`schema`) or drawn ones (`simulated`); others are called over HTTP (`openapi`), on an MCP server
(`mcp`) or in Python (`functions`). Whatever a tool does wrong becomes a result with `error` set; a call never raises.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel, Field

from tertulia.records import Change, Record
from tertulia.scenario import Role, Scenario

__all__ = ["LiveWorld", "Outcome", "RemoteWorld", "ToolSpec", "World", "as_text", "failed", "refusal"]


class ToolSpec(Record):
    """What a speaker may know of a tool."""

    name: str
    description: str = ""
    parameters: dict[str, Any] = Field({"type": "object", "properties": {}})
    output: dict[str, Any] = Field({})
    writes: bool = False
    owner: Role = "assistant"

    def openai(self) -> dict[str, Any]:
        """The tool in the shape of OpenAI's chat completions."""
        function = {"name": self.name, "description": self.description, "parameters": self.parameters}
        return {"type": "function", "function": function}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call gave: a JSON text to read, and the values of the state that it changed."""

    text: str
    error: bool = False
    changes: tuple[Change, ...] = ()
    fault: str = ""  # what was wrong with the tool itself, through no doing of its caller: timeout, lost ...
    unanswered: bool = False  # a sound call to which the scenario gives no answer: a simulator may


class LiveWorld(Protocol):
    """One conversation's own copy of a world."""

    def call(self, name: str, args: Mapping[str, Any]) -> Outcome:
        """What a call gives. A world that others serve waits for them, at most as long as it may."""
        ...


@runtime_checkable
class RemoteWorld(Protocol):
    """What a live world has besides, when others serve its tools: a call that lets other conversations go on while it
    waits, and an end."""

    def call(self, name: str, args: Mapping[str, Any]) -> Outcome: ...
    async def ask(self, name: str, args: Mapping[str, Any]) -> Outcome: ...
    async def close(self) -> None: ...


class World(Protocol):
    """Tools and policy, shared by all conversations."""

    @property
    def tools(self) -> Mapping[str, ToolSpec]: ...
    @property
    def policy(self) -> str: ...
    def start(self, scenario: Scenario) -> dict[str, Any]:
        """The state a conversation of this scenario begins with, as JSON values. It is shared: nobody writes to it."""
        ...

    def open(self, scenario: Scenario) -> LiveWorld: ...


def refusal(text: str) -> Outcome:
    """A call that did not work, as a result to read."""
    return Outcome(json.dumps({"error": text}, ensure_ascii=False), error=True)


def failed(text: str, fault: str) -> Outcome:
    """A call that did not work through no doing of its caller: what to read, and what was wrong."""
    return Outcome(json.dumps({"error": text}, ensure_ascii=False), error=True, fault=fault)


def as_text(value: Any) -> str:
    """A tool's return value as JSON text."""
    if isinstance(value, BaseModel):
        return value.model_dump_json()
    return json.dumps(value, ensure_ascii=False, default=_jsonable)


def _jsonable(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)
