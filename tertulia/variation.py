"""The variation grid of a scenario: balanced, seeded choices, and slots filled in."""

import re
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from tertulia.scenario import Scenario
from tertulia.streams import stream

__all__ = ["balanced_choice", "fill", "settle", "slot_cycle", "slots_used"]

SLOT = re.compile(r"\$\{([a-z][a-z0-9_-]*)((?:\.[A-Za-z0-9_-]+)*)\}")


def slots_used(value: Any) -> set[str]:
    """The names of all slots that a value mentions, at any depth."""
    if isinstance(value, str):
        return {match[1] for match in SLOT.finditer(value)}
    if isinstance(value, Mapping):
        return set().union(*(slots_used(v) for pair in value.items() for v in pair)) if value else set()
    if isinstance(value, list | tuple):
        return set().union(*map(slots_used, value)) if value else set()
    return set()


def fill(value: Any, slots: Mapping[str, Any]) -> Any:
    """A copy with every `${slot}` replaced, in one pass; a string that is nothing but a slot takes the slot's type.

    `${slot.key}` reaches into a slot that is a mapping, so that values which belong together vary together."""
    if isinstance(value, str):
        if "${" not in value:
            return value
        whole = SLOT.fullmatch(value)
        return slot_value(whole, slots) if whole else SLOT.sub(lambda m: str(slot_value(m, slots)), value)
    if isinstance(value, Mapping):
        return {str(fill(k, slots)): fill(v, slots) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [fill(v, slots) for v in value]
    return value


def slot_value(match: re.Match[str], slots: Mapping[str, Any]) -> Any:
    """What a reference stands for; the reference itself where there is no such slot or key."""
    value: Any = slots
    for step in [match[1], *match[2].split(".")[1:]]:
        if not isinstance(value, Mapping) or step not in value:
            return match[0]
        value = value[step]
    return value


def slot_cycle(slots: Mapping[str, Any]) -> list[str]:
    """The names along a cycle of slots that mention each other, or an empty list."""
    try:
        TopologicalSorter(_mentions(slots)).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        return cycle[::-1]  # the sorter walks from what is used to its user
    return []


def _mentions(slots: Mapping[str, Any]) -> dict[str, list[str]]:
    return {name: sorted(slots_used(value) & set(slots)) for name, value in slots.items()}


def resolved(slots: Mapping[str, Any]) -> dict[str, Any]:
    """The slots with slots inside them filled. The slots must be free of cycles."""
    ready: dict[str, Any] = {}
    for name in TopologicalSorter(_mentions(slots)).static_order():
        ready[name] = fill(slots[name], ready)
    return ready


def settle(scenario: Scenario, choice: Mapping[str, Any]) -> Scenario:
    """The scenario with this choice of its grid made and every `${slot}` filled in.

    `choice` maps keys of `vary` to values; keys left out keep what the file says."""
    raw = scenario.model_dump(by_alias=True, exclude_unset=True, exclude={"vary"})
    for key, value in choice.items():
        head, *rest = key.split(".", 2)
        target = raw.setdefault("slots", {}) if head == "slots" else raw["cast"][head]
        for part in rest[:-1]:
            target = target.setdefault(part, {})
        target[rest[-1]] = value
    slots = resolved(raw.pop("slots", {}))
    borrowed = {"tools": raw.pop("tools", [])} if scenario.source else {}  # a document of others names no slots
    return Scenario.model_validate(fill(raw, slots) | borrowed)


def balanced_choice(scenario: Scenario, nth: int, seed: int) -> dict[str, Any]:
    """The choice for the nth time (from 0) that this scenario is played.

    Every value of every axis comes up equally often: each axis runs through seeded permutations of its values,
    so after n plays the counts of an axis's values differ by at most one."""
    choice = {}
    for axis, values in scenario.vary.items():
        lap, place = divmod(nth, len(values))
        order = list(range(len(values)))
        stream(seed, "vary", scenario.id, axis, lap).shuffle(order)
        choice[axis] = values[order[place]]
    return choice
