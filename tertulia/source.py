"""YAML files with positions: whatever is wrong with a file is named with its line and column, all of it at once."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from tertulia.errors import Fault, ScenarioError
from tertulia.strict_yaml import read_document
from tertulia.validation import Complaint, complaints, strictly

__all__ = ["Source", "parse", "read_records", "read_source", "shape_faults", "validated"]

Path_ = tuple[str | int, ...]
Place = tuple[int, int]
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed file: its value, and where each part of it stands (line and column from 1)."""

    file: str
    value: Any
    places: dict[Path_, Place] = field(default_factory=dict)
    keys: dict[Path_, Place] = field(default_factory=dict)  # where the key of a mapping's entry stands
    faults: tuple[Fault, ...] = ()  # of the YAML itself

    def place(self, at: Sequence[str | int], *, on_key: bool = False) -> Place:
        """Where the value (or key) at this path stands, or its nearest ancestor that exists."""
        path = tuple(at)
        if on_key and path in self.keys:
            return self.keys[path]
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (1, 1))

    def fault(
        self,
        at: Sequence[str | int],
        message: str,
        suggestion: str = "",
        rule: str = "scenario",
        *,
        on_key: bool = False,
    ) -> Fault:
        line, column = self.place(at, on_key=on_key)
        return Fault(self.file, line, column, message, rule=rule, suggestion=suggestion)


def read_source(path: Path) -> Source:
    """Parse a YAML (or JSON) file.

    Raises:
        ScenarioError: with every fault of its YAML."""
    source = parse(path)
    if source.faults:
        raise ScenarioError(source.faults)
    return source


def read_records(path: Path, model: type[Model]) -> tuple[Source, Model]:
    """Parse a YAML file into one record.

    Raises:
        ScenarioError: with every fault of the file."""
    source = parse(path)
    record, found = validated(source, model)
    if record is None or source.faults or found:
        raise ScenarioError([*source.faults, *shape_faults(source, found)])
    return source, record


def validated(source: Source, model: type[Model]) -> tuple[Model | None, list[Complaint]]:
    """The file's value as a record, or what is wrong with it."""
    if source.value is None:
        return None, []
    try:
        return strictly(model, json.dumps(source.value)), []
    except ValidationError as error:
        return None, list(complaints(model, error))


def shape_faults(source: Source, found: Iterable[Complaint]) -> Iterator[Fault]:
    """Complaints about a file's value as faults at their lines, save where the YAML itself is at fault."""
    known = {(fault.line, fault.column) for fault in source.faults}
    for complaint in found:
        if source.place(complaint.at, on_key=complaint.on_key) in known:
            continue
        yield source.fault(complaint.at, complaint.message, complaint.suggestion, rule="shape", on_key=complaint.on_key)


def parse(path: Path) -> Source:
    """Parse a file as far as it goes; the faults of its YAML are in `faults`, and the value is None without any."""
    document = read_document(path)
    return Source(str(path), document.value, document.places, document.keys, document.faults)
