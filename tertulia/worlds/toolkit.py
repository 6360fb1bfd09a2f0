"""Worlds written in Python: tools are the methods of a `Toolkit`, and its annotations are their schemas."""

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, ClassVar, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import from_json

from tertulia.errors import ToolError
from tertulia.records import Change
from tertulia.scenario import Role, Scenario
from tertulia.state_paths import changed, put
from tertulia.world import Outcome, ToolSpec, as_text, refusal

__all__ = ["LiveToolkit", "Toolkit", "ToolkitWorld", "tool"]

STARTS_KEPT = 128  # states that conversations begin in
Method = TypeVar("Method", bound=Callable[..., Any])


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
    def _start_with(self) -> Callable[[str], "Snapshot"]:
        """The state at the start, by the JSON of the start values. Those asked for last are kept, since thousands of
        conversations begin in them."""
        return lru_cache(maxsize=STARTS_KEPT)(self._made_with)

    def _made_with(self, start: str) -> "Snapshot":
        raw = json.loads(self.seed_data)
        for path, value in json.loads(start).items():
            put(raw, path, value)
        return Snapshot(self.model.model_validate(raw).model_dump_json().encode())

    def start(self, scenario: Scenario) -> dict[str, Any]:
        state: dict[str, Any] = self._start_with(json.dumps(scenario.start)).values
        return state

    def open(self, scenario: Scenario) -> "LiveToolkit":
        start = self._start_with(json.dumps(scenario.start))
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
