"""Identifiers out of tool results: what an earlier call returned fills the form of the next one."""

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from tertulia.language.filling import Slot
from tertulia.language.kinds import ID_WORDS
from tertulia.language.wording import humanize, scalar, stem, stems

__all__ = ["bare_name", "from_results", "records"]

BARE = ("id", "number", "code")


def from_results(slot: Slot, results: Iterable[tuple[str, str]], hints: frozenset[str]) -> Any:
    """An identifier that an earlier tool result holds under the slot's name, or None. Results are tool and text.

    A bare `id` counts when the tool's name says what it is the id of: `user id` out of what `search_user` gave.
    Of several records, the one that shares most words with `hints` counts, then the first. Only identifiers, and values
    that the hints say, are taken: a day or an amount in a record is how things are, not how somebody wants them."""
    label = slot.label
    if slot.kind not in ("code", "text") and not (slot.kind == "integer" and label.split()[-1] in ID_WORDS):
        return None
    best: tuple[int, Any] | None = None
    for tool, text in reversed(list(results)):
        bare = bare_name(label, tool)
        for record in records(text):
            value = next((v for k, v in record.items() if _names(k, label, bare) and _known(v, hints)), None)
            if value is not None:
                overlap = len(
                    hints & stems(" ".join(scalar(v) for v in record.values() if not isinstance(v, dict | list)))
                )
                if best is None or overlap > best[0]:
                    best = (overlap, value)
        if best is not None:
            return best[1]
    return None


def _names(key: str, label: str, bare: str) -> bool:
    said = humanize(key)
    return said == label or said + " id" == label or said == label + " id" or (bool(bare) and said == bare)


@lru_cache(maxsize=4096)
def bare_name(label: str, tool: str) -> str:
    """What a tool may call a value that its own name already speaks of: `id` for the `user id` of `search_user`."""
    head, _, last = label.rpartition(" ")
    named = set(map(stem, humanize(tool).split()))
    return last if last in BARE and head and all(stem(word) in named for word in head.split()) else ""


def _known(value: Any, hints: frozenset[str]) -> bool:
    return _identifies(value) or (isinstance(value, str) and bool(value) and stems(value) <= hints)


def _identifies(value: Any) -> bool:
    return (isinstance(value, str) and " " not in value and any(c.isdigit() for c in value)) or (
        isinstance(value, int) and not isinstance(value, bool)
    )


@lru_cache(maxsize=4096)
def records(text: str) -> tuple[dict[str, Any], ...]:
    """Every object inside a JSON text, outer ones first."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return ()
    return tuple(_objects(value))


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner)
