"""Worlds: tools over state. A world is static and shared; `open` gives one conversation its own live copy.

A world of our own is a folder with `toolkit.py` (a `Toolkit`), `data.json` (its first state), `policy.md` and
the scenario files played in it. A scenario without a world brings its tools as plain JSON Schema with fixed
answers (`SchemaWorld`). Whatever a tool does wrong becomes a result with `error` set; a call never raises.
"""

import inspect
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, ClassVar, Protocol, TypeVar, get_type_hints

from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import from_json

from tertulia.errors import ToolError, UserError
from tertulia.parts import load
from tertulia.records import Change, Record
from tertulia.scenario import Role, Scenario, ToolSchema

__all__ = [
    "LiveWorld",
    "Outcome",
    "SchemaWorld",
    "ToolSpec",
    "Toolkit",
    "ToolkitWorld",
    "World",
    "open_world",
    "tool",
]

STARTS_KEPT = 128  # states that conversations begin in
Method = TypeVar("Method", bound=Callable[..., Any])


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


# --- worlds written in Python ------------------------------------------------------------------------------------


class _PlainSchema(GenerateJsonSchema):
    """JSON Schema without the titles that pydantic adds to every property."""

    def get_title_from_name(self, name: str) -> str:
        return ""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def tool(*, writes: bool = False, owner: Role = "assistant") -> Callable[[Method], Method]:
    """Mark a method of a `Toolkit` as a tool. Its docstring is what speakers read; its annotations are the schema."""

    def mark(method: Method) -> Method:
        method.__tool__ = {"writes": writes, "owner": owner}  # type: ignore[attr-defined]
        return method

    return mark


@dataclass(frozen=True, slots=True)
class _Bound:
    """A toolkit's method with its schema and the model that checks its arguments."""

    spec: ToolSpec
    arguments: type[BaseModel]
    method: Callable[..., Any]


class Toolkit:
    """Base of a world's tools. A subclass annotates `state` with its pydantic model and marks methods with `@tool`.

    A tool returns any JSON-able value or pydantic model, and raises `ToolError` to refuse."""

    state: BaseModel
    bound: ClassVar[dict[str, _Bound]] = {}

    def __init__(self, state: BaseModel) -> None:
        self.state = state

    def __init_subclass__(cls) -> None:
        cls.bound = {
            name: _bind(name, member)
            for name, member in inspect.getmembers(cls, inspect.isfunction)
            if hasattr(member, "__tool__")
        }


def _bind(name: str, method: Callable[..., Any]) -> _Bound:
    hints = get_type_hints(method, include_extras=True)
    fields: dict[str, Any] = {}
    for parameter in list(inspect.signature(method).parameters.values())[1:]:
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], default)
    arguments = create_model(name, __config__=ConfigDict(extra="forbid"), **fields)
    schema = arguments.model_json_schema(schema_generator=_PlainSchema)
    for noise in ("title", "additionalProperties"):
        schema.pop(noise, None)
    output = hints.get("return", Any)
    returns = TypeAdapter(output).json_schema(schema_generator=_PlainSchema) if output is not Any else {}
    marks = method.__tool__  # type: ignore[attr-defined]
    doc = " ".join(inspect.cleandoc(method.__doc__ or "").split())
    return _Bound(ToolSpec(name=name, description=doc, parameters=schema, output=returns, **marks), arguments, method)


@dataclass(frozen=True)
class ToolkitWorld:
    """A world whose tools are the methods of a `Toolkit`."""

    name: str
    toolkit: type[Toolkit]
    seed_data: bytes = field(repr=False)
    policy: str = field(repr=False)

    @cached_property
    def tools(self) -> dict[str, ToolSpec]:
        return {name: bound.spec for name, bound in self.toolkit.bound.items()}

    @cached_property
    def model(self) -> type[BaseModel]:
        """The pydantic model of the state."""
        model: type[BaseModel] = get_type_hints(self.toolkit)["state"]
        return model

    @cached_property
    def _starts(self) -> OrderedDict[str, "Snapshot"]:
        return OrderedDict()

    def _start(self, scenario: Scenario) -> "Snapshot":
        """The state at the start. Those asked for last are kept, since thousands of conversations begin in them."""
        key = json.dumps(scenario.start, sort_keys=True)
        if key not in self._starts:
            raw = json.loads(self.seed_data)
            for path, value in scenario.start.items():
                put(raw, path, value)
            self._starts[key] = Snapshot(self.model.model_validate(raw).model_dump_json().encode())
            if len(self._starts) > STARTS_KEPT:
                self._starts.popitem(last=False)
        return self._starts[key]

    def start(self, scenario: Scenario) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self._start(scenario).text)
        return state

    def open(self, scenario: Scenario) -> "LiveToolkit":
        start = self._start(scenario)
        return LiveToolkit(self.toolkit(self.model.model_validate_json(start.text)), start)


