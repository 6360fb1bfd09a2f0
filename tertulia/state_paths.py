"""Dotted paths into a world's state: what stands there, how it is set, and which values differ.

A list is indexed by number. A key may hold dots itself, as an address does: of the readings of a path, that one counts
which leads furthest into the state.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

from tertulia.records import Change

__all__ = ["along", "applied", "apply", "changed", "look_up", "put"]


def along(state: Any, path: str) -> tuple[list[str], list[str]]:
    """The keys of a path that are there, from the state inwards, and the steps that are not."""
    return _along(state, path.split("."))


def _along(state: Any, steps: Sequence[str]) -> tuple[list[str], list[str]]:
    found: list[str] = []
    left = list(steps)
    for key, child, rest in _children(state, steps):
        below, lost = _along(child, rest)
        if len(lost) < len(left):
            found, left = [key, *below], lost
    return found, left


def _children(state: Any, steps: Sequence[str]) -> Iterator[tuple[str, Any, Sequence[str]]]:
    """Every child that the first steps may name, and the steps behind it."""
    for cut in range(1, len(steps) + 1):
        key = ".".join(steps[:cut])
        try:
            yield key, child_of(state, key), steps[cut:]
        except KeyError:
            continue


def child_of(state: Any, key: str) -> Any:
    if isinstance(state, list) and key.isdecimal() and int(key) < len(state):
        return state[int(key)]
    if isinstance(state, Mapping):
        return state[key]
    raise KeyError(key)


def look_up(state: Any, path: str) -> Any:
    """The value at a path.

    Raises:
        KeyError: naming the first step that does not exist."""
    keys, lost = along(state, path)
    if lost:
        raise KeyError(lost[0])
    return reduce(child_of, keys, state)


def put(state: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a path whose parent exists; `None` for a key of a dict removes nothing, it sets null.

    Raises:
        KeyError: naming the first step that does not exist."""
    keys, lost = along(state, path)
    last = lost[0] if lost else keys.pop()
    parent = reduce(child_of, keys, state)
    if len(lost) > 1 or (lost and not isinstance(parent, dict)):
        raise KeyError(last)
    parent[int(last) if isinstance(parent, list) else last] = value


def apply(state: dict[str, Any], change: Change) -> None:
    """Make a recorded change. A key that is new may hold dots; `None` stands for absent."""
    keys, last = _place(state, change.path)
    _set(reduce(child_of, keys, state), last, change.after)


def applied(state: dict[str, Any], change: Change) -> dict[str, Any]:
    """The state with a recorded change made: a new one, which shares with the old all that the change leaves alone."""
    keys, last = _place(state, change.path)
    inner: Any = {**state}
    whole: dict[str, Any] = inner
    for key in keys:
        child = child_of(inner, key)
        copy: Any = [*child] if isinstance(child, list) else {**child}
        inner[int(key) if isinstance(inner, list) else key] = copy
        inner = copy
    _set(inner, last, change.after)
    return whole


def _place(state: dict[str, Any], path: str) -> tuple[list[str], str]:
    """The keys that lead to the innermost mapping of a path, and the key in it."""
    keys, lost = along(state, path)
    lost = lost or [keys.pop()]
    while not isinstance(reduce(child_of, keys, state), dict):
        lost.insert(0, keys.pop())
    return keys, ".".join(lost)


def _set(parent: Any, key: str, value: Any) -> None:
    if value is None:
        parent.pop(key, None)
    else:
        parent[key] = value


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
