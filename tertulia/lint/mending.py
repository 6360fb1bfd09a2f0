"""Edits that take a fault away without touching anything else of a file, comments and layout included.

Three kinds are safe: the user comes to know a value that the script wants from it, a misspelt name is written as the
nearest known one, and a number that is meant as a text is put in quotes.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tertulia.errors import Edit, Fault
from tertulia.lint.complaints import GoldComplaint
from tertulia.scenario import Scenario
from tertulia.source import Source

__all__ = ["edited", "knowing", "mended", "with_edit"]

MEANT = re.compile(r" \(did you mean '([\w.-]+)'\?\)")
QUOTED = re.compile(r' \(put it in quotes: "([^"]+)"\)')
PLAIN = re.compile(r"[A-Za-z][\w-]*(?: [A-Za-z][\w-]*)*")
WORDS = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))


def knowing(source: Source, scenario: Scenario, complaint: GoldComplaint) -> Edit | None:
    """The edit that lets the user know a value which the gold wants and nobody tells."""
    if complaint.rule not in ("gold-value", "gold-script"):
        return None
    key, user = str(complaint.at[-1]), scenario.user
    value = at_path(source.value, complaint.at)
    party = at_path(source.value, ("cast", user))
    if value is None or not isinstance(party, Mapping) or key in scenario.cast[user].knows:
        return None
    as_json = source.file.endswith(".json")
    if isinstance(party.get("knows"), Mapping) and party["knows"]:
        return inserted(source, ("cast", user, "knows"), key, written(value, as_json=as_json), as_json=as_json)
    if "knows" in party:
        return None  # empty: there is no entry beside which to write
    fact = f"{{{name(key, as_json=as_json)}: {written(value, as_json=as_json)}}}"
    return inserted(source, ("cast", user), "knows", fact, as_json=as_json)


def inserted(source: Source, at: Sequence[str | int], key: str, text: str, *, as_json: bool) -> Edit | None:
    """A new entry before the first one of a mapping, in the mapping's own layout."""
    first = next(iter(at_path(source.value, at)), None)
    place = source.keys.get((*at, str(first)))
    if place is None:
        return None
    line, column = place
    opens = source.places.get(tuple(at), place)
    flow = opens != place
    entry = f"{name(key, as_json=as_json)}: {text}"
    return Edit(line, column, "", f"{entry}, " if flow else f"{entry}\n{' ' * (column - 1)}")


def at_path(value: Any, at: Sequence[str | int]) -> Any:
    for step in at:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def name(key: str, *, as_json: bool) -> str:
    return key if not as_json and PLAIN.fullmatch(key) and key.lower() not in WORDS else json.dumps(key)


def written(value: Any, *, as_json: bool) -> str:
    """A value in YAML that is also read back as this value in the middle of a flow mapping."""
    if isinstance(value, str) and not as_json and PLAIN.fullmatch(value) and value.lower() not in WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


def with_edit(fault: Fault, text: str) -> Fault:
    """The fault with the edit that its suggestion comes down to, where it is one word of the file."""
    if fault.edit is not None:
        return fault
    lines = text.splitlines()
    rest = lines[fault.line - 1][fault.column - 1 :] if fault.line <= len(lines) else ""
    if meant := MEANT.search(fault.suggestion):
        token = re.match(r"[\w.-]+", rest)
        if token and repr(token[0]) in fault.message:
            return replace(fault, edit=Edit(fault.line, fault.column, token[0], meant[1]))
    if number := QUOTED.search(fault.suggestion):
        token = re.match(r"[-+\w.]+", rest)
        if token and token[0] == number[1]:
            return replace(fault, edit=Edit(fault.line, fault.column, token[0], f'"{number[1]}"'))
    return fault


def edited(text: str, edits: Iterable[Edit]) -> str:
    """A text with its edits made; of two at one place, the first."""
    lines = text.splitlines(keepends=True)
    done: set[tuple[int, int]] = set()
    for edit in sorted(dict.fromkeys(edits), key=lambda e: (-e.line, -e.column)):
        place = (edit.line, edit.column)
        if place in done:
            continue
        line = lines[edit.line - 1]
        at = edit.column - 1
        if line[at : at + len(edit.old)] == edit.old:
            lines[edit.line - 1] = line[:at] + edit.new + line[at + len(edit.old) :]
            done.add(place)
    return "".join(lines)


def mended(path: Path, faults: Iterable[Fault]) -> str | None:
    """The text of a file with the edits of its faults made; None where they change nothing."""
    edits = [fault.edit for fault in faults if fault.edit is not None]
    if not edits:
        return None
    with path.open(encoding="utf-8", newline="") as file:
        text = file.read()
    after = edited(text, edits)
    return after if after != text else None
