"""Checks of a scenario's slots and of the grid that varies them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tertulia.checks.reading import Reading, Steps
from tertulia.errors import Fault, did_you_mean
from tertulia.validation import shown
from tertulia.variation import SLOT, slot_cycle, slots_used

__all__ = ["CHECKS"]

OPENED = re.compile(r"\$\{[^}]*\}?")


def texts(value: Any, at: Steps = ()) -> Iterator[tuple[Steps, str, bool]]:
    """Every text of a value with its path, and whether it is a key."""
    if isinstance(value, str):
        yield at, value, False
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield (*at, key), key, True
            yield from texts(inner, (*at, key))
    elif isinstance(value, list | tuple):
        for nth, inner in enumerate(value):
            yield from texts(inner, (*at, nth))


def unknown_slots(r: Reading) -> Iterator[Fault]:
    slots = r.scenario.slots
    for at, text, on_key in texts(r.source.value):
        for opened in dict.fromkeys(OPENED.findall(text)):
            match = SLOT.fullmatch(opened)
            if not match:
                yield from r.fault(at, f"{opened!r} is not a slot", " (write ${name} in lower case)", on_key=on_key)
            elif match[1] not in slots and r.intact("slots"):
                near = did_you_mean(match[1], slots)
                yield from r.fault(at, f"unknown slot {match[1]!r}", near, on_key=on_key)
            elif match[1] in slots and match[2]:
                yield from _unknown_key(r, at, match, on_key)


def _unknown_key(r: Reading, at: Steps, match: re.Match[str], on_key: bool) -> Iterator[Fault]:
    """A reference into a slot has to lead somewhere, for every value that the slot may take."""
    axis = f"slots.{match[1]}"
    given: list[tuple[Steps, Any]] = [(at, r.scenario.slots[match[1]])]
    given += [(("vary", axis, nth), value) for nth, value in enumerate(r.scenario.vary.get(axis, ()))]
    for place, value in given:
        for step in match[2].split(".")[1:]:
            if slots_used(value) and isinstance(value, str):
                break
            if not isinstance(value, Mapping) or step not in value:
                known = value if isinstance(value, Mapping) else ()
                message = f"slot {match[1]!r} has no {step!r} in it, as {match[0]!r} wants"
                yield from r.fault(place, message, did_you_mean(step, known), on_key=on_key and place == at)
                break
            value = value[step]


def unused_slots(r: Reading) -> Iterator[Fault]:
    value = r.source.value
    if not isinstance(value, Mapping):
        return
    used = slots_used({key: inner for key, inner in value.items() if key != "slots"})
    waiting = list(used)
    while waiting:
        inner = slots_used(r.scenario.slots.get(waiting.pop())) - used
        used |= inner
        waiting += inner
    for name in r.scenario.slots:
        if name not in used:
            yield from r.fault(("slots", name), f"slot {name!r} is never used", on_key=True)


def cycles_of_slots(r: Reading) -> Iterator[Fault]:
    if cycle := slot_cycle(r.scenario.slots):
        yield from r.fault(
            ("slots", cycle[0]), f"slots mention each other in a circle: {' -> '.join(cycle)}", on_key=True
        )


def axes(r: Reading) -> Iterator[Fault]:
    cast, slots = r.scenario.cast, r.scenario.slots
    known = [f"slots.{name}" for name in slots]
    for name, party in cast.items():
        known += [f"{name}.persona", *(f"{name}.knows.{key}" for key in party.knows)]
    for axis, values in r.scenario.vary.items():
        at = ("vary", axis)
        if not r.varies(axis) and r.intact("cast") and r.intact("slots"):
            yield from r.fault(at, f"vary names nothing in this file: {axis!r}", did_you_mean(axis, known), on_key=True)
        for nth, value in enumerate(values):
            if value in values[:nth]:
                yield from r.fault((*at, nth), f"{shown(value)} is listed twice")


def fillings(r: Reading) -> Iterator[Fault]:
    """What a slot or a choice puts into a place has to be of the type that belongs there."""
    seen = set()
    for variant in r.variants:
        for complaint in variant.complaints:
            if (complaint.at, complaint.message) in seen:
                continue
            seen.add((complaint.at, complaint.message))
            place = ".".join(map(str, complaint.at))
            message = f"{variant.label}{place}: {complaint.message} once its slots are filled"
            yield from r.fault(variant.path(complaint.at), message, complaint.suggestion)


CHECKS = (unknown_slots, unused_slots, cycles_of_slots, axes, fillings)
