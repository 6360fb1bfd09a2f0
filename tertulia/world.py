"""What a world is: tools over state. A world is static and shared; `open` gives one conversation its own live copy.

There are two kinds. A world of our own (`worlds.toolkit`) is a folder with `toolkit.py` (a `Toolkit`), `data.json` (its
first state), `policy.md` and the scenario files played in it. A scenario without a world brings its tools as plain
JSON Schema with fixed answers (`worlds.schema`). Whatever a tool does wrong becomes a result with `error` set; a call
never raises.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel, Field

from tertulia.records import Change, Record
from tertulia.scenario import Role, Scenario

__all__ = ["LiveWorld", "Outcome", "ToolSpec", "World", "as_text", "refusal"]


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


class LiveWorld(Protocol):
    """One conversation's own copy of a world."""

    def call(self, name: str, args: Mapping[str, Any]) -> Outcome: ...


class World(Protocol):
    """Tools and policy, shared by all conversations."""

    @property
    def tools(self) -> Mapping[str, ToolSpec]: ...
    @property
    def policy(self) -> str: ...
    def start(self, scenario: Scenario) -> dict[str, Any]:
        """The state a conversation of this scenario begins with, as JSON values."""
        ...

    def open(self, scenario: Scenario) -> LiveWorld: ...


def refusal(text: str) -> Outcome:
    """A call that did not work, as a result to read."""
    return Outcome(json.dumps({"error": text}, ensure_ascii=False), error=True)


def as_text(value: Any) -> str:
    """A tool's return value as JSON text."""
    if isinstance(value, BaseModel):
        return value.model_dump_json()
    return json.dumps(value, ensure_ascii=False, default=_jsonable)


def _jsonable(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)
