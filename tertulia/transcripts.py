"""Scripts and tools made of turns with the calls that they asked for: for formats that hold talks and no schemas."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tertulia.scenario import Example, ToolSchema

__all__ = ["NOTHING", "Called", "Heard", "kind_of", "schema_of", "script_of", "tools_of"]

NOTHING = object()


@dataclass(frozen=True, slots=True)
class Called:
    """A call, and what it returned, if that is known."""

    name: str
    args: Mapping[str, Any]
    returned: Any = NOTHING


@dataclass(slots=True)
class Heard:
    """What the user says in a turn, and the calls that it asks for."""

    said: str
    calls: list[Called] = field(default_factory=list)


def script_of(turns: Sequence[Heard]) -> dict[str, Any]:
    """The script of these turns. The first is the opening; of a later one the first want says it, or an aside."""
    wants: list[dict[str, Any]] = []
    asides: list[dict[str, Any]] = []
    for nth, turn in enumerate(turns):
        if nth and turn.said and not turn.calls:
            asides.append({"say": turn.said, "after": len(wants)})
        for at, call in enumerate(turn.calls):
            says = {"say": turn.said} if nth and not at and turn.said else {}
            wants.append({"call": call.name, "with": dict(call.args), **says})
    return {"opening": turns[0].said, "wants": wants, "asides": asides}


def kind_of(calls: int) -> str:
    """The kind of a scenario with so many wants."""
    return "nothing_to_do" if not calls else "single_call" if calls == 1 else "multi_call"


def tools_of(calls: Iterable[Called]) -> list[ToolSchema]:
    """The tools that were called, with the arguments that were seen and what was returned for them.

    An argument that every call of a tool has is required; whether a tool writes is not known, so it is said to read."""
    by_name: dict[str, list[Called]] = {}
    for call in calls:
        by_name.setdefault(call.name, []).append(call)
    return [
        ToolSchema(name=name, parameters=_parameters(made), examples=tuple(_examples(made)))
        for name, made in by_name.items()
    ]


def _parameters(made: Sequence[Called]) -> dict[str, Any]:
    names = list(dict.fromkeys(key for call in made for key in call.args))
    properties = {key: schema_of(call.args[key] for call in made if key in call.args) for key in names}
    required = [key for key in names if all(key in call.args for call in made)]
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def _examples(made: Sequence[Called]) -> Iterable[Example]:
    seen: list[dict[str, Any]] = []
    for call in made:
        if call.returned is not NOTHING and call.args not in seen:
            seen.append(dict(call.args))
            yield Example.model_validate({"with": dict(call.args), "returns": call.returned})


def schema_of(values: Iterable[Any]) -> dict[str, Any]:
    """JSON Schema of the types that some values have."""
    given = list(values)
    types = sorted({_type(value) for value in given} - {"null"})
    if types == ["integer", "number"]:
        types = ["number"]
    if types == ["array"]:
        inner = [one for value in given if isinstance(value, list) for one in value]
        return {"type": "array", "items": schema_of(inner)} if inner else {"type": "array"}
    return {"type": types[0]} if len(types) == 1 else {"type": types} if types else {}


def _type(value: Any) -> str:
    if value is None:
        return "null"
    named = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array"))
    return next((name for kind, name in named if isinstance(value, kind)), "object")
