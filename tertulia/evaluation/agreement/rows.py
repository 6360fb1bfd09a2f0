"""The rows that agreement is measured on: dialogues with gold and predicted slots, and labels of raters.

    {"item": .., "agent": .., "mode": .., "trial": 0, "gold": {slot: value}, "predicted": {slot: value} | null}
    {"item": .., "rater": .., "label": ..}

A row with a rater is a label. Files may hold both, in any order.
"""

import json
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from tertulia.errors import Fault, ScenarioError, UserError
from tertulia.lines import bytes_of
from tertulia.records import Record
from tertulia.validation import complaints, strictly

__all__ = ["HUMAN", "Dialogue", "Label", "Rows", "read_rows"]

HUMAN = "human"  # the mode, and the rater, that others are held against


class Dialogue(Record):
    """One trial of an item: what the dialogue should have filled in, and what it did."""

    item: str = Field(min_length=1)
    agent: str = Field(min_length=1)
    mode: str = Field(min_length=1, description="static, human, or any name of a dynamic run")
    trial: int = Field(ge=0)
    gold: dict[str, Any]
    predicted: dict[str, Any] | None = Field(description="null: the dialogue failed")


class Label(Record):
    """What a rater says of an item; labels are compared as text."""

    item: str = Field(min_length=1)
    rater: str = Field(min_length=1, description="human, or any name of a critic, judge or second person")
    label: bool | int | str | None = Field(description="null: the rater abstains")


@dataclass(frozen=True, slots=True)
class Rows:
    """Every row of the files that were read."""

    dialogues: tuple[Dialogue, ...] = ()
    labels: tuple[Label, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, from 1."""

    file: str
    line: int
    text: bytes

    def fault(self, message: str, suggestion: str = "", column: int = 1) -> Fault:
        return Fault(self.file, self.line, column, message, rule="rows", suggestion=suggestion)


def read_rows(paths: Iterable[Path]) -> Rows:
    """Read JSONL files; blank lines are skipped.

    Raises:
        ScenarioError: with every row that cannot be read, repeats another, or has another gold for its item.
        UserError: a file cannot be read, or there is no row at all."""
    faults: list[Fault] = []
    read: list[tuple[Place, Dialogue | Label]] = []
    paths = tuple(paths)
    for path in paths:
        for place in _lines(path):
            row = _row(place)
            if isinstance(row, Record):
                read.append((place, row))
            else:
                faults.extend(row)
    faults.extend(_conflicts(read))
    if faults:
        raise ScenarioError(faults)
    if not read:
        raise UserError(f"no row in {', '.join(map(str, paths))}")
    rows = [row for _, row in read]
    return Rows(
        tuple(row for row in rows if isinstance(row, Dialogue)), tuple(row for row in rows if isinstance(row, Label))
    )


def _lines(path: Path) -> Iterator[Place]:
    for number, line in enumerate(bytes_of(path).removeprefix(BOM_UTF8).split(b"\n"), start=1):
        if line.strip():
            yield Place(str(path), number, line)


def _row(place: Place) -> Dialogue | Label | list[Fault]:
    """The line as a row, or what is wrong with it."""
    try:
        value = json.loads(place.text.decode("utf-8"), object_pairs_hook=_distinct, parse_constant=_refused)
    except UnicodeDecodeError:
        return [place.fault("not UTF-8")]
    except json.JSONDecodeError as error:
        return [place.fault(f"not JSON: {error.msg}", column=error.colno)]
    except (ValueError, RecursionError) as error:
        return [place.fault(f"not a row: {error}")]
    if not isinstance(value, dict):
        return [place.fault("expected an object with item, agent, mode, trial, gold and predicted")]
    kinds: tuple[type[Dialogue | Label], ...] = (Dialogue, Label)
    model = max(kinds, key=lambda kind: len(kind.model_fields.keys() & value.keys()))
    try:
        return strictly(model, json.dumps(value))
    except ValidationError as error:
        return [
            place.fault(
                f"{'.'.join(map(str, c.at))}: {c.message}" if c.at and not c.on_key else c.message, c.suggestion
            )
            for c in complaints(model, error)
        ]


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} stands twice in an object")
    return made


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON value")


def _conflicts(read: Iterable[tuple[Place, Dialogue | Label]]) -> Iterator[Fault]:
    """Rows that say again, or otherwise, what an earlier row said."""
    seen: dict[tuple[object, ...], Place] = {}
    golds: dict[str, tuple[str, Place]] = {}
    for place, row in read:
        key: tuple[object, ...]
        if isinstance(row, Label):
            key, told = (row.item, row.rater), f"rater {row.rater!r} has labelled item {row.item!r}"
        else:
            key = (row.item, row.agent, row.mode, row.trial)
            told = f"item {row.item!r}, agent {row.agent!r}, mode {row.mode!r}, trial {row.trial} stands"
            gold = json.dumps(row.gold, sort_keys=True)
            first, where = golds.setdefault(row.item, (gold, place))
            if gold != first:
                yield place.fault(f"gold: item {row.item!r} has another gold in {where.file}:{where.line}")
        if (there := seen.setdefault(key, place)) is not place:
            yield place.fault(f"{told} already in {there.file}:{there.line}")
