"""Dependencies between calls: an identifier in the answer of one call is what another call needs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from tertulia.checks.tool_values import misfits
from tertulia.language.filling import label_of
from tertulia.language.results import bare_name
from tertulia.language.saying import render
from tertulia.language.wording import humanize
from tertulia.lint.failures import hidden_error
from tertulia.world import LiveWorld, ToolSpec

__all__ = ["Link", "links"]

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Link:
    """A call, and the arguments of the next one that its answer holds."""

    tool: ToolSpec
    args: Mapping[str, Any]
    gives: Mapping[str, Any]
    picked: str = ""  # a sentence that says which of several records is meant


def links(
    live: LiveWorld, tool: ToolSpec, args: Mapping[str, Any], consumer: ToolSpec, names: Sequence[str], rng: Random
) -> Iterator[Link]:
    """Make a call and look in its answer for the values that the parameters `names` of `consumer` want."""
    outcome = live.call(tool.name, args)
    answer = json.loads(outcome.text)
    if outcome.error or hidden_error(answer, writes=tool.writes):
        return
    for siblings in groups(answer):
        record = rng.choice(siblings)
        gives = {name: value for name in names if (value := given(record, name, tool, consumer)) is not None}
        gives = {name: value for name, value in gives.items() if value not in args.values()}
        if not gives:
            continue
        if len(siblings) == 1:
            yield Link(tool, args, gives)
        elif mark := telling(record, siblings, gives):
            label, said = mark
            yield Link(tool, args, gives, f"I mean the one whose {label} is {said}.")


def groups(answer: Any) -> Iterator[list[Record]]:
    """The records of an answer, those of one list together."""
    if isinstance(answer, Mapping):
        yield [answer]
        for inner in answer.values():
            if isinstance(inner, Mapping | list):
                yield from groups(inner)
    elif isinstance(answer, list) and (records := [one for one in answer if isinstance(one, Mapping)]):
        yield records


def given(record: Record, name: str, tool: ToolSpec, consumer: ToolSpec) -> Any:
    """The value of a record that goes by the name of a parameter, if it fits it."""
    label = label_of((name,))
    bare = bare_name(label, tool.name)
    for key, value in record.items():
        said = humanize(key)
        named = said in (label, f"{label} id") or label == f"{said} id" or (bare and said == bare)
        if named and isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            about = {**consumer.parameters, "required": [name]}
            if not any(path for path, *_ in misfits(about, {name: value})):
                return value
    return None


def telling(record: Record, siblings: Sequence[Record], gives: Mapping[str, Any]) -> tuple[str, str] | None:
    """The name and value of a field in which a record differs from all its siblings, other than what it gives."""
    for key, value in record.items():
        plain = isinstance(value, str | int) and not isinstance(value, bool) and value not in gives.values()
        if plain and str(value).strip() and sum(other.get(key) == value for other in siblings) == 1:
            return humanize(key), render(value)
    return None
