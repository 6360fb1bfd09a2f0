"""Ambiguous gold: a value that was picked among several records, where nothing that is told picks it.

The value of a call that writes comes out of an earlier result, say the id of one of two orders. Its record must differ
from its neighbours in something that the user says or the policy holds; else the same request would be met as well by
the call with the other value, and where that call ends in another state, the item has two right ends but one gold.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tertulia.checks.obtainable import Known, told
from tertulia.checks.reading import Steps
from tertulia.language.wording import leaves, stems
from tertulia.lint.complaints import GoldComplaint
from tertulia.lint.failures import hidden_error
from tertulia.lint.values import place_of
from tertulia.records import ToolCall
from tertulia.scenario import Scenario, Want
from tertulia.world import Outcome, World

__all__ = ["Replayed", "rivals"]

MOST_RIVALS = 8


@dataclass(frozen=True, slots=True)
class Replayed:
    """The gold calls before one, and what they returned."""

    calls: Sequence[ToolCall]
    answers: Sequence[Any]


def rivals(
    scenario: Scenario, world: World, want: Want, at: Steps, before: Replayed, outcome: Outcome
) -> Iterator[GoldComplaint]:
    """The values of a writing call that might as well be others."""
    known = told(scenario, want.by or scenario.assistant)
    known.add(world.policy)
    for key, value in want.gold.items():
        if not isinstance(value, str | int) or isinstance(value, bool) or known.holds(value):
            continue
        for other in alike(value, before.answers, known)[:MOST_RIVALS]:
            end = made(scenario, world, before.calls, want, {**want.gold, key: other})
            if works(end) and end.changes != outcome.changes:
                message = f"{key!r} of {want.call!r} might as well be {other!r}: nothing told picks {value!r}"
                hint = f" (let {scenario.user!r} tell what sets it apart)"
                yield GoldComplaint(place_of(want, at, key), "gold-ambiguous", message, hint)
                break


def alike(value: Any, answers: Sequence[Any], known: Known) -> list[Any]:
    """The values that stand where this one stands in records of its kind, of which everything told is true as well.

    None where some result holds the value in a record that what is told sets apart."""
    said = frozenset().union(*(stems(text) for text in known.texts)) if known.texts else frozenset()
    found: list[Any] = []
    for answer in answers:
        records = [record for record in objects(answer) if value in scalars(record).values()]
        everything = list(objects(answer)) if records else []
        for record in records:
            key = next(key for key, inner in scalars(record).items() if inner == value)
            others = [
                other[key]
                for other in everything
                if other.keys() == record.keys()
                and other.get(key) not in (None, value)
                and marks(record, said) <= marks(other, said)
            ]
            if not others:
                return []
            found += others
    return list(dict.fromkeys(found))


def objects(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from objects(inner)


def scalars(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if isinstance(value, str | int) and not isinstance(value, bool)}


def marks(record: Mapping[str, Any], said: frozenset[str]) -> set[str]:
    """The values of a record of which every word was told."""
    texts = {str(leaf) for leaf in leaves(dict(record)) if str(leaf).strip()}
    return {text for text in texts if (found := stems(text)) and found <= said}


def made(scenario: Scenario, world: World, before: Sequence[ToolCall], want: Want, args: Mapping[str, Any]) -> Outcome:
    live = world.open(scenario)
    for call in before:
        live.call(call.name, call.args)
    return live.call(want.call, args)


def works(outcome: Outcome) -> bool:
    return not outcome.error and bool(outcome.changes) and not hidden_error(json.loads(outcome.text), writes=True)