@dataclass(frozen=True)
class Snapshot:
    """A state as JSON text. Its values are read once, when something has changed, and never written to."""

    text: bytes

    @cached_property
    def values(self) -> Any:
        return from_json(self.text, cache_strings="keys")


@dataclass(slots=True)
class LiveToolkit:
    """A toolkit over its own state. The state is snapshotted around every call."""

    toolkit: Toolkit
    snapshot: Snapshot

    def call(self, name: str, args: Mapping[str, Any]) -> Outcome:
        bound = self.toolkit.bound.get(name)
        if bound is None:
            return refusal(f"There is no tool called {name!r}.")
        try:
            checked = bound.arguments.model_validate(dict(args))
        except ValidationError as error:
            return refusal(_argument_faults(error))
        values = {key: getattr(checked, key) for key in checked.model_fields_set}
        try:
            returned = bound.method(self.toolkit, **values)
        except ToolError as error:
            self._restore()
            return refusal(str(error))
        return Outcome(as_text(returned), changes=self._advance())

    def _advance(self) -> tuple[Change, ...]:
        """Take the next snapshot: what has changed since the last one."""
        before, text = self.snapshot, self.toolkit.state.model_dump_json().encode()
        if text == before.text:
            return ()
        self.snapshot = Snapshot(text)
        return changed(before.values, self.snapshot.values)

    def _restore(self) -> None:
        """A refused call leaves no trace, whatever it had done before it refused."""
        if self.toolkit.state.model_dump_json().encode() != self.snapshot.text:
            self.toolkit.state = type(self.toolkit.state).model_validate_json(self.snapshot.text)


def _argument_faults(error: ValidationError) -> str:
    parts = [f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}" for detail in error.errors()]
    return "Invalid arguments. " + "; ".join(parts)


# --- worlds given as JSON Schema ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class SchemaWorld:
    """Tools as JSON Schema with fixed answers; no state."""

    schemas: tuple[ToolSchema, ...]
    policy: str = ""

    @cached_property
    def tools(self) -> dict[str, ToolSpec]:
        keep = set(ToolSpec.model_fields)
        return {t.name: ToolSpec(**{k: v for k, v in t if k in keep}) for t in self.schemas}

    @cached_property
    def by_name(self) -> dict[str, ToolSchema]:
        return {t.name: t for t in self.schemas}

    @cached_property
    def validators(self) -> dict[str, Draft202012Validator]:
        return {t.name: Draft202012Validator(t.parameters) for t in self.schemas}

    def start(self, scenario: Scenario) -> dict[str, Any]:
        return {}

    def open(self, scenario: Scenario) -> "SchemaWorld":
        return self

    def call(self, name: str, args: Mapping[str, Any]) -> Outcome:
        schema = self.by_name.get(name)
        if schema is None:
            return refusal(f"There is no tool called {name!r}.")
        faults = [
            f"{error.json_path[2:] or 'arguments'}: {error.message}"
            for error in self.validators[name].iter_errors(dict(args))
        ]
        if faults:
            return refusal("Invalid arguments. " + "; ".join(sorted(faults)))
        for example in schema.examples:
            if all(args.get(key) == value for key, value in example.args.items()):
                return refusal(example.error) if example.error else Outcome(as_text(example.returns))
        return Outcome(as_text(schema.returns))


# --- shared ------------------------------------------------------------------------------------------------------


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


def changed(before: Any, after: Any, path: str = "") -> tuple[Change, ...]:
    """Every leaf that differs between two JSON values. Dicts are walked by key; lists are compared whole."""
    if before == after:
        return ()
    if isinstance(before, dict) and isinstance(after, dict):
        found: list[Change] = []
        for key in [*before, *(k for k in after if k not in before)]:
            if before.get(key) != after.get(key):
                found += changed(before.get(key), after.get(key), f"{path}.{key}" if path else key)
        return tuple(found)
    return (Change(path=path, before=before, after=after),)


def look_up(state: Any, path: str) -> Any:
    """The value at a dotted path; a list is indexed by number.

    Raises:
        KeyError: naming the first step that does not exist."""
    for step in path.split("."):
        try:
            state = state[int(step)] if isinstance(state, list) else state[step]
        except (KeyError, IndexError, TypeError, ValueError):
            raise KeyError(step) from None
    return state


def put(state: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a dotted path whose parent exists; `None` for a key of a dict removes nothing, it sets null."""
    *parents, last = path.split(".")
    target = look_up(state, ".".join(parents)) if parents else state
    if isinstance(target, list):
        target[int(last)] = value
    else:
        target[last] = value


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
    if scenario.world:
        return bundled_world(scenario.world)
    if scenario.tools_file:
        raise UserError(f"scenario {scenario.id!r}: read its tools_file first (see tertulia.files.load_scenario)")
    return SchemaWorld(scenario.tools, scenario.policy)
